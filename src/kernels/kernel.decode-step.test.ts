import { dispose, memory, tensor1d, zeros } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../random';
import { copySlots, type DecoderShape, type DecoderWeights, decodeStep, type KvCache } from './interface';
import { backendNames, switchTo } from './testing/backends';
import { expectClose } from './testing/close';
import { type DecoderOptions, randomDecoder, tensorsOf, wholeForward } from './testing/decoder';
import { startsOf } from './testing/random';

const slotCount = 5;
const maxLength = 40;

/** A cache, and the tokens in each of its slots. */
class Session {
  cache: KvCache;
  readonly tokens: number[][] = Array.from({ length: slotCount }, () => []);
  private readonly random = new Random(8);

  constructor(
    readonly weights: DecoderWeights,
    readonly shape: DecoderShape,
  ) {
    const dimensions = [weights.layers.length, slotCount, shape.kvHeads, maxLength, shape.headDim];
    this.cache = { keys: zeros(dimensions), values: zeros(dimensions) };
  }

  draw(count: number): number[] {
    return Array.from({ length: count }, () => this.random.integer(0, this.weights.embed.shape[0] - 1));
  }

  /** Runs new tokens for these slots and checks the logits against a pass over the whole sequences. */
  advance(rows: { slot: number; count: number }[]): void {
    const news = rows.map(({ count }) => this.draw(count));
    const input = {
      tokens: tensor1d(news.flat(), 'int32'),
      starts: startsOf(rows.map(({ count }) => count)),
      slots: tensor1d(
        rows.map(({ slot }) => slot),
        'int32',
      ),
      past: tensor1d(
        rows.map(({ slot }) => this.tokens[slot].length),
        'int32',
      ),
    };
    const { logits, cache } = decodeStep(this.weights, this.cache, input, this.shape);
    this.cache = cache;
    rows.forEach(({ slot }, i) => {
      this.tokens[slot].push(...news[i]);
    });
    const expected = wholeForward(
      this.weights,
      this.shape,
      rows.map(({ slot }) => this.tokens[slot]),
    );
    expect(logits.shape).toEqual(expected.shape);
    expectClose(logits, expected, 2e-5, { what: `logits of ${JSON.stringify(rows)}` });
    dispose([logits, expected, ...Object.values(input)]);
  }

  dispose(): void {
    dispose([this.cache.keys, this.cache.values, ...tensorsOf(this.weights)]);
  }
}

const gemma = { headNorm: true, outputNorms: true, activation: 'gelu_tanh' } as const;
const one = (...slots: number[]) => slots.map((slot) => ({ slot, count: 1 }));
const small = { heads: 4, kvHeads: 2, headDim: 6, d: 10, vocab: 13, layers: 2 };

describe.each(backendNames)('on %s', (backendName) => {
  beforeAll(() => switchTo(backendName));

  describe('decodeStep', () => {
    const variants: [string, DecoderOptions][] = [
      ['grouped queries', small],
      ['biases on q, k and v (Qwen2)', { ...small, spec: { qkvBias: true } }],
      ['norms on the heads of q and k (Qwen3)', { ...small, spec: { headNorm: true } }],
      ['biases and norms', { ...small, spec: { qkvBias: true, headNorm: true } }],
      ['norms of what is added, GELU, factors on norms and embeddings (Gemma)', { ...small, spec: gemma }],
      ['layers within a window, by another rotary table', { ...small, layers: 3, window: 4 }],
      ['a window of one token', { ...small, window: 1 }],
      ['layers without rotation (SmolLM3)', { ...small, spec: { rope: null } }],
      ['biases without rotation', { ...small, spec: { rope: null, qkvBias: true } }],
      ['a key head for each query head', { ...small, heads: 3, kvHeads: 3, headDim: 34 }],
      [
        'one key head for all',
        { ...small, heads: 7, kvHeads: 1, headDim: 66, d: 33, layers: 1, spec: { qkvBias: true } },
      ],
    ];

    it.each(variants)('prompts and single steps equal whole passes: %s', (_, options) => {
      const { weights, shape } = randomDecoder(options);
      const before = memory().numTensors - tensorsOf(weights).length;
      const session = new Session(weights, shape);
      session.advance([
        { slot: 2, count: 3 },
        { slot: 0, count: 1 },
        { slot: 4, count: 17 },
        { slot: 1, count: 2 },
      ]);
      session.advance(one(2, 0, 4, 1));
      session.advance(one(2, 0, 4, 1));
      session.advance(one(2, 4, 1)); // the row of slot 0 has finished
      session.advance(one(4, 1)); // and that of slot 2
      session.tokens[0] = [];
      session.advance([
        { slot: 4, count: 1 },
        { slot: 0, count: 5 }, // its slot starts again, over the earlier contents
        { slot: 1, count: 4 }, // several tokens after others
      ]);
      session.advance(one(0, 1, 4)); // and in another order
      session.dispose();
      expect(memory().numTensors).toBe(before);
    });

    it('fills a slot to its last place', () => {
      const { weights, shape } = randomDecoder(small);
      const session = new Session(weights, shape);
      session.advance([{ slot: 3, count: maxLength - 1 }]);
      session.advance(one(3));
      session.dispose();
    });
  });

  it('decodeStep does not change copies of its cache', () => {
    const { weights, shape } = randomDecoder(small);
    const session = new Session(weights, shape);
    const held = session.cache.keys.clone();
    session.advance([{ slot: 1, count: 9 }]);
    expect(held.dataSync().every((value) => value === 0)).toBe(true);
    held.dispose();
    session.dispose();
  });

  it('copySlots lets several rows continue one prompt', () => {
    const { weights, shape } = randomDecoder(small);
    const session = new Session(weights, shape);
    session.advance([
      { slot: 1, count: 9 },
      { slot: 4, count: 4 },
    ]);
    const before = memory().numTensors;
    session.cache = copySlots(session.cache, { from: [1, 1, 4], to: [0, 3, 2], length: 9 });
    expect(memory().numTensors).toBe(before);
    session.tokens[0] = [...session.tokens[1]];
    session.tokens[3] = [...session.tokens[1]];
    session.tokens[2] = [...session.tokens[4]];
    session.advance(one(0, 1, 2, 3, 4));
    session.advance(one(4, 3, 2, 1, 0));
    session.dispose();
  });
});
