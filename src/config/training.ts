/** Settings of supervised and GRPO training, shared by stages and baselines. Defaults suit a pretrained student. */
import * as z from 'zod';
import { choice, flag, group, number, share, text, whole } from '../fields';
import { losses } from '../losses';
import { estimators } from '../losses/kl';
import { presetDescriptions } from './presets';
import { rewardSchema } from './reward';

/** The names of a table with what each is. */
const aboutOf = <N extends string>(table: Readonly<Record<N, { about: string }>>) =>
  Object.fromEntries(Object.entries<{ about: string }>(table).map(([name, { about }]) => [name, about])) as Record<
    N,
    string
  >;

/**
 * Default peak learning rates: for full training, and for an adapter, which needs steps at least ten times as large
 * ("LoRA Without Regret", Schulman et al. 2025). In the few dozen updates that small datasets get, SmolLM2's adapter
 * learned nothing at 5e-5 and answered 23 % of its problems after 24 updates at 3e-4.
 */
export const learningRates = {
  supervised: { whole: 1e-5, adapter: 3e-4 },
  grpo: { whole: 1e-6, adapter: 1e-5 },
};

const optimization = (updates: number, rates: { whole: number; adapter: number }) => ({
  updates: whole(
    'Number of weight updates. Budgets are counted in updates, so that the seed decides everything.',
  ).default(updates),
  learningRate: number(
    `Peak learning rate of AdamW; the default is ${rates.whole.toExponential()}, or ` +
      `${rates.adapter.toExponential()} for an adapter (student.lora).`,
    { min: 0, max: 1, example: rates.adapter },
  ).optional(),
  minLearningRate: share('Final learning rate of a falling schedule, as a share of learningRate.').default(0),
  warmup: share('Share of the updates over which the learning rate rises from 0.').default(0.05),
  weightDecay: number('Decoupled weight decay of AdamW, for matrices only.', { min: 0, max: 1 }).default(0.01),
  dropout: number('Dropout rate inside the student during training.', { min: 0, below: 1 }).default(0),
  maxGradNorm: number('Gradients with a larger global norm are scaled down to it; 0 = never.', { min: 0 }).default(1),
  microBatchTokens: whole('Tokens per forward pass.', { min: 1, example: 2048 })
    .or(z.enum(['auto'], { error: '"auto"' }))
    .describe(
      'Tokens per forward pass; larger batches are processed in ' +
        'parts whose gradients add up to the same update. "auto": as many as ' +
        'keep the activations below about 1.5 GB, at most 8192.',
    )
    .default('auto'),
  checkpointing: flag('Recompute the layers in the backward pass.')
    .or(z.enum(['auto'], { error: '"auto"' }))
    .describe(
      'Layers keep only their inputs for the backward pass and are recomputed ' +
        'there: a third more time, far less memory, the same update. "auto": where ' +
        'a single longest sequence would not fit into 1.5 GB.',
    )
    .default('auto'),
  precision: choice('Precision of the factors of matrix products during training.', {
    float32: 'No rounding.',
    bfloat16:
      'Sums, weights and moments stay in float32. A product takes about 0.6x the ' +
      'time on processors that multiply in bfloat16 (AVX-512 BF16).',
  }).default('float32'),
  evaluateEvery: whole('Updates between two validations (default: evaluation.every).', {
    min: 1,
    example: 50,
  }).optional(),
});

const schedule = () =>
  choice('The learning rate after the warm-up.', {
    constant: 'Constant.',
    linear: 'Falls linearly to minLearningRate.',
    cosine: 'Falls along half a cosine to minLearningRate.',
  });

/**
 * Settings that a baseline of Stage 2 may change: those of the optimization. Samples and rewards are those of Stage 2.
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
  accumulation: whole('Batches whose gradients are summed for one update.', { min: 1, max: 4096 }).default(1),
});

const sampling = () => ({
  temperature: number('Sampling temperature; 1 samples from the unchanged distribution.', {
    above: 0,
    max: 10,
  }).default(1),
  topP: number('Keep the smallest set of most likely tokens with this probability mass; 1 = all.', {
    above: 0,
    max: 1,
  }).default(1),
  topK: whole('Keep the k most likely tokens; 0 = all.').default(0),
  minP: share('Keep tokens with at least this share of the highest probability; 0 = all.').default(0),
  precision: choice('Precision of the weights during sampling; training stays in float32.', {
    float32: 'No rounding.',
    bfloat16:
      'Half the memory traffic: large students sample faster. With AVX-512 BF16 a product takes half the time, by ' +
      'rounding activations, too. Ratios use the log-probs of the unrounded weights.',
    int8: 'A quarter of it, with a scale per row; log-probs differ more.',
  }).default('float32'),
});

const dynamicSampling = () => ({
  enabled: flag('Sample again for flat groups (DAPO, arXiv 2503.14476).').default(false),
  by: choice(
    'Which groups are flat: they give no gradient, are counted as flatGroups, and are sampled again if enabled.',
    {
      reward: 'Those whose rewards are all equal.',
      correct:
        'Also those that are all right or all wrong, as in DAPO: no reward for form or length keeps an ' +
        'all-wrong group, and none shortens right answers in a group without a wrong one.',
    },
  ).default('reward'),
  maxRounds: whole('Maximum rounds of sampling per update.', { min: 1, max: 100 }).default(10),
});

/** Of examples in an update. */
const rows = { min: 0, max: 4096 };

