/**
 * The engine protocol as schemas: every request with parameters and result, progress, errors. docs/engine.md describes
 * it.
 */
import * as z from 'zod';
import { loraTargets } from '../../config/lora';
import { numberOrText } from '../../json';
import { lossNames } from '../../losses';
import { examples, floatRows, floats, rows } from './encodings';

/** The version in `hello`; others are refused. */
export const engineProtocol = 1;

const count = z.number().int().nonnegative();
const positive = z.number().int().positive();
const seed = z.number().int();
const path = z.string().describe('Absolute path of a folder.');
const id = z.string().describe('Id of an open student.');
const snapshot = z.string().describe('Name of weights kept by the engine.');
const noParams = z.object({});
const microBatchTokens = positive.describe(
  'Maximum tokens of a forward pass; larger batches are split, and their gradients added.',
);

const adapter = z.object({
  rank: positive,
  alpha: z.number(),
  dropout: z.number(),
  targets: z.array(z.enum(loraTargets)).describe("The linear layers of a decoder layer, by Distillery's short names."),
});

const sampling = z.object({
  temperature: z.number().min(0).describe('0 = greedy.'),
  topK: count.describe('The k most likely tokens; 0 = all.'),
  topP: z.number().describe('The smallest set of most likely tokens with this probability mass; 1 = all.'),
  minP: z.number().describe('Tokens with at least this share of the highest probability; 0 = all.'),
});

const optimization = {
  weightDecay: z.number().describe('Of matrices only; norms and biases do not decay.'),
  maxGradNorm: z.number().describe('Gradients with a larger global norm are scaled down to it; 0 = never.'),
  adam: z.object({ beta1: z.number(), beta2: z.number(), epsilon: z.number() }),
  dropout: z.number(),
  microBatchTokens,
  checkpointing: z.boolean().describe('Recompute activations in the backward pass, which saves memory.'),
};

const grpoOptions = z.object({
  ...optimization,
  loss: z.enum(lossNames),
  clipLow: z.number(),
  clipHigh: z.number(),
  sapoTemperature: z.object({ positive: z.number(), negative: z.number() }),
  beta: z.number(),
  kl: z.enum(['k1', 'k2', 'k3', 'k3+']),
  temperature: z.number(),
  maxNewTokens: positive.describe('The constant divisor of dr_grpo.'),
  iterations: positive,
  minibatches: positive,
  policyWeight: z.number(),
  replayWeight: z.number(),
});

const measures = z.object({
  loss: numberOrText,
  gradNorm: numberOrText,
  tokens: count,
  entropy: numberOrText.optional(),
  ratio: numberOrText.optional(),
  kl: numberOrText.optional(),
  clipLow: numberOrText.optional(),
  clipHigh: numberOrText.optional(),
  replayLoss: numberOrText.optional(),
});

const device = z.union([
  z.string(),
  z.looseObject({
    name: z.string(),
    totalBytes: count.optional().describe('Memory of the device.'),
    freeBytes: count.optional(),
  }),
]);

/** An engine's description of itself. */
const hello = z.looseObject({
  protocol: count,
  engine: z.string(),
  version: z.string(),
  versions: z.record(z.string(), z.string()).default({}).describe('Versions of Python and the libraries, by name.'),
  device: z.string().describe('The default device, such as cpu or cuda.'),
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
  weights: count.describe('All parameters, including the adapter.'),
  trained: count.describe('One copy of the trained parameters; AdamW keeps two more, and the gradients take one.'),
  token: count.describe('Memory of a training pass per input token.'),
  tokenAgain: count.describe('The same if activations are recomputed in the backward pass.'),
  target: count.describe('Memory of the output layer per completion token.'),
  targets: count.describe('Maximum memory of the output layer, as logits are computed in chunks.'),
  merged: count.describe('Memory for sampling besides the weights.'),
  cache: count.describe('KV cache per token.'),
  free: count.nullable().describe('Memory of the device; null if unknown.'),
  total: count.nullable(),
});

