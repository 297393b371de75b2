/** Reports the needs of an experiment's run before it starts. */
import type { Experiment } from '../../config/experiment';
import { durationText, secondsFor, type Workload } from '../../curriculum/duration';
import { type Lengths, type Need, withMemory } from '../../curriculum/training/memory';
import { startEngine } from '../../engine/engines';
import type { MemoryModel } from '../../engine-data/memory';
import { UserError } from '../../errors';
import { loadStudentConfig } from '../../student-files/folder';
import { pc } from '../terminal/terminal';

/** What an engine reports about a student before a run. */
export interface EngineFacts {
  /** Null where it has none. */
  model: MemoryModel | null;
  /** Operations per second on this machine; null where the engine does not report it. */
  speed: number | null;
  /** Why no engine works here, or none with this student. */
  fault?: UserError;
}

type OnEngine = Pick<Experiment, 'backend'> & { student: Pick<Experiment['student'], 'path' | 'lora'> };

/** Starts the engine of an experiment once, and collects all facts about the student. */
export async function engineFacts({ backend, student: { path, lora } }: OnEngine): Promise<EngineFacts> {
  const facts: EngineFacts = { model: null, speed: null };
  try {
    const engine = await startEngine(backend, path);
    try {
      facts.speed = await engine.speed();
      facts.model = await engine.memory(path, lora || null);
    } finally {
      await engine.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    facts.fault = error;
  }
  return facts;
}

/** Memory and approximate time. Reasons for which a run would be refused are only warnings here. */
export function needsOf(
  experiment: Experiment,
  { model, speed, fault }: EngineFacts,
  lengths: Lengths,
  work: Workload,
): Need[] {
  try {
    if (fault) throw fault;
    const { experiment: settled, need } = withMemory(experiment, lengths, model);
    const needs = need ? [need] : [];
    if (speed === null) return needs;
    const config = loadStudentConfig(experiment.student.path);
    return [...needs, { level: 'info', text: durationText(settled, config, work, speed) }];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ level: 'warning', text: error.toString() }];
  }
}

/** Estimated seconds of each on this machine; null where no engine reports its speed. */
export async function secondsOf(planned: readonly { experiment: Experiment; work: Workload }[]) {
  const [{ experiment }] = planned;
  const { backend, student } = experiment;
  const engine = await startEngine(backend, student.path);
  const speed = await engine.speed().finally(() => engine.close());
  return planned.map(({ experiment: one, work }) =>
    speed === null ? null : secondsFor(one, loadStudentConfig(one.student.path), work, speed),
  );
}

export const needsText = (needs: readonly Need[]) =>
  needs.map(({ level, text }) => (level === 'warning' ? pc.yellow(text) : pc.dim(text)));
