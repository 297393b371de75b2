import { dispose, setBackend, type Tensor, tensor1d, zeros } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { WeightPrecision } from '../../engine-data/sampling';
import { Random } from '../../random';
import { useBackend } from '../backends';
import { type DecodeInput, decodeStep, type KvCache, kernelNames, packWeight } from '../interface';
import type { KernelLibrary } from '../native/library';
import type { Reference } from '../reference/kernel';
import { references } from '../reference/register';
import { registerKernels } from '../register';
import { expectClose } from '../testing/close';
import { randomDecoder, wholeForward, withMatrices } from '../testing/decoder';
import { kernelForms } from '../testing/forms';
import { ropeTables, startsOf } from '../testing/random';
import { installEmbedded } from './index';

const slotCount = 4;
const maxLength = 720;
const options = {
  heads: 4,
  kvHeads: 2,
  headDim: 10,
  d: 22,
  vocab: 37,
  layers: 2,
  spec: { qkvBias: true, headNorm: true },
};

function students() {
  const { weights, shape } = randomDecoder(options);
  return { weights: { ...weights, ropes: [ropeTables(maxLength, options.headDim)] }, shape };
}

const random = new Random(3);
const texts = [700, 5, 31, 90].map((length) => Array.from({ length }, () => random.integer(0, options.vocab - 1)));

interface Row {
  slot: number;
  past: number;
  tokens: number[];
}

function inputOf(rows: Row[]): DecodeInput {
  return {
    tokens: tensor1d(
      rows.flatMap(({ tokens }) => tokens),
      'int32',
    ),
    starts: startsOf(rows.map(({ tokens }) => tokens.length)),
    slots: tensor1d(
      rows.map(({ slot }) => slot),
      'int32',
    ),
    past: tensor1d(
      rows.map(({ past }) => past),
      'int32',
    ),
  };
}

/** The logits after each of several calls on one new cache; with a precision, by weights that are packed before. */
function decode(calls: Row[][], precision?: WeightPrecision): Float32Array[] {
  const { weights: plain, shape } = students();
  const weights = precision ? withMatrices(plain, (weight) => packWeight(weight, precision)) : plain;
  if (precision) weights.packed = { precision, inner: plain.layers[0].gate.shape[0] };
  const size = [options.layers, slotCount, options.kvHeads, maxLength, options.headDim];
  let cache: KvCache = { keys: zeros(size), values: zeros(size) };
  const all = calls.map((rows) => {
    const input = inputOf(rows);
    const step = decodeStep(weights, cache, input, shape);
    cache = step.cache;
    const logits = step.logits.dataSync() as Float32Array;
    dispose([step.logits, ...Object.values(input)]);
    return logits;
  });
  dispose([cache.keys, cache.values]);
  return all;
}

/** All but the last `steps` tokens of each text at once, then these one by one. */
function stepwise(slots: number[], steps: number): Row[][] {
  const prompts = slots.map((slot) => ({ slot, past: 0, tokens: texts[slot].slice(0, texts[slot].length - steps) }));
  const singles = Array.from({ length: steps }, (_, i) =>
    slots.map((slot) => {
      const past = texts[slot].length - steps + i;
      return { slot, past, tokens: [texts[slot][past]] };
    }),
  );
  return [prompts, ...singles];
}

describe('DecodeStep', () => {
  beforeAll(() => useBackend('embedded'));

  it('a prefill of more tokens than go at a time, and single steps after it, equal one whole pass', () => {
    const { weights, shape } = students();
    const expected = wholeForward(weights, shape, texts).dataSync();
    const slots = [0, 1, 2, 3];
    expectClose(decode(stepwise(slots, 0))[0], expected, 2e-5, { what: 'one prefill' });
    expectClose(decode(stepwise(slots, 3))[3], expected, 2e-5, { what: 'a prefill and three steps' });
  });

  it("a row's logits are the same bytes in any batch", () => {
    const together = decode(stepwise([3, 1, 2, 0], 3));
    const alone = decode(stepwise([2], 3));
    for (let step = 1; step <= 3; step++) {
      expect(together[step].slice(2 * options.vocab, 3 * options.vocab)).toEqual(alone[step]);
    }
  });

  it('writes the cache in place', () => {
    const { weights, shape } = students();
    const size = [options.layers, slotCount, options.kvHeads, maxLength, options.headDim];
    const cache = { keys: zeros(size), values: zeros(size) };
    const data = (keys: Tensor, values: Tensor) => [keys.dataId, values.dataId];
    const before = data(cache.keys, cache.values);
    const step = decodeStep(weights, cache, inputOf([{ slot: 1, past: 0, tokens: [3] }]), shape);
    expect(data(step.cache.keys, step.cache.values)).toEqual(before);
    dispose([step.logits, step.cache.keys, step.cache.values]);
  });

  it.each<[string, Row[], RegExp]>([
    ['a slot twice', [1, 1].map((slot) => ({ slot, past: 0, tokens: [0] })), /slots 1,1 are not distinct/],
    ['a slot that is not there', [{ slot: slotCount, past: 0, tokens: [0] }], /Index 4 /],
    ['a token that is not there', [{ slot: 0, past: 0, tokens: [1, options.vocab] }], /Index 37 /],
    ['more than a slot holds', [{ slot: 0, past: maxLength - 1, tokens: [1, 2] }], /do not fit into 720/],
    ['a row without tokens', [{ slot: 0, past: 1, tokens: [] }], /Row 0 has no new token/],
  ])('refuses %s', (_, rows, message) => {
    expect(() => decode([rows])).toThrow(message);
  });
});

describe.each(await kernelForms())('DecodeStep on $name', ({ name: form, one, three }) => {
  const nameOf = ({ threads }: KernelLibrary) => `${form}-${threads}`;
  const use = (library: KernelLibrary) => setBackend(nameOf(library));
  beforeAll(() => {
    for (const library of [one, three]) {
      installEmbedded(nameOf(library), library);
      registerKernels(nameOf(library));
    }
  });

  it('gives the same bytes with any number of threads', async () => {
    const results = [];
    for (const library of [one, three]) {
      await use(library);
      results.push(decode(stepwise([0, 3, 1, 2], 2)));
    }
    expect(results[1]).toEqual(results[0]);
  });

  it.each(['float32', 'bfloat16', 'int8'] as const)(
    'packed as %s it computes with the rounded weights',
    async (precision) => {
      const results = [];
      for (const library of [one, three]) {
        await use(library);
        results.push(decode(stepwise([0, 3, 1, 2], 2), precision));
      }
      expect(results[1]).toEqual(results[0]);
      const { weights, shape } = students();
      const round = references[kernelNames.packWeight] as Reference<{ precision: WeightPrecision }>;
      const rounded = withMatrices(weights, (weight) => round({ weight }, { precision }) as Tensor);
      const expected = wholeForward(
        rounded,
        shape,
        [0, 3, 1, 2].map((slot) => texts[slot]),
      );
      // Where the processor multiplies in bfloat16 (AVX-512 BF16), activations are rounded, too.
      const rough = precision === 'bfloat16' && form === 'avx512';
      expectClose(results[0][2], expected, rough ? 0.01 : 2e-5, { what: 'logits' });
    },
  );
});
