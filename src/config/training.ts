/** Settings of supervised and of GRPO training, shared by stages and baselines. Defaults: a pretrained student. */
import * as z from 'zod';
import { choice, flag, group, number, share, text, whole } from './fields';
import { presetDescriptions } from './presets';
import { rewardSchema } from './reward';

/** The policy's losses, by TRL's names. What each computes stands in `lossShape` (src/learning/grpo-pass.ts). */
export const losses = {
  grpo: "Mean over each completion's tokens, then over completions (DeepSeekMath, arXiv 2402.03300).",
  bnpo: 'Mean over the tokens of each micro-batch.',
  dr_grpo: 'Sum over tokens, divided by completions x maxNewTokens: no bias by length (arXiv 2503.20783).',
  dapo: 'Mean over all tokens of the update (arXiv 2503.14476).',
  gspo: 'One importance ratio for each completion (arXiv 2507.18071); wants much smaller clip ranges.',
  cispo:
    'Every token keeps its gradient, weighted by its ratio of at most 1 + clipHigh (MiniMax-M1, ' +
    "arXiv 2506.13585); mean over all tokens. clipHigh 4 is TRL's epsilon_high 5.",
  sapo:
    'A soft gate instead of clipping (arXiv 2511.20347); mean over ' +
    "each completion's tokens, then over completions.",
} as const;
export type LossType = keyof typeof losses;

/**
 * Peak learning rates where none is given: for a student trained whole, and for an adapter, which wants steps ten times
 * as large and more ("LoRA Without Regret", Schulman et al. 2025). Over the few dozen updates that small data sets get,
 * SmolLM2's adapter learned nothing at 5e-5 and answered 23 % of its problems after 24 updates at 3e-4.
 */
export const learningRates = {
  supervised: { whole: 1e-5, adapter: 3e-4 },
  grpo: { whole: 1e-6, adapter: 1e-5 },
};

const optimization = (updates: number, rates: { whole: number; adapter: number }) => ({
  updates: whole(
    'Weight updates to make. Budgets are counted in updates, so that the seed decides everything.',
  ).default(updates),
  learningRate: number(
    `Peak learning rate of AdamW; without it, ${rates.whole.toExponential()}, or ` +
      `${rates.adapter.toExponential()} for an adapter (student.lora).`,
    { min: 0, max: 1, example: rates.adapter },
  ).optional(),
  minLearningRate: share('Where a falling schedule ends, as a share of learningRate.').default(0),
  warmup: share('Share of the updates over which the learning rate rises from 0.').default(0.05),
  weightDecay: number('Decoupled weight decay of AdamW, for matrices only.', { min: 0, max: 1 }).default(0.01),
  dropout: number('Dropout rate inside the student while it trains.', { min: 0, below: 1 }).default(0),
  maxGradNorm: number('Gradients with a larger global norm are scaled down to it; 0 = never.', { min: 0 }).default(1),
  microBatchTokens: whole('Tokens that one forward pass holds.', { min: 1, example: 2048 })
    .or(z.enum(['auto'], { error: '"auto"' }))
    .describe(
      'Tokens that one forward pass holds; larger batches go through in ' +
        'parts, whose gradients add up to the same update. "auto": as many as ' +
        'keep the activations below about 1.5 GB, 8192 at most.',
    )
    .default('auto'),
  checkpointing: flag('Compute the layers again in the backward pass.')
    .or(z.enum(['auto'], { error: '"auto"' }))
    .describe(
      'Layers keep only their inputs for the backward pass and are computed again ' +
        'there: a third more time, far less memory, the same update. "auto": where ' +
        'even one longest sequence would not fit into 1.5 GB.',
    )
    .default('auto'),
  precision: choice('What the factors of matrix products are rounded to while it trains.', {
    float32: 'Nothing.',
    bfloat16:
      'Sums, weights and moments stay in float32. About 0.6x the time of a ' +
      'product where the processor multiplies in bfloat16 (AVX-512 BF16).',
  }).default('float32'),
  evaluateEvery: whole('Updates between two checks on the validation rows; without it, evaluation.every.', {
    min: 1,
    example: 50,
  }).optional(),
});

const schedule = () =>
  choice('How the learning rate goes on after the warm-up.', {
    constant: 'Stays at its peak.',
    linear: 'Falls in a straight line to minLearningRate.',
    cosine: 'Falls along half a cosine to minLearningRate.',
  });

/**
 * What a baseline of Stage 2 may have of its own: how it is optimised. Its samples and rewards are those of Stage 2.
 */
export const optimizationOfGrpo = () => {
  const { schedule, beta, tolerance } = grpo(0, 1);
  return { ...optimization(0, learningRates.grpo), schedule, beta, tolerance };
};

/** Cross-entropy on given completions: Stage 1, plain SFT, internalising. */
export const supervised = (updates: number) => ({
  ...optimization(updates, learningRates.supervised),
  schedule: schedule().default('linear'),
  batch: whole('Sequences in a batch.', { min: 1, max: 4096 }).default(32),
  accumulation: whole('Batches whose gradients are added up for one update.', { min: 1, max: 4096 }).default(1),
});

