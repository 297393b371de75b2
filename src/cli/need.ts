/** What a run of an experiment needs, told before it begins. */
import type { Experiment } from '../config/experiment';
import { durationText, type Workload } from '../curriculum/duration';
import { checkMemory, type Lengths, settleMemory } from '../curriculum/memory';
import { memoryLimits } from '../curriculum/memory-limits';
import { UserError } from '../errors';
import { useBackend } from '../kernels/backends';
import { multiplicationSpeed } from '../kernels/speed';
import { loadStudentConfig } from '../student-files/folder';
import { pc } from './terminal';

interface Need {
  level: 'info' | 'warning';
  text: string;
}

/** Memory, and roughly the time; what makes a run refuse is a warning here. */
export async function needsOf(experiment: Experiment, lengths: Lengths, work: Workload): Promise<Need[]> {
  const config = loadStudentConfig(experiment.student.path);
  const settled = settleMemory(experiment, config, lengths);
  const needs: Need[] = [];
  try {
    const { name, isa } = await useBackend(experiment.backend);
    needs.push(checkMemory(settled, config, lengths, memoryLimits(name, isa)));
    if (name !== 'tensorflow-gpu')
      needs.push({ level: 'info', text: durationText(settled, config, work, multiplicationSpeed()) });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    needs.push({ level: 'warning', text: error.toString() });
  }
  return needs;
}

export const needsText = (needs: readonly Need[]) =>
  needs.map(({ level, text }) => (level === 'warning' ? pc.yellow(text) : pc.dim(text)));
