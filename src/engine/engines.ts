/** All engines, and which of them an experiment's `backend` asks for. */
import type { Backend } from '../config/backends';
import type { MemoryModel } from '../engine-data/memory';
import { embedded } from './embedded/engine';
import type { EngineKind, EngineReport } from './kind';
import type { Engine } from './port';

/** A line for each. */
const engines: readonly EngineKind[] = [embedded];

function kindOf(backend: Backend): EngineKind {
  const kind = engines.find(({ backends }) => backends.includes(backend));
  if (!kind) throw new Error(`No engine is called ${backend}`); // the experiment's schema lets no other name through
  return kind;
}

/** Starts what `backend` asks for. Throws a UserError where it cannot be had here, with the reason and the remedy. */
export const startEngine = (backend: Backend): Promise<Engine> => kindOf(backend).start(backend);

/** How much memory work takes, as far as that is known before an engine is started. */
export const memoryOf = (backend: Backend): MemoryModel | null => kindOf(backend).memory(backend);

/** Every way to compute: whether it works here, why not, and how to get it. */
export async function reportEngines(options: { measure: boolean }): Promise<EngineReport[]> {
  const reports: EngineReport[] = [];
  for (const kind of engines) reports.push(...(await kind.reports(options)));
  return reports;
}
