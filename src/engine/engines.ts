/** All engines, and which of them an experiment's `backend` asks for. */
import type { Backend } from '../config/backends';
import type { MemoryModel } from '../engine-data/memory';
import { loadStudentConfig } from '../student-files/folder';
import { isAtHome, isEmbeddable } from './embedded/embeddable';
import { embedded } from './embedded/engine';
import { memoryModel } from './embedded/memory';
import type { EngineKind, EngineReport } from './kind';
import type { Engine } from './port';
import { hasEngine } from './process/installed';
import { torch } from './process/kind';
import { tinker } from './tinker/engine';

export { isEmbeddable } from './embedded/embeddable';

/** A line for each. */
const engines: readonly EngineKind[] = [embedded, torch, tinker];

function kindOf(backend: Backend): EngineKind {
  const kind = engines.find(({ backends }) => backends.includes(backend));
  if (!kind) throw new Error(`No engine is called ${backend}`); // the experiment's schema lets no other name through
  return kind;
}

/**
 * Starts what `backend` asks for. `auto` is the embedded engine, or PyTorch where that is set up and the embedded one
 * cannot compute the `student`. Throws a UserError where it cannot be had here, with the reason and the remedy.
 */
export async function startEngine(backend: Backend, student?: string): Promise<Engine> {
  const elsewhere = backend === 'auto' && student !== undefined && !isEmbeddable(student) && hasEngine();
  const name = elsewhere ? 'torch' : backend;
  return kindOf(name).start(name);
}

/**
 * Starts what a student is asked on whose run asked for `backend`: what PyTorch or a Tinker server trained is read by
 * the embedded engine, too, which starts at once, where it knows the family.
 */
export const startToAsk = (backend: Backend, student: string): Promise<Engine> =>
  startEngine(backend === 'torch' || (backend === 'tinker' && isAtHome(student)) ? 'auto' : backend, student);

/** How much memory work on a student takes on the embedded engine, as far as that is known before it is started. */
export const embeddedMemory = (student: string): MemoryModel => memoryModel(loadStudentConfig(student), 'auto');

/** Every way to compute: whether it works here, why not, and how to get it. */
export async function reportEngines(options: { measure: boolean }): Promise<EngineReport[]> {
  const reports: EngineReport[] = [];
  for (const kind of engines) reports.push(...(await kind.reports(options)));
  return reports;
}
