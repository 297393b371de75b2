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
 * Loads TensorFlow into this process and registers it as tfjs's backend `tensorflow`. A process has one TensorFlow,
 * which looks for GPUs when it is loaded: one for the CPU cannot turn to a GPU later, nor back.
 * @throws Error that says why it cannot be had.
 */
export function openTensorFlow(gpu: boolean): OpenTensorFlow {
  if (opened) {
    if (opened.gpu === gpu) return opened;
    throw new Error(`this process has TensorFlow loaded for the ${opened.gpu ? 'GPU' : 'CPU'} already`);
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

/** What this process has loaded, if anything. */
export const openedTensorFlow = (): OpenTensorFlow | null => opened;

/**
 * What TensorFlow reads when it is loaded, where the user has not said it: memory of a GPU taken as it is needed
 * instead of all at once, sums in one order (UnsortedSegmentSum on a GPU adds as threads come), full float32 products
 * (TensorFloat-32 has 10 bits of mantissa: a policy's ratios would tell of rounding; DISTILLERY_TF32=1 allows it), our
 * count of threads, and only its errors in the log.
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
