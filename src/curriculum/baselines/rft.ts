import type { CompleteSettings, SftSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import { newestCheckpoint } from '../checkpoints';
import { keepSoundCompletions } from '../complete';
import type { Context } from '../context';
import { measureGroups, rolloutRecords, sampleGroups } from '../groups';
import { rowsOfUpdate } from '../order';
import { OwnSamples } from '../replay';
import { trainSupervised } from '../supervised-phase';
import { train } from '../training';

const stage = 'rft';

/**
 * Rejection sampling fine-tuning (Yuan et al. 2023, arXiv 2308.01825), one round: the base student answers the problems
 * of Stage 2 from the plain question, with as many samples and at the same temperature. Then it is trained on its
 * shortest right completion of each.
 */
export async function rft(context: Context, student: Student, settings: SftSettings): Promise<string | null> {
  const { train: lessons, experiment, notify } = context;
  const sampling = experiment.stages.complete;
  if (!sampling) throw new Error('baselines.rft without stages.complete'); // the config check finds this error first
  const own = new OwnSamples();
  const state = {
    save: () => own.toJSON(),
    restore: (saved: unknown) => own.restore(saved as ReturnType<OwnSamples['toJSON']>),
  };
  const newest = newestCheckpoint(context);
  if (newest?.entry.stage === stage && newest.state.phase === stage) state.restore(newest.state.extra);
  else await drawSamples(context, student, sampling, { own, state });

  const rows = own.rows();
  notify({ type: 'note', level: 'info', text: `${rows.length} of ${lessons.length} problems have a right sample` });
  if (rows.length === 0) return null;
  return trainSupervised(context, student, {
    stage,
    phase: stage,
    firstStep: sampling.updates + 1, // the step between is the student as it comes to this phase
    settings,
    rows: rows.length,
    example: (i) => ({ prompt: lessons[rows[i]].prompt, completion: own.get(rows[i])! }),
    state,
  });
}

/** Rounds of sampling as updates that change no weights, so that they are recorded, stopped and resumed like others. */
async function drawSamples(
  context: Context,
  student: Student,
  sampling: CompleteSettings,
  { own, state }: { own: OwnSamples; state: { save(): unknown; restore(saved: unknown): void } },
): Promise<void> {
  const { train: lessons, experiment } = context;
  await train(context, student, {
    stage,
    phase: 'sample',
    updates: sampling.updates,
    firstStep: 0,
    settings: { ...sampling, learningRate: 0 },
    tolerance: null,
    async update(update) {
      const prompts = rowsOfUpdate(lessons.length, update, {
        count: sampling.prompts,
        seed: experiment.seed,
        salt: 'complete',
      }).map((row) => ({ row, prompt: lessons[row].prompt }));
      const { groups, generatedTokens } = await sampleGroups(context, student, {
        prompts,
        settings: sampling,
        stream: ['rft', update],
      });
      for (const group of groups) keepSoundCompletions(own, group);
      const rollouts = rolloutRecords(context, groups, null);
      return { metrics: measureGroups(groups), tokens: generatedTokens, rollouts };
    },
    state,
  });
}
