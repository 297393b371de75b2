import type { TensorInfo } from '@tensorflow/tfjs-core';
import { layerMatrices, tablesOf } from '../decoder';
import {
  type DecodeAttrs,
  type DecodeInput,
  type DecoderShape,
  kernelNames,
  type LayerWeights,
  type Packing,
} from '../interface';
import type { Values } from '../native/library';
import { numberOf } from '../native/table';
import { checkStarts } from './attend';
import type { Argument, EmbeddedBackend } from './backend';
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
  const read = (name: string): Values => backend.values(inputs[name]);
  const places = { tokens: read('tokens'), starts: read('starts'), slots: read('slots'), past: read('past') };
  const packed = attrs.packed ? {} : packAll(call, inputs, backend);
  try {
    const packing = attrs.packed ?? { precision: 'float32' as const, inner: inputs['0.gate']?.shape[0] ?? 0 };
    const logits = backend.output([places.slots.length, inputs.embed.shape[0]]);
    const [keys, values] = [inPlace(backend, inputs.keys), inPlace(backend, inputs.values)];
    const weights = Object.assign({}, inputs, packed);
    new DecodeCall(backend, weights, { keys, values, logits }, attrs, packing).run(places, places);
    return [logits, keys, values];
  } finally {
    for (const one of Object.values(packed)) backend.disposeIntermediateTensorInfo(one);
  }
});

/** Packs plain weights for one call; callers with several calls should pack them before. */
function packAll(call: Call, inputs: Record<string, TensorInfo>, backend: EmbeddedBackend): Record<string, TensorInfo> {
  const names = Object.keys(inputs).filter((name) => name === 'head' || matrices.has(name.split('.')[1]));
  return Object.fromEntries(names.map((name) => [name, pack(call, inputs[name], 'float32', backend)]));
}

/** What a call of the kernel reads and writes besides weights and places. */
interface DecodeState {
  keys: TensorInfo;
  values: TensorInfo;
  /** [at least rows, vocab] */
  logits: TensorInfo;
}

/** New tokens and their places, as in DecodeInput. */
type Places = Record<keyof DecodeInput, ArrayLike<number>>;

/** Calls of the kernel with the same weights and cache: what stays the same is looked up once. */
export class DecodeCall {
  private readonly shared: Argument[];
  private readonly sizes: number[];
  private readonly numbers: number[];
  private readonly layers: Argument[];
  private readonly eachToken: number;
  private readonly limits: Limits;

  constructor(
    private readonly backend: EmbeddedBackend,
    inputs: Record<string, TensorInfo | null | undefined>,
    private readonly state: DecodeState,
    { heads, kvHeads, headDim, specs, scale, norm, embedScale }: DecoderShape,
    { precision, inner }: Packing,
  ) {
    const [vocab, d] = inputs.embed!.shape;
    const [, slotCount, , maxLength] = state.keys.shape;
    if (d > 8192 || headDim > 1024 || maxLength > 65536) throw new RangeError('A layer too wide, or a cache too long');
    const data = (name: string): Argument => inputs[name] && backend.values(inputs[name]);
    const positions = Math.min(maxLength, ...tablesOf(inputs).map(({ cos }) => cos!.shape[0]));
    this.limits = { vocab, slots: slotCount, positions };
    this.eachToken = 2 * d + 2 * heads * headDim + 2 * kvHeads * headDim + 2 * inner + 2;
    this.shared = [data('embed'), data('norm'), data('head')];
    this.sizes = [d, heads, kvHeads, headDim, inner, vocab, specs.length, slotCount, maxLength];
    this.numbers = [scale, norm.eps, norm.offset, embedScale, activationOf(specs), numberOf('precision', precision)];
    this.layers = specs.flatMap(({ window, rope }, i) => [
      window ?? 0,
      ...['cos', 'sin'].map((table) => (rope === null ? null : data(`${table}${rope}`))),
      ...layerArguments.map((name) => data(`${i}.${name}`)),
    ]);
  }

  /** Writes the logits after each row's last token. `places` are checked; `data` holds the same for the kernel. */
  run(places: Places, data: Record<keyof DecodeInput, Values>): void {
    checkPlaces(places, this.limits);
    const { keys, values, logits } = this.state;
    const { tokens, starts, slots, past } = data;
    const [rows, d] = [places.slots.length, this.sizes[0]];
    const chunk = Math.min(places.tokens.length, chunkTokens);
    const [scale, eps, offset, embedScale, activation, precision] = this.numbers;
    const how = [scale, eps, offset, embedScale, activation, chunk, precision, this.backend.decodeTimes];
    const given = [tokens, starts, slots, past, keys, values, ...this.shared, logits];
    withSpace(this.backend, chunk * this.eachToken + 2 * rows * d, (space) =>
      this.backend.call.decode_step(...given, space, rows, ...this.sizes, ...how, ...this.layers),
    );
  }
}

/** All layers of a student have the same one. */
function activationOf(specs: DecodeAttrs['specs']): number {
  const kinds = new Set(specs.map(({ activation }) => activation));
  if (kinds.size > 1) throw new RangeError(`Layers with different activations: ${[...kinds]}`);
  return numberOf('activation', [...kinds][0]);
}

interface Limits {
  vocab: number;
  slots: number;
  positions: number;
}

/** The kernel does not check indices. @throws RangeError */
function checkPlaces({ tokens, starts, slots, past }: Places, limits: Limits): void {
  checkStarts(starts, tokens.length);
  checkIds(tokens, limits.vocab);
  checkIds(slots, limits.slots);
  const taken = new Set<number>();
  for (let row = 0; row < slots.length; row++) {
    const count = starts[row + 1] - starts[row];
    if (count < 1) throw new RangeError(`Row ${row} has no new token`);
    if (!(past[row] >= 0 && past[row] + count <= limits.positions)) {
      throw new RangeError(
        `Row ${row}: ${count} tokens after ${past[row]} do not fit into ${limits.positions} positions`,
      );
    }
    taken.add(slots[row]);
  }
  if (taken.size < slots.length) throw new RangeError(`Cache slots ${Array.from(slots)} are not distinct`);
}
