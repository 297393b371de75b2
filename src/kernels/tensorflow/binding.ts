/** The used part of @tensorflow/tfjs-node: its native binding, and the backend on top of it. */
import type { DataId, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';

/** A TensorFlow tensor: the id of its handle, its shape, and its type as TF_DataType. */
export interface Handle {
  id: number;
  shape: number[];
  dtype: number;
}

/** An attribute of an operation; `type` is a TF_AttrType. */
export interface Attribute {
  name: string;
  type: number;
  value: unknown;
}

/** tfjs_binding.node */
export interface Binding {
  TF_Version: string;
  isUsingGpuDevice(): boolean;
  getNumOfTensors(): number;
  createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): Handle[];
  TF_FLOAT: number;
  TF_INT32: number;
  TF_ATTR_INT: number;
  TF_ATTR_BOOL: number;
  TF_ATTR_STRING: number;
  TF_ATTR_TYPE: number;
  TF_ATTR_SHAPE: number;
}

/** NodeJSKernelBackend of tfjs-node 4.22, with the members that TypeScript calls private. */
export interface TensorFlowBackend extends KernelBackend {
  binding: Binding;
  isUsingGpuDevice: boolean;
  tensorMap: { set(dataId: DataId, data: TensorData): void; get(dataId: DataId): TensorData };
  getInputTensorIds(tensors: TensorInfo[]): number[];
}

interface TensorData extends Handle {
  /** Not yet passed to TensorFlow. */
  values: Float32Array | Int32Array | Uint8Array | null;
  refCount: number;
}

/** Types that the binding does not name. */
export const TF_UINT32 = 22;
