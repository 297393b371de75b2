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
import { type GroupOf, numberOf } from '../native/table';
import { checkStarts } from './attend';
import type { Call, Data, EmbeddedBackend } from './backend';
import { decodeSpace } from './decode-space';
import { inPlace } from './in-place';
import { pack } from './pack';
import { registerEmbedded } from './register';
import { checkIds } from './rows';

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
    const decoding = new DecodeCall(backend, weights, { keys, values, logits }, attrs, packing);
    try {
      decoding.run(places, places);
    } finally {
      decoding.dispose();
    }
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
type StepPlaces = Record<keyof DecodeInput, ArrayLike<number>>;

/** The places as the kernel's data; the arrays may be longer. */
type DecodeData = Record<keyof DecodeInput, Values>;

/**
 * Calls of the kernel with the same weights and cache: everything constant is looked up once, and so is the temporary
 * space.
 */
export class DecodeCall {
  private readonly kernel: (data: DecodeData, size: { rows: number; chunk: number }, temp: TensorInfo) => void;
  private readonly widths: Parameters<typeof decodeSpace>[0];
  private readonly limits: PlaceLimits;
  private space: TensorInfo | null = null;

  constructor(
    private readonly backend: EmbeddedBackend,
    inputs: Record<string, TensorInfo | null | undefined>,
    { keys, values, logits }: DecodeState,
    { heads, kvHeads, headDim, specs, scale, norm, embedScale }: DecoderShape,
    { precision, inner }: Packing,
  ) {
    const [vocab, d] = inputs.embed!.shape;
    const [, slotCount, , maxLength] = keys.shape;
    if (d > 8192 || headDim > 1024 || maxLength > 65536) throw new RangeError('A layer too wide, or a cache too long');
    const positions = Math.min(maxLength, ...tablesOf(inputs).map(({ cos }) => cos!.shape[0]));
    this.limits = { vocab, slots: slotCount, positions };
    this.widths = { hidden: d, heads, kvHeads, headDim, inner };
    const some = (name: string): Values | null => (inputs[name] ? backend.values(inputs[name]) : null);
    const data = (name: string): Values => backend.values(inputs[name]!);
    const weights = [data('embed'), data('norm'), data('head')] as const;
    const sizes = [d, heads, kvHeads, headDim, inner, vocab, specs.length, slotCount, maxLength] as const;
    const numbers = [scale, norm.eps, norm.offset, embedScale, activationOf(specs)] as const;
    const rounding = numberOf('precision', precision);
    const layers = specs.map(({ window, rope }, i): GroupOf<'decode_step', Data> => {
      const table = (name: string) => (rope === null ? null : some(`${name}${rope}`));
      const needed = (name: keyof LayerWeights) => data(`${i}.${name}`);
      const optional = (name: keyof LayerWeights) => some(`${i}.${name}`);
      return [
        window ?? 0,
        table('cos'),
        table('sin'),
        needed('inputNorm'),
        needed('q'),
        needed('k'),
        needed('v'),
        needed('o'),
        optional('qBias'),
        optional('kBias'),
        optional('vBias'),
        optional('qNorm'),
        optional('kNorm'),
        optional('attentionOutputNorm'),
        needed('mlpNorm'),
        needed('gate'),
        needed('up'),
        needed('down'),
        optional('mlpOutputNorm'),
      ];
    });
    this.kernel = ({ tokens, starts, slots, past }, { rows, chunk }, temp) => {
      const state = [tokens, starts, slots, past, keys, values, ...weights, logits, temp] as const;
      const how = [...numbers, chunk, rounding, backend.decodeTimes] as const;
      backend.call.decode_step(...state, rows, ...sizes, ...how, layers);
    };
  }

  /** Writes the logits after each row's last token. `places` are checked; `data` holds the same for the kernel. */
  run(places: StepPlaces, data: DecodeData): void {
    checkPlaces(places, this.limits);
    const rows = places.slots.length;
    const { chunk, floats } = decodeSpace(this.widths, places.tokens.length, rows);
    this.kernel(data, { rows, chunk }, this.spaceOf(floats));
  }

  dispose(): void {
    if (this.space) this.backend.disposeIntermediateTensorInfo(this.space);
    this.space = null;
  }

  /** Space for at least this many floats. */
  private spaceOf(floats: number): TensorInfo {
    if (this.space && this.space.shape[0] >= floats) return this.space;
    this.dispose();
    this.space = this.backend.output([floats]);
    return this.space;
  }
}

/** All layers of a student have the same one. */
function activationOf(specs: DecodeAttrs['specs']): number {
  const kinds = new Set(specs.map(({ activation }) => activation));
  if (kinds.size > 1) throw new RangeError(`Layers with different activations: ${[...kinds]}`);
  return numberOf('activation', [...kinds][0]);
}

interface PlaceLimits {
  vocab: number;
  slots: number;
  positions: number;
}

/** The kernel does not check indices. @throws RangeError */
function checkPlaces({ tokens, starts, slots, past }: StepPlaces, limits: PlaceLimits): void {
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