/** All requests. Each is answered before the next one is sent. */
export const methods = {
  /** The first request. */
  hello: { params: z.object({ protocol: count, client: z.string() }), result: hello },
  /** Speed of a large product in the default dtype on the default device; floating-point operations per second. */
  speed: { params: noParams, result: z.object({ flops: z.number().positive(), dtype: z.string() }) },
  /** Memory of work on a student, without opening it. */
  memory: { params: z.object(opening), result: memory },
  /** Opens a student for training or inference. */
  open: {
    params: z.object({
      ...opening,
      checkpoint: path.optional().describe('Initial weights or adapter from this checkpoint folder.'),
      seed,
    }),
    result: z.object({
      id,
      facts,
      description: z.string().describe('One line for people: the computing device.'),
      warnings: z.array(z.string()).optional().describe('Set if the student is not quite as requested.'),
    }),
  },
  /** Completions, ordered by prompt and then by index in the group. */
  sample: {
    params: z.object({
      id,
      prompts: rows,
      groupSize: positive,
      sampling,
      maxNewTokens: positive,
      eosIds: z.array(count),
      seed,
      stream: z.array(z.union([z.number(), z.string()])).describe('Further seeds of the draws.'),
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
  loss: { params: z.object({ id, examples, microBatchTokens }), result: z.object({ loss: numberOrText }) },
  supervisedStep: {
    params: z.object({ id, examples, learningRate: z.number(), ...optimization, seed }),
    result: z.object({ loss: numberOrText, gradNorm: numberOrText, tokens: count }),
  },
  grpoStep: {
    params: z.object({
      id,
      episodes: z.object({
        ...examples.shape,
        logProbs: floatRows.describe('Log-probabilities of the tokens at sampling.'),
        advantages: floats,
        masked: z.array(z.boolean()).describe('Excluded from the loss.'),
      }),
      replay: examples.nullable(),
      reference: snapshot.nullable(),
      learningRate: z.number(),
      seed,
      options: grpoOptions,
    }),
    result: z.object({ measures, entropy: floatRows, refLogProbs: floatRows.nullable() }),
  },
  /** Resets the optimizer: moments and step 0. */
  restartOptimizer: { params: z.object({ id }), result: noParams },
  /** Keeps a copy of the current trained weights, or of those in a checkpoint folder, under a name. */
  snapshot: { params: z.object({ id, checkpoint: path.optional() }), result: z.object({ snapshot }) },
  restore: { params: z.object({ id, snapshot }), result: noParams },
  discard: { params: z.object({ id, snapshot }), result: noParams },
  /** Writes a Hugging Face folder, or PEFT's for an adapter, with the tokenizer files. */
  save: { params: z.object({ id, folder: path, moments: z.boolean(), eosIds: z.array(count) }), result: noParams },
  load: { params: z.object({ id, folder: path, moments: z.boolean(), step: count }), result: noParams },
  close: { params: z.object({ id }), result: noParams },
  /** The engine answers and exits. */
  shutdown: { params: noParams, result: noParams },
} satisfies Record<string, { params: z.ZodType; result: z.ZodType }>;

export type MemoryFacts = z.output<typeof memory>;
export type EngineMethod = keyof typeof methods;
export type EngineParams<M extends EngineMethod> = z.output<(typeof methods)[M]['params']>;
export type EngineResult<M extends EngineMethod> = z.output<(typeof methods)[M]['result']>;

/** Sent at least every five seconds during a request. */
export const progress = z.object({
  request: z.number().int(),
  done: count,
  total: count,
  drafts: rows.optional().describe('For sample: the tokens so far of every completion, in the order of the result.'),
});
export type EngineProgress = z.output<typeof progress>;

/** The reason of a failed request: the `data` of a JSON-RPC error. */
export const fault = z.object({
  code: z.enum(['memory', 'diverged', 'config', 'checkpoint', 'backend', 'disk', 'missing']),
  message: z.string(),
  remedy: z.string().optional(),
  file: z.string().optional(),
});

/** Error code of a cancelled request (as in the Language Server Protocol). */
export const cancelledCode = -32800;
