/** The backends, by their names in experiments and commands. */
export const backends = {
  auto: 'The best backend that works here.',
  embedded: 'Fused kernels: the native addon if it loads, otherwise WebAssembly. Needs no installation.',
  'embedded-wasm': 'Fused kernels as WebAssembly only.',
  'tensorflow-gpu': 'TensorFlow on CUDA, for large students. Set it up with `distillery backend install --gpu`.',
  tensorflow: 'TensorFlow. Set it up with `distillery backend install`.',
  torch:
    'PyTorch in a separate process, for large students, GPUs and other ' +
    'model families. Set it up with `distillery engine install`.',
  tinker: 'A server of the Tinker API, for students that need a cluster: docs/cluster.md.',
  cpu: 'Plain JavaScript: the numeric reference, for tiny students only.',
} as const;

export type Backend = keyof typeof backends;
export const backendNames = Object.keys(backends) as [Backend, ...Backend[]];
