import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type DecodeAttrs, kernelNames, type LayerWeights } from '../interface';
import type { Values } from '../native/library';
import { checkStarts } from './attend';
import type { EmbeddedBackend } from './backend';
import { inPlace } from './in-place';
import { registerEmbedded } from './register';
import { checkIds } from './rows';
import { withSpace } from './vocabulary';

/** Tokens that go through the layers at a time: bounds the work space of a prefill. */
const chunkTokens = 512;

/** In the order of kernels/decode.h. */
const layerArguments: readonly (keyof LayerWeights)[] = [
  'inputNorm',
  'q',
  'k',
  'v',
  'o',
  'qBias',
  'kBias',
  'vBias',
  'qNorm',
  'kNorm',
  'postNorm',
  'gate',
  'up',
  'down',
];

/** Panels are at most so many tokens wide. */
const padded = (count: number) => Math.ceil(count / 32) * 32;

/** [logits, keys, values], the cache in place */
registerEmbedded<DecodeAttrs>(kernelNames.decodeStep, (call, inputs, attrs, backend) => {
  checkPlaces(inputs, backend);
  const { tokens, starts, slots, past, embed, norm, head, cos, sin } = inputs;
  const { heads, kvHeads, headDim, layers, scale, eps } = attrs;
  const rows = slots.shape[0];
  const [vocab, d] = head.shape;
  const inner = layers > 0 ? inputs['0.gate'].shape[0] : 0;
  const [, slotCount, , maxLength] = inputs.keys.shape;
  if (d > 8192 || headDim > 1024 || maxLength > 65536) throw new RangeError('A layer too wide, or a cache too long');

  const logits = backend.output([rows, vocab]);
  const [keys, values] = [inPlace(backend, inputs.keys), inPlace(backend, inputs.values)];
  const chunk = Math.min(tokens.shape[0], chunkTokens);
  const eachToken = d + 2 * heads * headDim + inner + headDim + 2;
  const sizes = [rows, d, heads, kvHeads, headDim, inner, vocab, layers, slotCount, maxLength, scale, eps, chunk];
  const weights = Array.from({ length: layers }, (_, i) => layerArguments.map((name) => inputs[`${i}.${name}`])).flat();
  const where = [tokens, starts, slots, past];
  const shared = [embed, norm, head, cos, sin];
  withSpace(backend, padded(chunk) * eachToken + padded(rows) * d, (space) =>
    call.decode_step(...where, keys, values, ...shared, logits, space, ...sizes, backend.decodeTimes, ...weights),
  );
  return [logits, keys, values];
});

/** The kernel indexes without looking. @throws RangeError */
function checkPlaces(inputs: Record<string, TensorInfo>, backend: EmbeddedBackend): void {
  const read = (name: string): Values => backend.values(inputs[name]);
  const [starts, slots, past] = [read('starts'), read('slots'), read('past')];
  const [, slotCount, , maxLength] = inputs.keys.shape;
  const longest = Math.min(maxLength, inputs.cos.shape[0]);
  checkStarts(starts, inputs.tokens.shape[0]);
  checkIds(read('tokens'), inputs.embed.shape[0]);
  checkIds(slots, slotCount);
  if (new Set(slots).size < slots.length) throw new RangeError(`Cache slots ${Array.from(slots)} are not distinct`);
  for (let row = 0; row < slots.length; row++) {
    const count = starts[row + 1] - starts[row];
    if (count < 1) throw new RangeError(`Row ${row} has no new token`);
    if (!(past[row] >= 0 && past[row] + count <= longest)) {
      throw new RangeError(`Row ${row}: ${count} tokens after ${past[row]} do not fit into ${longest} positions`);
    }
  }
}
