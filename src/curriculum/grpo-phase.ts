import type { GrpoSettings } from '../config/experiment';
import type { Example } from '../engine-data/examples';
import { grpoStep } from '../learning/grpo';
import { addsNothing } from '../model/lora';
import { copyModel, disposeModel, type Model, shareFrozen } from '../model/transformer';
import { bits } from '../random';
import type { StageName } from '../stages';
import { checkpointFolder, loadWeights } from './checkpoints';
import type { Context } from './context';
import {
  episodes,
  type GroupPrompt,
  isFlat,
  measureGroups,
  rolloutRecords,
  type ScoredGroup,
  sampleGroups,
} from './groups';
import { memorySettings } from './memory';
import { train } from './training';

/** A phase of GRPO: Stage 2 and the rewriting of Stage 3 are this with different prompts and rewards. */
export interface GrpoPhase {
  stage: StageName;
  phase: string;
  settings: GrpoSettings;
  tolerance: number | null;
  /** The reference policy's checkpoint (the student at the start of the stage); null = the student itself as loaded now. */
  reference: string | null;
  /** 0 leaves only the replay: a control. */
  policyWeight: number;
  /** Prompts of draw `draw` of an update (draws after the first come with dynamic sampling). */
  prompts(update: number, draw: number): GroupPrompt[];
  /** Sees every scored group, to collect what is worth keeping. */
  keep?(group: ScoredGroup): void;
  replay(update: number): Example[];
  state?: { save(): unknown; restore(saved: unknown): void };
}

export async function trainGrpo(context: Context, model: Model, phase: GrpoPhase): Promise<string> {
  const { settings, stage } = phase;
  const { seed, adam } = context.experiment;
  const salt = `${stage}/${phase.phase}`;
  const reference = settings.beta > 0 ? referencePolicy(context, model, phase.reference) : null;
  try {
    return await train(context, model, {
      ...phase,
      firstStep: 0,
      updates: settings.updates,
      async update(student, optimizer, update, learningRate) {
        const { groups, drawn, generatedTokens } = await draw(context, student, phase, update);
        for (const group of drawn) phase.keep?.(group);
        const step = await grpoStep(
          student,
          optimizer,
          {
            episodes: episodes(groups, settings.maskTruncated),
            replay: phase.replay(update),
            reference,
            learningRate,
            seed: bits(seed, salt, update) >>> 1,
          },
          {
            ...settings,
            ...memorySettings(settings),
            adam,
            temperature: settings.sampling.temperature,
            samplingPrecision: settings.sampling.precision,
            policyWeight: phase.policyWeight,
            replayWeight: settings.replay.weight,
            signal: context.signal,
          },
        );
        const { perToken, tokens, ratio: _, ...measures } = step;
        const recorded = rolloutRecords(context, groups, settings.tokenMeasures ? perToken : null);
        context.run.rollouts(stage, update + 1, recorded);
        const measured = measureGroups(drawn, settings.dynamicSampling.by);
        return { metrics: { ...measures, ...measured }, tokens: tokens + generatedTokens };
      },
    });
  } finally {
    if (reference) disposeModel(reference);
  }
}

/** The student at the start of the stage. Frozen weights are the student's own: beside an adapter, at most a second adapter is kept. */
function referencePolicy(context: Context, model: Model, checkpoint: string | null): Model {
  if (!checkpoint && model.adapter && addsNothing(model.adapter)) return shareFrozen(model);
  const reference = copyModel(model);
  if (checkpoint) loadWeights(reference, checkpointFolder(context, checkpoint));
  return reference;
}

/**
 * The groups of an update. Flat ones have no advantages, whatever makes them flat. With dynamic sampling they are replaced by further draws
 * until the update is full, or the last round is over.
 */
async function draw(context: Context, model: Model, phase: GrpoPhase, update: number) {
  const { settings, stage } = phase;
  const { dynamicSampling, prompts } = settings;
  const drawn: ScoredGroup[] = [];
  let generatedTokens = 0;
  const flat = (group: ScoredGroup) => isFlat(group, dynamicSampling.by);
  const rounds = dynamicSampling.enabled ? dynamicSampling.maxRounds : 1;
  for (let round = 0; round < rounds; round++) {
    const stream = [`${stage}/${phase.phase}`, update, round];
    const sampled = await sampleGroups(context, model, phase.prompts(update, round), settings, stream);
    drawn.push(...sampled.groups.map((group) => (flat(group) ? withoutAdvantage(group) : group)));
    generatedTokens += sampled.generatedTokens;
    if (drawn.filter((group) => !flat(group)).length >= prompts) break;
  }
  if (!dynamicSampling.enabled) return { groups: drawn, drawn, generatedTokens };
  const lively = drawn.filter((group) => !flat(group));
  return { groups: [...lively, ...drawn.filter(flat)].slice(0, prompts), drawn, generatedTokens };
}

function withoutAdvantage(group: ScoredGroup): ScoredGroup {
  return { ...group, samples: group.samples.map((one) => ({ ...one, advantage: 0 })) };
}
