/** The memory available to a run: of the machine, its container, or the backend. */
import { existsSync, readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { MemoryLimits } from '../../engine-data/memory';
import type { BackendName } from '../../kernels/backends';
import { memoryLimit } from '../../kernels/native/limit';
import { isWasmIsa } from '../../kernels/native/wasm';

/** The usable share of a machine's memory, as other programs need some too (MemoryModel.budget). */
export const machineBudget = 1.5e9;

/** WebAssembly addresses at most 4 GiB. */
const webAssembly = 2 ** 32;

/** Null if the relevant memory is a graphics card's, which is unknown here. */
export function memoryLimits(name: BackendName | 'auto', isa?: string): MemoryLimits | null {
  if (name === 'tensorflow-gpu') return null;
  const machine = machineMemory();
  const addressed = isWasmIsa(isa) || name === 'embedded-wasm' ? webAssembly : Number.POSITIVE_INFINITY;
  const own = Math.min(memoryLimit(), addressed);
  return { free: Math.min(machine.free, own), total: Math.min(machine.total, own) };
}

/** Of this machine, or of the control group (container, batch job) that limits this process. */
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

/** The folders of this process's control group and its ancestors (Linux; versions 2 and 1 of the interface). */
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
    // Not Linux, or unreadable: the machine's own figures are used.
  }
  return folders.filter((folder) => existsSync(folder));
}

/** The number in the first of these files that exists; null where it says `max`. */
function read(folder: string, names: string[]): number | null {
  for (const name of names) {
    try {
      const number = Number(readFileSync(join(folder, name), 'utf8'));
      return Number.isFinite(number) ? number : null;
    } catch {
      // Try the other version's name.
    }
  }
  return null;
}

/** Page cache that the kernel frees on demand. */
function reclaimable(folder: string): number {
  try {
    return Number(
      /^(?:total_)?inactive_file (\d+)$/m.exec(readFileSync(join(folder, 'memory.stat'), 'utf8'))?.[1] ?? 0,
    );
  } catch {
    return 0;
  }
}
