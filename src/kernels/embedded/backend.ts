import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { type backend_util, type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core';
import {
  type AnyKernel,
  type Block,
  flatArguments,
  type KernelCalls,
  type KernelLibrary,
  type Values,
} from '../native/library';

/** Data for kernels: an array, or a tensor. */
export type Data = Values | TensorInfo;

export type Call = KernelCalls<Data>;

type DataId = TensorInfo['dataId'];

/**
 * A tfjs backend over typed arrays in memory that the compiled kernels can access. It is tfjs's own cpu backend except
 * for where data is stored, so every kernel written for that one works here too; the slow ones are replaced (see
 * kernels/README.md).
 */
export class EmbeddedBackend extends MathBackendCPU {
  /** The kernels of list.h, called with tensors, typed arrays and numbers. */
  readonly call: Call;
  /** For measurements with native kernels: an array to which decode_step adds its seconds (kernels/decode.h). */
  decodeTimes: Float32Array | null = null;
  private readonly blocks = new WeakMap<DataId, Block>();

  constructor(readonly library: KernelLibrary) {
    super();
    silenceAdvice(this);
    const bound = Object.entries(library.kernels).map(([name, kernel]) => [
      name,
      (...args: unknown[]) => (kernel as AnyKernel)(...flatArguments<Data>(args).map((arg) => this.resolve(arg))),
    ]);
    this.call = Object.fromEntries(bound);
  }

  /** A new tensor with undefined contents, to be filled by a kernel. */
  output(shape: number[], dtype: 'float32' | 'int32' = 'float32'): TensorInfo {
    const info = this.makeTensorInfo(shape, dtype);
    this.place(info.dataId, util.sizeFromShape(shape), dtype);
    return info;
  }

  /** The data of a tensor for kernels. Valid only during the kernel call, and read-only. */
  values(tensor: TensorInfo): Values {
    const { values } = this.data.get(tensor.dataId);
    if (isValues(values) && this.library.memory.reaches(values)) return values;
    return this.adopt(tensor.dataId);
  }

  /** The data of a tensor to be changed in place: never an array that a caller passed in. */
  mutable(tensor: TensorInfo): Values {
    return this.blocks.has(tensor.dataId) ? (this.data.get(tensor.dataId).values as Values) : this.adopt(tensor.dataId);
  }

  /** Another handle of the same data, like tfjs's Identity: the result of a kernel that works in place. */
  share({ dataId, shape, dtype }: TensorInfo): TensorInfo {
    this.incRef(dataId);
    return { dataId, shape, dtype };
  }

  /**
   * tfjs's kernels may pass a part of an input's array (Slice does). It must not outlive the input, so it is copied.
   */
  override write(values: backend_util.BackendValues, shape: number[], dtype: DataType): DataId {
    const dataId = super.write(values, shape, dtype);
    if (isValues(values) && this.library.memory.owns(values)) this.adopt(dataId);
    return dataId;
  }

  /** A copy, as the memory of a disposed tensor is reused. */
  override readSync(dataId: DataId): backend_util.BackendValues {
    const values = super.readSync(dataId);
    return this.blocks.has(dataId) ? (values as Values).slice() : values;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const block = this.blocks.get(dataId);
    const freed = super.disposeData(dataId, force);
    if (freed && block) {
      this.blocks.delete(dataId);
      this.library.memory.release(block);
    }
    return freed;
  }

  override memory() {
    return { unreliable: false, reasons: [], ...this.library.memory.usage() };
  }

  private resolve(arg: Data | number | null | undefined): Values | number | null {
    if (arg === undefined || arg === null || typeof arg === 'number') return arg ?? null;
    return ArrayBuffer.isView(arg) ? arg : this.values(arg);
  }

  private place(dataId: DataId, size: number, dtype: DataType): Values {
    const bytes = size * util.bytesPerElement(dtype);
    const block = this.library.memory.allocate(bytes);
    const Whole = dtype === 'int32' ? Int32Array : Uint8Array;
    const Kind = dtype === 'float32' ? Float32Array : Whole;
    const values = new Kind(block.buffer as ArrayBuffer, block.offset, size);
    this.blocks.set(dataId, block);
    this.data.get(dataId).values = values;
    return values;
  }

  private adopt(dataId: DataId): Values {
    const { values, dtype } = this.data.get(dataId);
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') throw new Error(`No kernel takes ${dtype} data`);
    const from = values as ArrayLike<number>;
    const to = this.place(dataId, from.length, dtype);
    to.set(from);
    return to;
  }
}

function isValues(values: unknown): values is Values {
  return values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array;
}

/** On first use in Node, tfjs's cpu backend prints an advertisement for tfjs-node. */
export function silenceAdvice(backend: MathBackendCPU): void {
  (backend as unknown as { firstUse: boolean }).firstUse = false;
}
