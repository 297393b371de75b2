/**
 * The engine protocol as schemas: every request with its parameters and its result, progress, errors. docs/engine.md is
 * the prose.
 */
import * as z from 'zod';
import { loraTargets } from '../../config/lora';
import { type LossType, losses } from '../../config/training';
import { real } from '../../json';
import { examples, floatRows, floats, rows } from './encodings';

/** The version that `hello` names; another one is refused. */
export const engineProtocol = 1;

const count = z.number().int().nonnegative();
const positive = z.number().int().positive();
const seed = z.number().int();
const path = z.string().describe('Absolute path of a folder.');
const id = z.string().describe('Of a student that is open.');
const snapshot = z.string().describe('Of weights that the engine keeps.');
const nothing = z.object({});
const microBatchTokens = positive.describe('Most tokens of a forward pass; more are split, and their gradients added.');

const adapter = z.object({
  rank: positive,
  alpha: z.number(),
  dropout: z.number(),
  targets: z.array(z.enum(loraTargets)).describe("The linear layers of a decoder layer, by Distillery's short names."),
});

const sampling = z.object({
  temperature: z.number().min(0).describe('0 = greedy.'),
  topK: count.describe('The k most likely tokens; 0 = all.'),
  topP: z.number().describe('The smallest set of most likely tokens with this mass; 1 = all.'),
  minP: z.number().describe("Tokens with at least this share of the likeliest one's probability; 0 = all."),
});

const optimization = {
  weightDecay: z.number().describe('Of matrices only; norms and biases do not decay.'),
  maxGradNorm: z.number().describe('Gradients with a larger global norm are scaled down to it; 0 = never.'),
  adam: z.object({ beta1: z.number(), beta2: z.number(), epsilon: z.number() }),
  dropout: z.number(),
  microBatchTokens,
  checkpointing: z.boolean().describe('Activations are computed again in the backward pass, which saves memory.'),
};

const grpoOptions = z.object({
  ...optimization,
  loss: z.enum(Object.keys(losses) as [LossType, ...LossType[]]),
  clipLow: z.number(),
  clipHigh: z.number(),
  sapoTemperature: z.object({ positive: z.number(), negative: z.number() }),
  beta: z.number(),
  kl: z.enum(['k1', 'k2', 'k3', 'k3+']),
  temperature: z.number(),
  maxNewTokens: positive.describe('The constant that dr_grpo divides by.'),
  iterations: positive,
  minibatches: positive,
  policyWeight: z.number(),
  replayWeight: z.number(),
});

const measures = z.object({
  loss: real,
  gradNorm: real,
  tokens: count,
  entropy: real.optional(),
  ratio: real.optional(),
  kl: real.optional(),
  clipLow: real.optional(),
  clipHigh: real.optional(),
  replayLoss: real.optional(),
});

const device = z.union([
  z.string(),
  z.looseObject({
    name: z.string(),
    totalBytes: count.optional().describe('Memory of the device.'),
    freeBytes: count.optional(),
  }),
]);

/** What an engine says about itself. */
const hello = z.looseObject({
  protocol: count,
  engine: z.string(),
  version: z.string(),
  versions: z.record(z.string(), z.string()).default({}).describe('Of Python and the libraries, by their names.'),
  device: z.string().describe('What it computes on unless told, such as cpu or cuda.'),
  devices: z.array(device).default([]),
  dtypes: z.array(z.string()).default([]),
  families: z.string().optional(),
  adapters: z.boolean().default(false),
  samplers: z.array(z.string()).default([]),
  losses: z.array(z.string()).default([]),
  processes: positive.default(1),
});
export type Hello = z.output<typeof hello>;

const facts = z.object({ vocabSize: positive, maxPositions: positive, parameters: count, trainable: count });

const opening = {
  student: path,
  adapter: adapter.nullable().describe('null: all weights are trained.'),
  dtype: z.string().optional(),
  device: z.string().optional(),
  quantization: z.string().optional(),
};

/** In bytes. */
const memory = z.object({
  weights: count.describe('All of them, with the adapter.'),
  trained: count.describe('One copy of what is trained; AdamW keeps two more, and the gradients take one.'),
  token: count.describe('What a pass that learns holds for each token that it reads.'),
  tokenAgain: count.describe('The same where activations are computed again in the backward pass.'),
  target: count.describe('At the output layer, for each token of a completion.'),
  targets: count.describe('The most at the output layer: logits are made in chunks.'),
  merged: count.describe('What is held beside the weights while it samples.'),
  cache: count.describe('Keys and values of a token.'),
  free: count.nullable().describe('Of the memory that it would lie in; null where that is not known.'),
  total: count.nullable(),
});