const sampling = () => ({
  temperature: number('Sampling temperature; 1 samples from the student as it is.', { above: 0, max: 10 }).default(1),
  topP: number('Keep the smallest set of likely tokens with this mass; 1 = all.', { above: 0, max: 1 }).default(1),
  topK: whole('Keep the k most likely tokens; 0 = all.').default(0),
  minP: share('Keep tokens with at least this share of the top probability; 0 = all.').default(0),
  precision: choice('What the weights are rounded to while completions are sampled; training stays in float32.', {
    float32: 'Nothing.',
    bfloat16:
      'Half the memory to read: large students answer faster. Ratios ' +
      'are against the log-probs of the unrounded weights.',
    int8: 'A quarter, with a scale for each row; log-probs differ more.',
  }).default('float32'),
});

const dynamicSampling = () => ({
  enabled: flag('Sample again for flat groups (DAPO, arXiv 2503.14476).').default(false),
  by: choice(
    'Which groups are flat: they teach nothing, are counted as flatGroups, and are sampled for again where that is on.',
    {
      reward: 'Those whose rewards are all equal.',
      correct:
        'Those that are all right or all wrong, too, as in DAPO: no reward for form or length keeps an ' +
        'all-wrong group alive, and none makes right answers shorter where there is no wrong one.',
    },
  ).default('reward'),
  maxRounds: whole('Rounds of sampling for one update at most.', { min: 1, max: 100 }).default(10),
});

const replay = () => ({
  own: whole("Sequences of the student's own right, short completions replayed in each update.").default(8),
  teacher: whole('Sequences of teacher chains replayed in each update.').default(4),
  weight: number('Weight of the cross-entropy on replayed sequences in the loss.', { min: 0 }).default(0.1),
});

/** Group-relative policy optimisation: Stage 2 and 3. */
export const grpo = (updates: number, maxNewTokens: number) => ({
  ...optimization(updates, learningRates.grpo),
  schedule: schedule().default('constant'),
  prompts: whole('Problems in each update.', { min: 1 }).default(16),
  group: whole('Completions sampled for each problem; advantages are relative to their group.', { min: 2 }).default(8),
  sampling: group('How completions are sampled.', sampling()).prefault({}),
  maxNewTokens: whole('Longest completion, in tokens; a longer one is cut off and counts as wrong.', {
    min: 1,
  }).default(maxNewTokens),
  reward: choice('A preset.', presetDescriptions)
    .or(
      text('Path of a *.reward.json file, relative to this file.').regex(/\.json$/, {
        error: 'the path of a .reward.json file',
        abort: true,
      }),
    )
    .or(rewardSchema())
    .describe(
      'What completions are rewarded for: a preset, the path of a *.reward.json file, or a reward config written here.',
    )
    .default('default'),
  loss: choice("The policy's loss, by TRL's names.", losses).default('dr_grpo'),
  scale: choice('What advantages are divided by.', {
    group: 'The standard deviation of the group.',
    batch: 'The standard deviation of all rewards of the update.',
    none: 'Nothing: reward differences keep their size (Dr. GRPO).',
  }).default('none'),
  clipLow: share('The importance ratio is clipped below 1 - clipLow (not by cispo and sapo).').default(0.2),
  clipHigh: number('The importance ratio is clipped above 1 + clipHigh (not by sapo).', { min: 0 }).default(0.28),
  sapoTemperature: group('How sharply the gate of the loss "sapo" closes; not used by the others.', {
    positive: number('Of tokens with a positive advantage.', { above: 0 }).default(1),
    negative: number('Of all others: sharper, as their gradients disturb more.', { above: 0 }).default(1.05),
  }).prefault({}),
  beta: number('Weight of the KL penalty against the student at the start of the stage; 0 = none.', { min: 0 }).default(
    0.02,
  ),
  kl: choice('KL estimator, x = reference log-prob - log-prob (Schulman 2020).', {
    k1: '-x: unbiased, high variance; its gradient averages to 0.',
    k2: 'x^2/2: low variance; its gradient is that of the reverse KL.',
    k3: 'exp(x) - x - 1: never negative; what GRPO and TRL use.',
    'k3+': 'Value of k3 with the gradient of k2.',
  }).default('k3'),
  policyWeight: number('Weight of the policy loss; 0 leaves the replay alone, as a control experiment.', {
    min: 0,
  }).default(1),
  tolerance: share(
    'Validation accuracies this close to the highest count as equal ' +
      'when the checkpoint is chosen: the shorter answers win.',
  ).default(0.01),
  iterations: whole('Passes over the same samples before new ones are drawn.', { min: 1 }).default(1),
  minibatches: whole('Optimizer steps in each pass.', { min: 1 }).default(1),
  tokenMeasures: flag(
    'Record the entropy at every token of a rollout and, where beta is above 0, the ' +
      "reference's log-probability: what the overlays Entropy, Reference and KL of the chain " +
      'diff show. Rollout files grow by a seventh for the one, by a third for the other.',
  ).default(true),
  maskTruncated: flag('Leave completions that were cut off out of the loss.').default(false),
  dynamicSampling: group('Sampling again instead of learning nothing from flat groups.', dynamicSampling()).prefault(
    {},
  ),
  replay: group('Supervised examples mixed into each update, against forgetting.', replay()).prefault({}),
});

const supervisedGroup = () => group('', supervised(0));
const grpoGroup = () => group('', grpo(0, 1));
/** What every supervised stage has; `evaluateEvery` is filled in when an experiment is resolved. */
export type SupervisedSettings = z.output<ReturnType<typeof supervisedGroup>>;
export type GrpoFileSettings = z.output<ReturnType<typeof grpoGroup>>;

/** Plain SFT with nothing said about it. */
export const supervisedDefaults = (): SupervisedSettings => group('', supervised(300)).parse({});
