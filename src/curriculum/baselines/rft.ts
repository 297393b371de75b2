import type { CompleteSettings, SftSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import { newestCheckpoint } from '../checkpoints/checkpoints';
import { type Context, note } from '../context';
import { keepSoundCompletions, plainPrompts } from '../stages/complete';
import { OwnSamples } from '../stages/replay';
import { measureGroups, rolloutRecords, sampleGroups } from '../training/groups';
import { trainSupervised } from '../training/supervised-phase';
import { train } from '../training/training';

const stage = 'rft';

/**
 * Rejection sampling fine-tuning (Yuan et al. 2023, arXiv 2308.01825), one round: the base student answers the problems
 * of Stage 2 from the plain question, with as many samples and at the same temperature. Then it is trained on its
 * shortest right completion of each.
 */
export async function rft(context: Context, student: Student, settings: SftSettings): Promise<string | null> {
  const { train: lessons, experiment } = context;
  const sampling = experiment.stages.complete;
  if (!sampling) throw new Error('baselines.rft without stages.complete'); // the config check finds this error first
  const own = new OwnSamples();
  const newest = newestCheckpoint(context);
  if (newest?.entry.stage === stage && newest.state.phase === stage)
    own.restore(newest.state.extra as ReturnType<OwnSamples['save']>);
  else await drawSamples(context, student, sampling, own);

  const rows = own.rows();
  note(context.notify, `${rows.length} of ${lessons.length} problems have a right sample`);
  if (rows.length === 0) return null;
  return trainSupervised(context, student, {
    stage,
    phase: stage,
    firstStep: sampling.updates + 1, // the step between is the student as it comes to this phase
    settings,
    rows: rows.length,
    example: (i) => ({ prompt: lessons[rows[i]].prompt, completion: own.get(rows[i])! }),
    state: own,
  });
}

/** Rounds of sampling as updates that change no weights, so that they are recorded, stopped and resumed like others. */
async function drawSamples(
  context: Context,
  student: Student,
  sampling: CompleteSettings,
  own: OwnSamples,
): Promise<void> {
  await train(context, student, {
    stage,
    phase: 'sample',
    updates: sampling.updates,
    firstStep: 0,
    settings: { ...sampling, learningRate: 0 },
    tolerance: null,
    async update(update) {
      const { groups, generatedTokens } = await sampleGroups(context, student, {
        prompts: plainPrompts(context, sampling, update, 0),
        settings: sampling,
        stream: ['rft', update],
      });
      for (const group of groups) keepSoundCompletions(own, group);
      const rollouts = rolloutRecords(context, groups, null);
      return { metrics: measureGroups(groups), tokens: generatedTokens, rollouts };
    },
    state: own,
  });
}
