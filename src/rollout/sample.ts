/**
 * Samples completions with a KV cache and continuous batching: finished rows leave the batch at once, and waiting
 * prompts take their places. A prompt is computed once for its whole group.
 */
import { setImmediate } from 'node:timers/promises';
import { type Completion, type SampleOptions, type SampleSummary, summaryOf } from '../engine-data/sampling';
import { UserError } from '../errors';
import type { DecoderWeights, Decoding, DecodingStep } from '../kernels/decoder';
import { openDecoding } from '../kernels/decoding';
import { packDecoder } from '../model/pack';
import { decoderShape, type Model } from '../model/transformer';
import { uniform } from '../random';
import { checkLength, checkTokens, type ModelConfig } from '../student-files/config';
import { type BatchRow, type Group, groupsOf, Slots } from './schedule';

/** Milliseconds of work after which the event loop gets a turn, so that hosts stay responsive and signals arrive. */
const patience = 20;

/**
 * Samples `groupSize` completions of each prompt; they come ordered by prompt and then by index in the group. Each draw
 * is a function of (seed, stream, prompt index, completion index, position), so that a completion does not depend on
 * what else is in the batch. Greedy decoding is temperature 0. Throws a UserError when a prompt leaves no position for
 * an answer, or when the model's output is not a number.
 */
export async function sample(
  model: Model,
  prompts: readonly (readonly number[])[],
  options: SampleOptions,
): Promise<{ completions: Completion[]; summary: SampleSummary }> {
  checkPrompts(model.config, prompts, options.maxNewTokens);
  const started = performance.now();
  let lastTurn = started;
  const groups = groupsOf(prompts, options.groupSize ?? 1, options.maxRows ?? 64);
  const drafts = groups.flatMap(({ rows }) => rows.map(({ draft }) => draft));
  for (const _step of decodeAll(model, groups, options)) {
    options.signal?.throwIfAborted();
    if (performance.now() - lastTurn < patience) continue;
    options.progress?.(drafts);
    await setImmediate();
    options.signal?.throwIfAborted();
    lastTurn = performance.now();
  }
  options.progress?.(drafts);
  const completions = drafts.map((draft) => ({ ...draft, logProbs: Float32Array.from(draft.logProbs) }));
  return { completions, summary: summaryOf(prompts, completions, started) };
}

function checkPrompts(config: ModelConfig, prompts: readonly (readonly number[])[], maxNewTokens: number): void {
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 1)
    throw new UserError(`The budget of new tokens is ${maxNewTokens}; it must be at least 1`, { code: 'config' });
  for (const prompt of prompts) {
    if (prompt.length === 0) throw new UserError('A prompt has no tokens', { code: 'dataset' });
    checkTokens(config, prompt);
    checkLength(config, prompt.length + 1);
  }
}

/**
 * Decodes until every draft has ended, and pauses after each step. Frees weights and cache, also when it is left early.
 */
function* decodeAll(model: Model, groups: readonly Group[], options: SampleOptions): Generator<void> {
  const budgetOf = (promptLength: number) => Math.min(options.maxNewTokens, model.config.maxPositions - promptLength);
  const longest = Math.max(1, ...groups.map(({ prompt: { length } }) => length + budgetOf(length))) - 1;
  // A copy of the weights for as long as sampling lasts, the adapter in it: no token takes work for either.
  const { weights, free } = packDecoder(model, longest, options.precision ?? 'float32');
  try {
    yield* decodeGroups(weights, groups, options, { config: model.config, budgetOf, longest });
  } finally {
    free();
  }
}

function* decodeGroups(
  weights: DecoderWeights,
  groups: readonly Group[],
  options: SampleOptions,
  { config, budgetOf, longest }: { config: ModelConfig; budgetOf: (promptLength: number) => number; longest: number },
): Generator<void> {
  const slots = new Slots(Math.min(options.maxRows ?? 64, groups.flatMap(({ rows }) => rows).length));
  const ends = new Set(options.eosIds);
  const decoding = openDecoding(weights, decoderShape(config), { slots: slots.count, length: longest });
  let active: BatchRow[] = [];
  let next = 0;
  try {
    while (active.length > 0 || next < groups.length) {
      const entering: Group[] = [];
      while (next < groups.length && slots.take(groups[next])) entering.push(groups[next++]);

      decoding.step(stepOf(active, entering));
      draw(decoding, active, entering, options);
      shareCache(decoding, entering);

      active = [...active, ...entering.flatMap(({ rows }) => rows)].filter((row) => {
        const { tokens } = row.draft;
        row.draft.finished = ends.has(tokens[tokens.length - 1]);
        if (!row.draft.finished && tokens.length < budgetOf(row.promptLength)) return true;
        slots.free(row);
        return false;
      });
      yield;
    }
  } finally {
    decoding.dispose();
  }
}

/** The last token of each active row and the whole prompt of each entering group (for its first slot). */
function stepOf(active: BatchRow[], entering: Group[]): DecodingStep {
  const tokens = active.map(({ draft }) => draft.tokens[draft.tokens.length - 1]);
  const starts = active.map((_, row) => row);
  const slots = active.map(({ slot }) => slot);
  const past = active.map(({ draft, promptLength }) => promptLength + draft.tokens.length - 1);
  for (const { prompt, rows } of entering) {
    starts.push(tokens.length);
    for (const token of prompt) tokens.push(token);
    slots.push(rows[0].slot);
    past.push(0);
  }
  starts.push(tokens.length);
  return { tokens, starts, slots, past };
}

/** Draws the next token of every row. The rows of an entering group share their prompt's logits. */
function draw(decoding: Decoding, active: BatchRow[], entering: Group[], options: SampleOptions): void {
  drawOnce(decoding, 0, [...active, ...entering.map(({ rows }) => rows[0])], options);
  const most = Math.max(0, ...entering.map(({ rows }) => rows.length));
  for (let i = 1; i < most; i++)
    drawOnce(
      decoding,
      active.length,
      entering.map(({ rows }) => rows[i]),
      options,
    );
}

/**
 * One draw for each of the rows, from the logits' row `first` on; where a group is smaller than the others, its row has
 * none.
 */
function drawOnce(decoding: Decoding, first: number, rows: (BatchRow | undefined)[], options: SampleOptions): void {
  const { sampling, seed, stream = [] } = options;
  const uniforms = rows.map((row) =>
    row ? uniform(seed, ...stream, row.draft.prompt, row.draft.completion, row.draft.tokens.length) : 0,
  );
  const { ids, logProbs } = decoding.draw(first, uniforms, sampling);
  rows.forEach((row, i) => {
    if (!row) return;
    if (!Number.isFinite(logProbs[i]))
      throw new UserError('The student gives no probabilities: its output is not a number', {
        remedy: 'Its weights are damaged or its training diverged: go back to an earlier checkpoint.',
        code: 'diverged',
      });
    row.draft.tokens.push(ids[i]);
    row.draft.logProbs.push(logProbs[i]);
  });
}

/** Gives every row of the entering groups the keys and values of their prompt. */
function shareCache(decoding: Decoding, entering: Group[]): void {
  const copies = entering.flatMap(({ rows, prompt }) =>
    rows.slice(1).map(({ slot }) => ({ from: rows[0].slot, to: slot, length: prompt.length })),
  );
  if (copies.length === 0) return;
  decoding.copy({
    from: copies.map(({ from }) => from),
    to: copies.map(({ to }) => to),
    length: Math.max(...copies.map(({ length }) => length)),
  });
}
