import type { TensorInfo } from '@tensorflow/tfjs-core';
import { layerMatrices, tablesOf } from '../decoder';
import { type DecodeAttrs, kernelNames, type LayerWeights, type Packing } from '../interface';
import type { Values } from '../native/library';
import { numberOf } from '../native/table';
import { checkStarts } from './attend';
import type { EmbeddedBackend } from './backend';
import { inPlace } from './in-place';
import { type Call, pack } from './pack';
import { registerEmbedded } from './register';
import { checkIds } from './rows';
import { withSpace } from './vocabulary';

/** Tokens per pass through the layers, which bounds the work space of a prefill. */
const chunkTokens = 512;

/** In the order of kernels/decode.h, after the window and the rotary tables. */
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
  'attentionOutputNorm',
  'mlpNorm',
  'gate',
  'up',
  'down',
  'mlpOutputNorm',
];

const matrices = new Set<string>(layerMatrices);

/** [logits, keys, values]; the cache is updated in place */
registerEmbedded<DecodeAttrs>(kernelNames.decodeStep, (call, inputs, attrs, backend) => {
  checkPlaces(inputs, backend);
  if (attrs.packed) return decode(call, inputs, attrs, backend, attrs.packed);
  const packed = packAll(call, inputs, backend);
  try {
    const packing: Packing = { precision: 'float32', inner: inputs['0.gate']?.shape[0] ?? 0 };
    return decode(call, Object.assign({}, inputs, packed), attrs, backend, packing);
  } finally {
    for (const one of Object.values(packed)) backend.disposeIntermediateTensorInfo(one);
  }
});

/** Packs plain weights for one call; callers with several calls should pack them before. */
function packAll(call: Call, inputs: Record<string, TensorInfo>, backend: EmbeddedBackend): Record<string, TensorInfo> {
  const names = Object.keys(inputs).filter((name) => name === 'head' || matrices.has(name.split('.')[1]));
  return Object.fromEntries(names.map((name) => [name, pack(call, inputs[name], 'float32', backend)]));
}

function decode(
  call: Call,
  inputs: Record<string, TensorInfo>,
  { heads, kvHeads, headDim, specs, scale, norm: { eps, offset }, embedScale }: DecodeAttrs,
  backend: EmbeddedBackend,
  { precision, inner }: Packing,
): TensorInfo[] {
  const { tokens, starts, slots, past, embed, norm, head } = inputs;
  const rows = slots.shape[0];
  const [vocab, d] = embed.shape;
  const [, slotCount, , maxLength] = inputs.keys.shape;
  if (d > 8192 || headDim > 1024 || maxLength > 65536) throw new RangeError('A layer too wide, or a cache too long');

  const logits = backend.output([rows, vocab]);
  const [keys, values] = [inPlace(backend, inputs.keys), inPlace(backend, inputs.values)];
  const chunk = Math.min(tokens.shape[0], chunkTokens);
  const eachToken = 2 * d + 2 * heads * headDim + 2 * kvHeads * headDim + 2 * inner + 2;
  const sizes = [rows, d, heads, kvHeads, headDim, inner, vocab, specs.length, slotCount, maxLength];
  const numbers = [scale, eps, offset, embedScale, activationOf(specs), chunk];
  const layers = specs.flatMap(({ window, rope }, i) => [
    window ?? 0,
    ...['cos', 'sin'].map((table) => (rope === null ? null : inputs[`${table}${rope}`])),
    ...layerArguments.map((name) => inputs[`${i}.${name}`]),
  ]);
  const where = [tokens, starts, slots, past];
  const shared = [embed, norm, head];
  const how = [numberOf('precision', precision), backend.decodeTimes];
  withSpace(backend, chunk * eachToken + 2 * rows * d, (space) =>
    call.decode_step(...where, keys, values, ...shared, logits, space, ...sizes, ...numbers, ...how, ...layers),
  );
  return [logits, keys, values];
}

/** All layers of a student have the same one. */
function activationOf(specs: DecodeAttrs['specs']): number {
  const kinds = new Set(specs.map(({ activation }) => activation));
  if (kinds.size > 1) throw new RangeError(`Layers with different activations: ${[...kinds]}`);
  return numberOf('activation', [...kinds][0]);
}

/** The kernel does not check indices. @throws RangeError */
function checkPlaces(inputs: Record<string, TensorInfo>, backend: EmbeddedBackend): void {
  const read = (name: string): Values => backend.values(inputs[name]);
  const [starts, slots, past] = [read('starts'), read('slots'), read('past')];
  const [, slotCount, , maxLength] = inputs.keys.shape;
  const longest = Math.min(maxLength, ...tablesOf(inputs).map(({ cos }) => cos.shape[0]));
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
