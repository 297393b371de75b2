import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../paths';
import type { KernelCall, KernelLibrary } from './library';
import { BufferPool } from './pool';

interface Addon {
  /** What this processor can run, best first. */
  isas: string[];
  open(isa: string, threads: number): { isa: string; threads: number; kernels: KernelCall };
}

/** More threads than that gain little on the matrices of a small student. */
const mostThreads = 16;

/** Threads for the kernels: DISTILLERY_THREADS, else one a core, 16 at most. */
export function threadCount(): number {
  const wanted = Number(process.env.DISTILLERY_THREADS);
  return wanted >= 1 ? Math.floor(wanted) : Math.min(availableParallelism(), mostThreads);
}

/** Where scripts/build-addon.mjs puts the addon for this platform. */
export function addonFile(): string {
  return join(packageRoot(), 'kernels', 'build', `${process.platform}-${process.arch}`, 'distillery.node');
}

/**
 * Instruction sets that the addon has and this processor runs, best first. @throws where there is no addon that loads.
 */
export function nativeIsas(): string[] {
  return requireAddon().isas;
}

/**
 * The native kernels. Instruction set: as asked, else DISTILLERY_ISA, else the best this processor has.
 * @throws Error where the addon is not built, does not load, or lacks the instruction set; the message says what to do.
 */
export function openAddon(choice: { isa?: string; threads?: number } = {}): KernelLibrary {
  const addon = requireAddon();
  const isa = choice.isa ?? (process.env.DISTILLERY_ISA || addon.isas[0]);
  if (!addon.isas.includes(isa)) {
    throw new Error(`This processor cannot run ${isa}; it runs ${addon.isas.join(', ')} (DISTILLERY_ISA)`);
  }
  return { target: 'native', ...addon.open(isa, choice.threads ?? threadCount()), memory: new BufferPool() };
}

function requireAddon(): Addon {
  const file = addonFile();
  if (!existsSync(file)) throw new Error(`${file} is not built: run \`npm run build\` where a C compiler is`);
  if (isOlderThanItsSource(file)) throw new Error(`${file} is older than its source: run \`npm run build\``);
  return createRequire(file)(file) as Addon;
}

/**
 * Then calls and kernels may disagree on what an argument is, and numbers are wrong without a word. A package has no
 * sources.
 */
function isOlderThanItsSource(file: string): boolean {
  const folder = join(packageRoot(), 'kernels');
  const built = statSync(file).mtimeMs;
  return readdirSync(folder).some((name) => /\.[ch]$/.test(name) && statSync(join(folder, name)).mtimeMs > built);
}
