/**
 * TensorFlow's operations as functions on handles. They run sequentially in a `Work`, which frees intermediate results;
 * only results become tfjs tensors. This reduces the overhead of a call to a third.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Attribute, Handle, TensorFlowBackend } from './binding';

export type Ops = ReturnType<typeof opsOf>;

/**
 * Runs `body` on the inputs' handles; frees everything that it created except its results, which become tensors (if
 * they are not yet).
 */
export function compose(
  backend: TensorFlowBackend,
  inputs: Record<string, TensorInfo>,
  body: (ops: Ops, inputs: Record<string, Handle>) => (Handle | TensorInfo)[],
): TensorInfo[] {
  const made = new Set<Handle>();
  const free = () => {
    for (const { id } of made) backend.binding.deleteTensor(id);
  };
  try {
    const handles: Record<string, Handle> = {};
    for (const [name, info] of Object.entries(inputs)) if (info) handles[name] = handleOf(backend, info);
    const results = body(opsOf(backend, made), handles);
    return results.map((result) => {
      if ('dataId' in result) return result;
      if (!made.delete(result)) throw new Error("A result is no operation's output");
      return tensorOf(backend, result);
    });
  } finally {
    free();
    trimConstants(backend);
  }
}

/** Shapes depend on batch lengths, so the cache is emptied from time to time. */
function trimConstants({ binding }: TensorFlowBackend): void {
  if (constants.size < 4096) return;
  for (const { id } of constants.values()) binding.deleteTensor(id);
  constants.clear();
}

/** The handle of a tensor; uploads its values if necessary. */
function handleOf(backend: TensorFlowBackend, info: TensorInfo): Handle {
  const [id] = backend.getInputTensorIds([info]);
  return { id, shape: info.shape, dtype: backend.tensorMap.get(info.dataId).dtype };
}

function tensorOf(backend: TensorFlowBackend, { id, shape, dtype }: Handle): TensorInfo {
  const { TF_FLOAT, TF_INT32 } = backend.binding;
  const integer = dtype === TF_INT32 ? 'int32' : null;
  const name = dtype === TF_FLOAT ? 'float32' : integer;
  if (!name) throw new Error(`A kernel's result has the type ${dtype} of TensorFlow`);
  const dataId = {};
  backend.tensorMap.set(dataId, { id, shape, dtype, values: null, refCount: 1 });
  return { dataId, shape, dtype: name };
}

/** Creates an unnamed variable that is freed with its last handle (ResourceHandle::ANONYMOUS_NAME of TensorFlow). */
const anonymous = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/** Constants kept for the life of the process: axes, shapes and similar, by value. */
const constants = new Map<string, Handle>();

