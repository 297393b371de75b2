import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../paths';
import { type AnyKernel, flatArguments, type KernelLibrary } from './library';
import { BufferPool } from './pool';

interface Addon {
  /** The instruction sets that this processor supports, best first. */
  isas: string[];
  open(isa: string, threads: number): { isa: string; threads: number; kernels: Record<string, AnyKernel> };
}

/** More threads gain little on the matrices of a small student. */
const mostThreads = 16;

/** Threads for the kernels: DISTILLERY_THREADS, else one per core, at most 16. */
export function threadCount(): number {
  const wanted = Number(process.env.DISTILLERY_THREADS);
  return wanted >= 1 ? Math.floor(wanted) : Math.min(availableParallelism(), mostThreads);
}

/** Where scripts/build-addon.mjs puts the addon for this platform. */
export function addonFile(): string {
  return join(packageRoot(), 'kernels', 'build', `${process.platform}-${process.arch}`, 'distillery.node');
}

/** Instruction sets of the addon that this processor supports, best first. @throws Error when no addon can be loaded */
export function nativeIsas(): string[] {
  return requireAddon().isas;
}

/**
 * The native kernels. Instruction set: the given one, else DISTILLERY_ISA, else the best supported one.
 * @throws Error when the addon is not built, cannot be loaded, or lacks the instruction set; the message names the
 * remedy
 */
export function openAddon(choice: { isa?: string; threads?: number } = {}): KernelLibrary {
  const addon = requireAddon();
  const isa = choice.isa ?? (process.env.DISTILLERY_ISA || addon.isas[0]);
  if (!addon.isas.includes(isa)) {
    throw new Error(`This processor does not support ${isa}; it supports ${addon.isas.join(', ')} (DISTILLERY_ISA)`);
  }
  const { kernels, ...opened } = addon.open(isa, choice.threads ?? threadCount());
  const calls = Object.entries(kernels).map(([name, kernel]) => [
    name,
    (...args: unknown[]) => kernel(...flatArguments(args)),
  ]);
  return { target: 'native', ...opened, kernels: Object.fromEntries(calls), memory: new BufferPool() };
}

function requireAddon(): Addon {
  const file = addonFile();
  if (!existsSync(file)) throw new Error(`${file} is not built: run \`npm run build\` where a C compiler is`);
  if (isOlderThanItsSource(file)) throw new Error(`${file} is older than its source: run \`npm run build\``);
  return createRequire(file)(file) as Addon;
}

/** An old addon may expect other arguments and silently compute wrong numbers. A package contains no sources. */
function isOlderThanItsSource(file: string): boolean {
  const folder = join(packageRoot(), 'kernels');
  const built = statSync(file).mtimeMs;
  return readdirSync(folder).some((name) => /\.[ch]$/.test(name) && statSync(join(folder, name)).mtimeMs > built);
}
