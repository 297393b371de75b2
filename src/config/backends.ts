/** What can compute, by the names that experiments and commands use. */
export const backends = {
  auto: 'The best that works here.',
  embedded: 'Fused kernels: the native addon where it loads, else WebAssembly. Needs nothing installed.',
  'embedded-wasm': 'Fused kernels as WebAssembly only.',
  'tensorflow-gpu': 'TensorFlow on CUDA, for big students: set it up by `distillery backend install --gpu`.',
  tensorflow: 'TensorFlow: set it up by `distillery backend install`.',
  torch:
    'PyTorch in a process of its own, for big students, GPUs and other ' +
    'families: set it up by `distillery engine install`.',
  tinker: 'A server of the Tinker API, for students that need a cluster: docs/cluster.md.',
  cpu: 'Plain JavaScript: the numeric reference, for toy sizes only.',
} as const;

export type Backend = keyof typeof backends;
export const backendNames = Object.keys(backends) as [Backend, ...Backend[]];
