import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { registerBackend } from '@tensorflow/tfjs-core';
import type { Binding } from './binding';
import { withCaches } from './cache';
import { findTensorFlow } from './installed';
import { withMemoryErrors } from './memory-errors';
import { loadBackendClass } from './module';

export interface OpenTensorFlow {
  version: string;
  gpu: boolean;
  threads: number;
  origin: string;
}

/**
 * Loads TensorFlow into this process and registers it as tfjs's backend `tensorflow`. A process can load TensorFlow
 * only once, and GPUs are found at that time: it cannot switch between CPU and GPU later.
 * @throws Error that says why it is not available
 */
export function openTensorFlow(gpu: boolean): OpenTensorFlow {
  if (opened) {
    if (opened.gpu === gpu) return opened;
    throw new Error(`this process has already loaded TensorFlow for the ${opened.gpu ? 'GPU' : 'CPU'}`);
  }
  const found = findTensorFlow(gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node');
  prepareEnvironment(process.env, gpu);
  const Backend = loadBackendClass(found.package);
  const binding = withMemoryErrors(createRequire(found.binding)(found.binding) as Binding);
  opened = {
    version: binding.TF_Version,
    gpu: binding.isUsingGpuDevice(),
    threads: Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism(),
    origin: found.origin,
  };
  if (gpu && !opened.gpu) throw new Error(`TensorFlow ${opened.version} (${found.origin}) sees no GPU`);
  registerBackend('tensorflow', () => withCaches(new Backend(binding, '@tensorflow/tfjs-node')));
  return opened;
}

let opened: OpenTensorFlow | null = null;

/** The TensorFlow loaded in this process, if any. */
export const openedTensorFlow = (): OpenTensorFlow | null => opened;

/**
 * Settings that TensorFlow reads when it is loaded, unless the user has set them: allocate GPU memory as needed instead
 * of all at once, deterministic sums (UnsortedSegmentSum on a GPU adds in arbitrary order), full float32 products
 * (TensorFloat-32 has 10 bits of mantissa, which would distort a policy's ratios; DISTILLERY_TF32=1 allows it), our
 * number of threads, and only errors in the log.
 */
export function prepareEnvironment(env: NodeJS.ProcessEnv, gpu: boolean): void {
  if (!gpu) env.CUDA_VISIBLE_DEVICES = '-1';
  env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  env.TF_DETERMINISTIC_OPS ??= '1';
  if (env.DISTILLERY_TF32 !== '1') env.NVIDIA_TF32_OVERRIDE ??= '0';
  if (env.DISTILLERY_GPU) env.CUDA_VISIBLE_DEVICES = gpu ? env.DISTILLERY_GPU : '-1';
  if (env.DISTILLERY_THREADS) {
    env.TF_NUM_INTRAOP_THREADS ??= env.DISTILLERY_THREADS;
    env.TF_NUM_INTEROP_THREADS ??= '1';
  }
}