/** Operations whose outputs are added to `made`. Attributes that TensorFlow infers from the inputs are omitted. */
function opsOf(backend: TensorFlowBackend, made: Set<Handle>) {
  const { binding } = backend;
  const bool = (name: string, value: boolean): Attribute => ({ name, type: binding.TF_ATTR_BOOL, value });
  const int = (name: string, value: number): Attribute => ({ name, type: binding.TF_ATTR_INT, value });
  const type = (name: string, value: number): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value });

  const float = (name: string) => type(name, binding.TF_FLOAT);

  const several = (name: string, inputs: Handle[], attributes: Attribute[], outputs: number): Handle[] => {
    const ids = inputs.map(({ id }) => id);
    const results = binding.executeOp(name, attributes, ids, outputs);
    for (const result of results) made.add(result);
    return results;
  };
  const op = (name: string, inputs: Handle[], attributes: Attribute[] = []): Handle =>
    several(name, inputs, attributes, 1)[0];
  const upload = (values: Float32Array | Int32Array, shape: number[]): Handle => {
    const dtype = values instanceof Float32Array ? binding.TF_FLOAT : binding.TF_INT32;
    const handle = { id: binding.createTensor(shape, dtype, values), shape, dtype };
    made.add(handle);
    return handle;
  };
  const constant = (values: number[], scalar = false): Handle => {
    const key = `${scalar}${values}`;
    const known = constants.get(key);
    if (known) return known;
    const shape = scalar ? [] : [values.length];
    const id = binding.createTensor(shape, binding.TF_INT32, Int32Array.from(values));
    const handle = { id, shape, dtype: binding.TF_INT32 };
    constants.set(key, handle);
    return handle;
  };
  const scalar = (value: number): Handle => upload(Float32Array.of(value), []);
  const [keep, drop] = [bool('keep_dims', true), bool('keep_dims', false)];

  return {
    op,
    several,
    upload,
    scalar,
    constant,
    bool,
    int,
    type,
    float,
    /** Stacks float32 tensors of one shape along a new first axis; a single one is returned unchanged. */
    stack: (parts: Handle[]) =>
      parts.length === 1 ? parts[0] : op('Pack', parts, [int('N', parts.length), float('T'), int('axis', 0)]),
    /** The inverse of `stack`. */
    unstack: (a: Handle, n: number) =>
      n === 1 ? [a] : several('Unpack', [a], [int('num', n), float('T'), int('axis', 0)], n),
    /**
     * A variable with a float32 value, whose handle here is freed, so that the variable holds the only one unless a
     * tfjs tensor shares it.
     */
    variable: (value: Handle): Handle => {
      const shape: Attribute = { name: 'shape', type: binding.TF_ATTR_SHAPE, value: value.shape };
      const name: Attribute = { name: 'shared_name', type: binding.TF_ATTR_STRING, value: anonymous };
      const handle = op('VarHandleOp', [], [float('dtype'), shape, name]);
      several('AssignVariableOp', [handle, value], [float('dtype')], 0);
      if (made.delete(value)) binding.deleteTensor(value.id);
      return handle;
    },
    /** A variable's value; the variable itself is freed. */
    assigned: (variable: Handle): Handle => {
      const value = op('ReadVariableOp', [variable], [float('dtype')]);
      made.delete(variable);
      binding.deleteTensor(variable.id);
      return value;
    },
    /** Excludes a handle from freeing; the caller frees it with binding.deleteTensor. */
    retain: (handle: Handle): Handle => {
      made.delete(handle);
      return handle;
    },
    free: (handle: Handle): void => {
      if (made.delete(handle)) binding.deleteTensor(handle.id);
    },
    add: (a: Handle, b: Handle) => op('AddV2', [a, b]),
    sub: (a: Handle, b: Handle) => op('Sub', [a, b]),
    mul: (a: Handle, b: Handle) => op('Mul', [a, b]),
    scale: (a: Handle, factor: number) => (factor === 1 ? a : op('Mul', [a, scalar(factor)])),
    /** a [.., m, k] times b [.., k, n], either transposed; batches are broadcast as in NumPy. */
    matMul: (a: Handle, b: Handle, transposeA = false, transposeB = false) =>
      a.shape.length === 2
        ? op('MatMul', [a, b], [bool('transpose_a', transposeA), bool('transpose_b', transposeB)])
        : op('BatchMatMulV2', [a, b], [bool('adj_x', transposeA), bool('adj_y', transposeB)]),
    reshape: (a: Handle, shape: number[]) => op('Reshape', [a, constant(shape)]),
    transpose: (a: Handle, order: number[]) => op('Transpose', [a, constant(order)]),
    /** Rows of a by the first axis. */
    gather: (a: Handle, indices: Handle) => op('GatherV2', [a, indices, constant([0], true)], [int('batch_dims', 0)]),
    slice: (a: Handle, begin: number[], size: number[]) => op('Slice', [a, constant(begin), constant(size)]),
    // TensorFlow does not infer the type of a list of inputs.
    concat: (parts: Handle[], axis: number) =>
      parts.length === 1
        ? parts[0]
        : op('ConcatV2', [...parts, constant([axis], true)], [int('N', parts.length), type('T', parts[0].dtype)]),
    addN: (parts: Handle[]) =>
      parts.length === 1 ? parts[0] : op('AddN', parts, [int('N', parts.length), type('T', parts[0].dtype)]),
    sum: (a: Handle, axis: number, kept = false) => op('Sum', [a, constant([axis])], [kept ? keep : drop]),
    mean: (a: Handle, axis: number) => op('Mean', [a, constant([axis])], [keep]),
    max: (a: Handle, axis: number, kept = false) => op('Max', [a, constant([axis])], [kept ? keep : drop]),
    cast: (a: Handle, to: number) => op('Cast', [a], [type('DstT', to)]),
  };
}