const replay = () => ({
  own: whole("Number of the student's own right, short completions replayed in each update.", rows).default(8),
  teacher: whole('Number of teacher chains replayed in each update.', rows).default(4),
  weight: number('Weight of the cross-entropy on replayed sequences in the loss.', { min: 0 }).default(0.1),
});

/** Group-relative policy optimization: Stages 2 and 3. */
export const grpo = (updates: number, maxNewTokens: number) => ({
  ...optimization(updates, learningRates.grpo),
  schedule: schedule().default('constant'),
  prompts: whole('Problems per update.', { min: 1 }).default(16),
  group: whole('Completions sampled per problem; advantages are relative to their group.', { min: 2 }).default(8),
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
    .describe('The reward of completions: a preset, the path of a *.reward.json file, or an inline reward config.')
    .default('default'),
  loss: choice("The policy loss, by TRL's names.", aboutOf(losses)).default('dr_grpo'),
  scale: choice('The divisor of advantages.', {
    group: 'The standard deviation of the group.',
    batch: 'The standard deviation of all rewards of the update.',
    none: 'Nothing: reward differences keep their scale (Dr. GRPO).',
  }).default('none'),
  clipLow: share('The importance ratio is clipped below 1 - clipLow (not by cispo and sapo).').default(0.2),
  clipHigh: number('The importance ratio is clipped above 1 + clipHigh (not by sapo).', { min: 0 }).default(0.28),
  sapoTemperature: group('How sharply the gate of the loss "sapo" closes; other losses ignore it.', {
    positive: number('For tokens with a positive advantage.', { above: 0 }).default(1),
    negative: number('For all others: sharper, as their gradients are noisier.', { above: 0 }).default(1.05),
  }).prefault({}),
  beta: number(
    'Weight of the KL penalty against the reference policy (the student at the start of the stage); 0 = none.',
    { min: 0 },
  ).default(0.02),
  kl: choice('KL estimator, x = reference log-prob - log-prob (Schulman 2020).', aboutOf(estimators)).default('k3'),
  policyWeight: number('Weight of the policy loss; 0 leaves only the replay, as a control experiment.', {
    min: 0,
  }).default(1),
  tolerance: share(
    'Validation accuracies within this distance of the highest count as equal ' +
      'when a checkpoint is selected; among them the shorter answers win.',
  ).default(0.01),
  iterations: whole('Passes over the same samples before new ones are drawn.', { min: 1 }).default(1),
  minibatches: whole('Optimizer steps per pass.', { min: 1 }).default(1),
  tokenMeasures: flag(
    'Record the entropy at every token of a rollout and, where beta is above 0, the ' +
      "reference policy's log-probability, for the overlays Entropy, Reference and KL of the chain " +
      'diff. Rollout files grow by a seventh for the former, by a third for the latter.',
  ).default(true),
  maskTruncated: flag('Exclude completions that were cut off from the loss.').default(false),
  dynamicSampling: group('Sampling again where groups are flat and give no gradient.', dynamicSampling()).prefault({}),
  replay: group('Supervised examples mixed into each update, against forgetting.', replay()).prefault({}),
});

const supervisedGroup = () => group('', supervised(0));
const grpoGroup = () => group('', grpo(0, 1));
/** Settings of every supervised stage; `evaluateEvery` is filled in when an experiment is resolved. */
export type SupervisedSettings = z.output<ReturnType<typeof supervisedGroup>>;
export type GrpoFileSettings = z.output<ReturnType<typeof grpoGroup>>;

/** Defaults of plain SFT. */
export const supervisedDefaults = (): SupervisedSettings => group('', supervised(300)).parse({});
