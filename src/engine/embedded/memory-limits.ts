/** How much memory there is for a run: of the machine, of the container it is in, of the backend. */
import { existsSync, readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { MemoryLimits } from '../../engine-data/memory';
import type { BackendName } from '../../kernels/backends';
import { memoryLimit } from '../../kernels/native/limit';

/** Of a machine's memory, which other programs want, too (MemoryModel.budget). */
export const machineBudget = 1.5e9;

/** WebAssembly addresses 4 GiB. */
const webAssembly = 2 ** 32;

/** Null where the memory that counts is a graphics card's, which is not known here. */
export function memoryLimits(name: BackendName | 'auto', isa?: string): MemoryLimits | null {
  if (name === 'tensorflow-gpu') return null;
  const machine = machineMemory();
  const own = Math.min(
    memoryLimit(),
    isa === 'simd128' || name === 'embedded-wasm' ? webAssembly : Number.POSITIVE_INFINITY,
  );
  return { free: Math.min(machine.free, own), total: Math.min(machine.total, own) };
}

/** Of this machine, or of the control group (container, batch job) that this process is confined to. */
export function machineMemory(groups = controlGroups()): MemoryLimits {
  const limits = { free: freemem(), total: totalmem() };
  for (const folder of groups) {
    const most = read(folder, ['memory.max', 'memory.limit_in_bytes']);
    if (most === null || most >= limits.total) continue;
    const used = read(folder, ['memory.current', 'memory.usage_in_bytes']) ?? 0;
    limits.total = most;
    limits.free = Math.min(limits.free, Math.max(0, most - used + reclaimable(folder)));
  }
  return limits;
}

/**
 * The folders of this process's control group and of those around it (Linux; version 2, then version 1 of their
 * interface).
 */
function controlGroups(): string[] {
  const folders: string[] = [];
  try {
    for (const line of readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
      const [, controllers, path] = line.split(':');
      const root = controllers === '' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
      if (controllers !== '' && !controllers.split(',').includes('memory')) continue;
      for (let folder = join(root, path); folder.startsWith(root); folder = dirname(folder)) folders.push(folder);
    }
  } catch {
    // Not Linux, or not to be read: the machine's own figures stand.
  }
  return folders.filter((folder) => existsSync(folder));
}

/** A number in the first of these files that is there; null where it says `max`. */
function read(folder: string, names: string[]): number | null {
  for (const name of names) {
    try {
      const number = Number(readFileSync(join(folder, name), 'utf8'));
      return Number.isFinite(number) ? number : null;
    } catch {
      // The other version's name.
    }
  }
  return null;
}

/** File pages that the kernel gives up when memory is asked for. */
function reclaimable(folder: string): number {
  try {
    return Number(
      /^(?:total_)?inactive_file (\d+)$/m.exec(readFileSync(join(folder, 'memory.stat'), 'utf8'))?.[1] ?? 0,
    );
  } catch {
    return 0;
  }
}