/** Every request. Each is answered before the next one is begun. */
export const methods = {
  /** The first one. */
  hello: { params: z.object({ protocol: count, client: z.string() }), result: hello },
  /**
   * Of a large product, in the dtype and on the device that it computes with unless told; floating-point operations a
   * second.
   */
  speed: { params: nothing, result: z.object({ flops: z.number().positive(), dtype: z.string() }) },
  /** What work on a student takes, before it is opened. */
  memory: { params: z.object(opening), result: memory },
  /** Opens a student to train it or to ask it. */
  open: {
    params: z.object({
      ...opening,
      checkpoint: path.optional().describe('Its weights or its adapter take the place of the fresh ones.'),
      seed,
    }),
    result: z.object({
      id,
      facts,
      description: z.string().describe('One line for a person: what computes.'),
      warnings: z.array(z.string()).optional().describe('Where the student is not quite what was asked for.'),
    }),
  },
  /** Completions, ordered by prompt and then by their index in the group. */
  sample: {
    params: z.object({
      id,
      prompts: rows,
      groupSize: positive,
      sampling,
      maxNewTokens: positive,
      eosIds: z.array(count),
      seed,
      stream: z.array(z.union([z.number(), z.string()])).describe('Further counters of the draws.'),
      maxRows: positive,
    }),
    result: z.object({ tokens: rows, logProbs: floatRows, finished: z.array(z.boolean()), seconds: z.number() }),
  },
  /** Log-probabilities and entropies of the completions' tokens, in nats. */
  logProbs: {
    params: z.object({ id, examples, temperature: z.number(), microBatchTokens, snapshot: snapshot.optional() }),
    result: z.object({ logProbs: floatRows, entropy: floatRows }),
  },
  /** The mean cross-entropy of the completions' tokens, in nats. */
  loss: { params: z.object({ id, examples, microBatchTokens }), result: z.object({ loss: real }) },
  supervisedStep: {
    params: z.object({ id, examples, learningRate: z.number(), ...optimization, seed }),
    result: z.object({ loss: real, gradNorm: real, tokens: count }),
  },
  grpoStep: {
    params: z.object({
      id,
      episodes: z.object({
        ...examples.shape,
        logProbs: floatRows.describe('Of the tokens when they were sampled.'),
        advantages: floats,
        masked: z.array(z.boolean()).describe('Left out of the loss.'),
      }),
      replay: examples.nullable(),
      reference: snapshot.nullable(),
      learningRate: z.number(),
      seed,
      options: grpoOptions,
    }),
    result: z.object({ measures, entropy: floatRows, refLogProbs: floatRows.nullable() }),
  },
  /** Fresh moments, step 0. */
  restartOptimizer: { params: z.object({ id }), result: nothing },
  /** The trained weights as they are now, or those of a checkpoint folder, kept under a name. */
  snapshot: { params: z.object({ id, checkpoint: path.optional() }), result: z.object({ snapshot }) },
  restore: { params: z.object({ id, snapshot }), result: nothing },
  discard: { params: z.object({ id, snapshot }), result: nothing },
  /** A Hugging Face folder, or PEFT's of an adapter, with the tokenizer's files. */
  save: { params: z.object({ id, folder: path, moments: z.boolean(), eosIds: z.array(count) }), result: nothing },
  load: { params: z.object({ id, folder: path, moments: z.boolean(), step: count }), result: nothing },
  close: { params: z.object({ id }), result: nothing },
  /** The engine answers and ends. */
  shutdown: { params: nothing, result: nothing },
} satisfies Record<string, { params: z.ZodType; result: z.ZodType }>;

export type MemoryFacts = z.output<typeof memory>;
export type Method = keyof typeof methods;
export type Params<M extends Method> = z.output<(typeof methods)[M]['params']>;
export type Result<M extends Method> = z.output<(typeof methods)[M]['result']>;

/** What the engine says at least every five seconds while it works on a request. */
export const progress = z.object({
  request: z.number().int(),
  done: count,
  total: count,
  drafts: rows.optional().describe('Of sample: the tokens so far of every completion, in the order of the result.'),
});
export type Progress = z.output<typeof progress>;

/** Why a request failed: the `data` of a JSON-RPC error. */
export const fault = z.object({
  code: z.enum(['memory', 'diverged', 'config', 'checkpoint', 'backend', 'disk', 'missing']),
  message: z.string(),
  remedy: z.string().optional(),
  file: z.string().optional(),
});

/** Code of the error that answers a request that was cancelled (as in the Language Server Protocol). */
export const cancelledCode = -32800;
