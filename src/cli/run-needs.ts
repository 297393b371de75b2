/** Reports the needs of an experiment's run before it starts. */
import type { Experiment } from '../config/experiment';
import { durationText, secondsFor, type Workload } from '../curriculum/duration';
import { type Lengths, type Need, withMemory } from '../curriculum/memory';
import { startEngine } from '../engine/engines';
import { UserError } from '../errors';
import { loadStudentConfig } from '../student-files/folder';
import { pc } from './terminal';

/** Memory and approximate time. What makes a run refuse is only a warning here. */
export async function needsOf(experiment: Experiment, lengths: Lengths, work: Workload): Promise<Need[]> {
  const needs: Need[] = [];
  try {
    const engine = await startEngine(experiment.backend, experiment.student.path);
    try {
      const { path, lora } = experiment.student;
      const model = await engine.memory(path, lora || null);
      const { experiment: settled, need } = withMemory(experiment, lengths, model);
      if (need) needs.push(need);
      const speed = await engine.speed();
      const config = () => loadStudentConfig(experiment.student.path);
      if (speed !== null) needs.push({ level: 'info', text: durationText(settled, config(), work, speed) });
    } finally {
      await engine.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    needs.push({ level: 'warning', text: error.toString() });
  }
  return needs;
}

/** Operations per second on this machine, by the engine of a new experiment; null where none says how fast it is. */
export async function speedFor(student: string): Promise<number | null> {
  try {
    return await measuredSpeed('auto', student);
  } catch (error) {
    if (error instanceof UserError) return null; // `needsOf` reports it
    throw error;
  }
}

/** Seconds that each takes on this machine, roughly; null where no engine says how fast it is. */
export async function secondsOf(planned: readonly { experiment: Experiment; work: Workload }[]) {
  const [{ experiment }] = planned;
  const speed = await measuredSpeed(experiment.backend, experiment.student.path);
  return planned.map(({ experiment: one, work }) =>
    speed === null ? null : secondsFor(one, loadStudentConfig(one.student.path), work, speed),
  );
}

async function measuredSpeed(backend: Experiment['backend'], student: string): Promise<number | null> {
  const engine = await startEngine(backend, student);
  try {
    return await engine.speed();
  } finally {
    await engine.close();
  }
}

export const needsText = (needs: readonly Need[]) =>
  needs.map(({ level, text }) => (level === 'warning' ? pc.yellow(text) : pc.dim(text)));
