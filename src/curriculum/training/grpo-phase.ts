import type { GrpoSettings } from '../../config/experiment';
import type { Snapshot, Student } from '../../engine/port';
import type { Example } from '../../engine-data/examples';
import { bits } from '../../random';
import type { StageName } from '../../stages';
import { checkpointFolder } from '../checkpoints/checkpoints';
import type { Context, UpdateResult } from '../context';
import {
  episodes,
  type GroupPrompt,
  hasEqualRewards,
  measureGroups,
  rolloutRecords,
  type ScoredGroup,
  sampleGroups,
} from './groups';
import { memorySettings } from './memory';
import { type PhaseState, train } from './training';

/** A phase of GRPO. Stage 2 and the rewriting of Stage 3 differ only in prompts and rewards. */
export interface GrpoPhase {
  stage: StageName;
  phase: string;
  settings: GrpoSettings;
  /** See TrainingPhase (default: that of the settings). */
  tolerance?: number | null;
  /**
   * Checkpoint of the reference policy (the student at the start of the stage); null means the student as it is loaded
   * now.
   */
  reference: string | null;
  /** Prompts of draw `draw` of an update (dynamic sampling makes further draws). */
  prompts(update: number, draw: number): GroupPrompt[];
  /** Called with every scored group, to collect completions worth keeping. */
  keep?(group: ScoredGroup): void;
  replay(update: number): Example[];
  state?: PhaseState;
}

export async function trainGrpo(context: Context, student: Student, phase: GrpoPhase): Promise<string> {
  const { beta, updates } = phase.settings;
  const chosen = phase.reference === null ? undefined : checkpointFolder(context, phase.reference);
  const reference = beta > 0 ? await student.snapshot(chosen) : null;
  try {
    return await train(context, student, {
      tolerance: phase.settings.tolerance,
      ...phase,
      firstStep: 0,
      updates,
      update: (update, learningRate) => grpoUpdate({ context, student, phase, reference }, update, learningRate),
    });
  } finally {
    await reference?.discard();
  }
}

interface GrpoLearning {
  context: Context;
  student: Student;
  phase: GrpoPhase;
  /** The reference policy; null without a KL term. */
  reference: Snapshot | null;
}

/** One update: samples groups, trains on them, records both. */
async function grpoUpdate(learning: GrpoLearning, update: number, learningRate: number): Promise<UpdateResult> {
  const { context, student, phase, reference } = learning;
  const { settings, stage } = phase;
  const { seed, adam } = context.experiment;
  const { groups, drawn, generatedTokens } = await draw(context, student, phase, update);
  for (const group of drawn) phase.keep?.(group);
  const step = await student.grpoStep(
    {
      episodes: episodes(groups, settings.maskTruncated),
      replay: phase.replay(update),
      reference,
      learningRate,
      seed: bits(seed, `${stage}/${phase.phase}`, update) >>> 1,
    },
    {
      ...settings,
      ...memorySettings(settings),
      adam,
      temperature: settings.sampling.temperature,
      samplingPrecision: settings.sampling.precision,
      replayWeight: settings.replay.weight,
      signal: context.signal,
    },
  );
  const { perToken, tokens, ratio: _, ...measures } = step;
  const measured = measureGroups(drawn, settings.dynamicSampling.by);
  return {
    metrics: { ...measures, ...measured },
    tokens: tokens + generatedTokens,
    rollouts: rolloutRecords(context, groups, settings.tokenMeasures ? perToken : null),
  };
}

/**
 * The groups of an update. Flat ones have zero advantages by either criterion. Dynamic sampling replaces them by
 * further draws until the update is full or the last round is over.
 */
async function draw(context: Context, student: Student, phase: GrpoPhase, update: number) {
  const { settings, stage } = phase;
  const { dynamicSampling, prompts } = settings;
  const drawn: ScoredGroup[] = [];
  let generatedTokens = 0;
  const flat = (group: ScoredGroup) => hasEqualRewards(group, dynamicSampling.by);
  const rounds = dynamicSampling.enabled ? dynamicSampling.maxRounds : 1;
  for (let round = 0; round < rounds; round++) {
    const stream = [`${stage}/${phase.phase}`, update, round];
    const sampled = await sampleGroups(context, student, {
      prompts: phase.prompts(update, round),
      settings,
      stream,
    });
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
