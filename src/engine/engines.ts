/** All engines, and the choice among them by an experiment's `backend`. */
import type { Backend } from '../config/backends';
import { autoLoraParameters } from '../config/lora';
import type { MemoryModel } from '../engine-data/memory';
import { loadStudentConfig } from '../student-files/folder';
import { ggufAt } from '../student-files/gguf/student';
import { parameterCount } from '../student-files/parameters';
import { isAvailableHere, isEmbeddable } from './embedded/embeddable';
import { embedded } from './embedded/engine';
import { memoryModel } from './embedded/memory';
import type { EngineKind, EngineReport } from './kind';
import type { Engine } from './port';
import { hasEngine, hasGpuEngine } from './process/installed';
import { torch } from './process/kind';
import { tinker } from './tinker/engine';

export { isEmbeddable } from './embedded/embeddable';

/** One line per engine. */
const engines: readonly EngineKind[] = [embedded, torch, tinker];

function kindOf(backend: Backend): EngineKind {
  const kind = engines.find(({ backends }) => backends.includes(backend));
  if (!kind) throw new Error(`No engine is called ${backend}`); // the experiment's schema allows no other name
  return kind;
}

/**
 * Starts the engine for `backend`. `auto` is the embedded engine, or PyTorch if that is set up and suits the `student`
 * better. @throws UserError when it is not available here, with the reason and the remedy
 */
export async function startEngine(backend: Backend, student?: string): Promise<Engine> {
  const elsewhere = backend === 'auto' && student !== undefined && whyTorch(student) !== null;
  const name = elsewhere ? 'torch' : backend;
  return kindOf(name).start(name);
}

/** Why `auto` chooses PyTorch for this student; null if it does not. */
export function whyTorch(student: string): string | null {
  if (!hasEngine()) return null;
  if (!isEmbeddable(student)) return "the embedded engine does not support the student's family";
  // The PyTorch engine reads no GGUF files, and small students do not keep a GPU busy.
  if (!hasGpuEngine() || ggufAt(student) !== null) return null;
  const large = parameterCount(loadStudentConfig(student)) >= autoLoraParameters;
  return large ? 'PyTorch is set up for a GPU, and the student is large' : null;
}

/**
 * Starts an engine for inference with a student whose run used `backend`. If the embedded engine supports the family,
 * it is used, because it starts at once, also for students of PyTorch or a Tinker server.
 */
export const startForInference = (backend: Backend, student: string): Promise<Engine> =>
  startEngine(backend === 'torch' || (backend === 'tinker' && isAvailableHere(student)) ? 'auto' : backend, student);

/** Memory of work on a student with the embedded engine, as far as it is known before the start. */
export const embeddedMemory = (student: string): MemoryModel => memoryModel(loadStudentConfig(student), 'auto');

/** Every backend: whether it works here, why not, and how to get it. */
export async function reportEngines(options: { measure: boolean }): Promise<EngineReport[]> {
  const reports: EngineReport[] = [];
  for (const kind of engines) reports.push(...(await kind.reports(options)));
  return reports;
}
