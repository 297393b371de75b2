/** Tests TensorFlow in a process of its own, so that a failing driver or library, or a crash, does no harm. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../paths';

export interface ProbeResult {
  works: boolean;
  version?: string;
  /** Why it does not work. */
  reason?: string;
  /** A remedy, if one is known. */
  remedy?: string;
}

/** Whether an NVIDIA driver is installed, which is cheap to check (WSL has /dev/dxg). */
export function hasGpuDriver(): boolean {
  if (process.platform === 'win32') return existsSync('C:\\Windows\\System32\\nvcuda.dll');
  return ['/dev/nvidiactl', '/proc/driver/nvidia/version', '/dev/dxg'].some((path) => existsSync(path));
}

/** Runs a product and a gradient on TensorFlow in a child process. Never throws, except when `signal` is aborted. */
export async function probe(
  options: { gpu: boolean; folder?: string },
  { timeout = 180_000, signal }: { timeout?: number; signal?: AbortSignal } = {},
): Promise<ProbeResult> {
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1', TF_CPP_MIN_LOG_LEVEL: '0', TF_CPP_MAX_VLOG_LEVEL: '0' };
  if (options.folder) Object.assign(env, { DISTILLERY_TENSORFLOW: options.folder });
  const script = join(packageRoot(), 'dist', 'tensorflow-probe.js');
  const child = spawn(process.execPath, [script, ...(options.gpu ? ['--gpu'] : [])], {
    env,
    signal,
    timeout,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    windowsHide: true,
  });
  let answer: ProbeResult = { works: false };
  child.once('message', (result) => {
    answer = result as ProbeResult;
  });
  let log = '';
  child.stderr?.on('data', (text) => {
    log = (log + text).slice(-100_000);
  });
  const end = await new Promise<{ code: number | null; why?: string }>((resolve) => {
    child.once('error', (error) => resolve({ code: null, why: error.message }));
    child.once('close', (code, killed) => resolve({ code, why: killed ? `it ended by ${killed}` : undefined }));
  });
  signal?.throwIfAborted();
  if (answer.works) return answer;
  const explanation = explain(log) ?? (options.gpu ? withoutGpu() : null);
  return {
    ...answer,
    ...explanation,
    works: false,
    reason: explanation?.reason ?? answer.reason ?? end.why ?? lastLine(log),
  };
}

/** A TensorFlow without CUDA does not report on GPUs. */
const withoutGpu = () => ({
  reason: hasGpuDriver() ? 'it computes on the CPU only' : 'no NVIDIA driver was found',
  remedy:
    'The package `tensorflow-cpu` has no CUDA: `pip install "tensorflow[and-cuda]"`. ' +
    'Does `nvidia-smi` show the card? In a container it must be passed in (`--gpus all`).',
});

const lastLine = (log: string) => log.trim().split('\n').pop() || 'it says nothing';

/** Explains messages of TensorFlow and the loader; null if they are unknown. */
export function explain(log: string): { reason: string; remedy: string } | null {
  const missing = [
    ...log.matchAll(/(?:dlopen|load dynamic library|find|open) '?(lib(?:cu|nv|nccl)[\w.-]*\.so[\w.]*)/g),
  ].map(([, name]) => name);
  if (missing.length > 0 || /Cannot dlopen some GPU libraries/.test(log))
    return {
      reason: `CUDA libraries are missing${missing.length > 0 ? `: ${[...new Set(missing)].join(', ')}` : ''}`,
      remedy:
        'Install them with TensorFlow: `pip install "tensorflow[and-cuda]"`, ' +
        'then `distillery backend install --gpu --from <that python>`.',
    };
  if (
    /driver version is insufficient|SYSTEM_DRIVER_MISMATCH|version of the NVIDIA (?:display )?driver|does not match DSO version|kernel version .* does not match/i.test(
      log,
    )
  )
    return {
      reason: "the NVIDIA driver is too old for this TensorFlow's CUDA",
      remedy: 'TensorFlow 2.18 to 2.21 need CUDA 12.5 and a driver of version 525 or later: update the driver.',
    };
  if (
    /Could not find cuda drivers|CUDA_ERROR_NO_DEVICE|no CUDA-capable device|libcuda reported version is: Invalid/i.test(
      log,
    )
  )
    return {
      reason: 'no NVIDIA driver or no card was found',
      remedy: 'Check `nvidia-smi`; in a container, the GPU must be passed in (`--gpus all`).',
    };
  const [, library] =
    /(?:error while loading shared libraries: |^|\s)(lib[\w.-]+\.so[\w.]*): cannot open shared object file/m.exec(
      log,
    ) ?? [];
  if (library)
    return {
      reason: `${library} is missing`,
      remedy: 'Was TensorFlow moved? Run `distillery backend repair`.',
    };
  if (/version `(GLIBC|GLIBCXX|CXXABI)[\w.]*' not found/.test(log))
    return {
      reason: 'this TensorFlow is built for a newer system (libc or libstdc++)',
      remedy: 'Use an older TensorFlow, or a newer system.',
    };
  return null;
}
