import '@tensorflow/tfjs-backend-cpu';
import { engine, findBackend, setBackend } from '@tensorflow/tfjs-core';
import { UserError } from '../errors';
import type { EmbeddedBackend } from './embedded/backend';
import { silenceAdvice } from './embedded/backend';
import { installEmbedded } from './embedded/index';
import { openAddon } from './native/addon';
import type { KernelLibrary } from './native/library';
import { openWasm } from './native/wasm';
import { registerKernels } from './register';
import { multiplicationSpeed } from './speed';
import { installTensorFlowKernels } from './tensorflow/index';
import { findTensorFlow } from './tensorflow/installed';
import { openedTensorFlow, openTensorFlow } from './tensorflow/open';
import { hasGpuDriver, probe } from './tensorflow/probe';

export const backendNames = ['embedded', 'embedded-wasm', 'cpu', 'tensorflow', 'tensorflow-gpu'] as const;
export type BackendName = (typeof backendNames)[number];

/** The backend in use, as a run records it. */
export interface BackendInfo {
  name: BackendName;
  /** One line for people, such as `native kernels, avx2, 2 threads`. */
  description: string;
  /** Instruction set of the kernels, if they are ours. */
  isa?: string;
  threads?: number;
}

export interface BackendReport {
  name: BackendName;
  usable: boolean;
  /** A description if it is usable; otherwise the reason why not. */
  detail: string;
  /** How to get it, or its purpose. */
  advice: string;
  /** Speed of a large product in float32, 10^9 operations per second; only if measured. */
  gflops?: number;
}

const advice: Record<BackendName, string> = {
  embedded: 'The default. Native where `npm run build` finds a C compiler (cc, gcc, clang), else WebAssembly.',
  'embedded-wasm': 'The same kernels as WebAssembly: for machines without a C compiler.',
  cpu: 'Plain JavaScript, the numeric reference: tiny sizes only.',
  tensorflow: 'Optional: `distillery backend install` sets it up with an installed TensorFlow (docs/tensorflow.md).',
  'tensorflow-gpu': 'Optional, for CUDA: `distillery backend install --gpu` (docs/tensorflow.md).',
};

/**
 * Sets up a backend with every kernel of interface.ts and makes it tfjs's current one. `auto` uses tensorflow-gpu if
 * there is a GPU driver and a test in a process of its own succeeds, else `embedded`, which is faster than TensorFlow
 * on the CPU.
 * @throws UserError when that backend is not available here, with the reason and the remedy
 */
export async function useBackend(name: BackendName | 'auto'): Promise<BackendInfo> {
  if (name === 'auto') return (await tryGpu()) ?? useBackend('embedded');
  try {
    const info = install(name);
    registerKernels(tfjsName(name));
    if (!(await setBackend(tfjsName(name)))) throw new Error('tfjs could not initialize it');
    const backend = findBackend(tfjsName(name));
    if (name === 'cpu') silenceAdvice(backend as EmbeddedBackend);
    return info;
  } catch (error) {
    throw new UserError(`Backend \`${name}\` cannot be used here: ${messageOf(error)}`, {
      code: 'backend',
      remedy: advice[name],
      cause: error,
    });
  }
}

/** If the GPU or its driver makes TensorFlow crash, that ends a child process and not this one. */
async function tryGpu(): Promise<BackendInfo | null> {
  try {
    if (!hasGpuDriver()) return null;
    if (!installed.has('tensorflow-gpu')) {
      findTensorFlow('@tensorflow/tfjs-node-gpu');
      if (!(await probe({ gpu: true })).works) return null;
    }
    return await useBackend('tensorflow-gpu');
  } catch {
    return null;
  }
}

/** Every backend: whether it works, why not, and how to get it. The current backend does not change. */
export async function listBackends(options: { measure?: boolean } = {}): Promise<BackendReport[]> {
  const before = engine().backendName;
  const reports: BackendReport[] = [];
  for (const name of backendNames) {
    const elsewhere = await tryElsewhere(name);
    if (elsewhere) {
      reports.push(elsewhere);
      continue;
    }
    try {
      const { description } = await useBackend(name);
      const gflops = options.measure ? multiplicationSpeed({ size: 512, milliseconds: 300 }) / 1e9 : undefined;
      reports.push({ name, usable: true, detail: description, advice: advice[name], gflops });
    } catch (error) {
      const cause = error instanceof UserError ? error.cause : error;
      reports.push({ name, usable: false, detail: messageOf(cause), advice: advice[name] });
    }
  }
  if (before) await setBackend(before);
  return reports;
}

/** TensorFlow for a GPU, or in a mode that this process has not loaded, is tested in a process of its own. */
async function tryElsewhere(name: BackendName): Promise<BackendReport | null> {
  if (name !== 'tensorflow' && name !== 'tensorflow-gpu') return null;
  const gpu = name === 'tensorflow-gpu';
  const here = openedTensorFlow();
  if (here ? here.gpu === gpu : !gpu) return null;
  const no = (detail: string, help = advice[name]) => ({ name, usable: false, detail, advice: help });
  try {
    findTensorFlow(`@tensorflow/tfjs-node${gpu ? '-gpu' : ''}`);
  } catch (error) {
    return no(messageOf(error));
  }
  if (gpu && !hasGpuDriver()) return no('no NVIDIA driver was found');
  const { works, version, reason = 'it does not give a reason', remedy } = await probe({ gpu });
  if (!works) return no(reason, remedy);
  return { name, usable: true, detail: `TensorFlow ${version} on the ${gpu ? 'GPU' : 'CPU'}`, advice: advice[name] };
}

/** tfjs-node and tfjs-node-gpu have the same name. */
const tfjsName = (name: BackendName) => (name === 'tensorflow-gpu' ? 'tensorflow' : name);

const installed = new Map<BackendName, BackendInfo>();

function install(name: BackendName): BackendInfo {
  let info = installed.get(name);
  if (!info) {
    info = make(name);
    installed.set(name, info);
  }
  return info;
}

function make(name: BackendName): BackendInfo {
  switch (name) {
    case 'cpu':
      return { name, description: 'plain JavaScript' };
    case 'embedded':
      return embed(name, openBest());
    case 'embedded-wasm':
      return embed(name, openWasm());
    case 'tensorflow':
    case 'tensorflow-gpu':
      return tensorFlow(name);
  }
}

function openBest(): KernelLibrary {
  try {
    return openAddon();
  } catch (error) {
    if (process.env.DISTILLERY_ISA) throw error;
    return openWasm();
  }
}

function embed(name: BackendName, library: KernelLibrary): BackendInfo {
  installEmbedded(name, library);
  const { target, isa, threads } = library;
  const form = target === 'native' ? 'native kernels' : 'WebAssembly kernels';
  return { name, isa, threads, description: `${form}, ${isa}, ${threads} thread${threads === 1 ? '' : 's'}` };
}

function tensorFlow(name: BackendName): BackendInfo {
  const { version, gpu, threads } = openTensorFlow(name === 'tensorflow-gpu');
  installTensorFlowKernels();
  const place = gpu ? 'the GPU' : `the CPU, ${threads} thread${threads === 1 ? '' : 's'}`;
  return { name, threads: gpu ? undefined : threads, description: `TensorFlow ${version} on ${place}` };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message.split('\n')[0] : String(error));
