import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Sampling } from '../../engine-data/sampling';
import type {
  CacheSize,
  DecodeInput,
  DecoderWeights,
  Decoding,
  DecodingStep,
  Drawn,
  Packing,
  SlotCopies,
} from '../decoder';
import { cacheShape, type DecoderShape, decoderInputs } from '../interface';
import type { Values } from '../native/library';
import type { EmbeddedBackend } from './backend';
import { copyWithin } from './copy-slots';
import { DecodeCall } from './decode';

/** Decoding without a tensor per step: tokens and draws pass through buffers that live as long as the cache. */
export class EmbeddedDecoding implements Decoding {
  private readonly held: TensorInfo[] = [];
  private readonly keys: TensorInfo;
  private readonly values: TensorInfo;
  private readonly logits: Values;
  /** Temporary, for draws. */
  private readonly space: Values;
  private readonly vocab: number;
  private readonly places: Record<keyof DecodeInput, Values>;
  private readonly drawn: { uniforms: Values; ids: Values; logProbs: Values };
  private readonly call: DecodeCall;

  constructor(
    private readonly backend: EmbeddedBackend,
    weights: DecoderWeights & { packed: Packing },
    shape: DecoderShape,
    size: CacheSize,
  ) {
    const { slots } = size;
    const cache = cacheShape(shape, size);
    [this.keys, this.values] = [this.hold(cache), this.hold(cache)];
    this.vocab = weights.embed.shape[0];
    const logits = this.hold([slots, this.vocab]);
    this.logits = backend.mutable(logits);
    this.space = backend.mutable(this.hold([slots, this.vocab]));
    const int32 = (count: number) => backend.mutable(this.hold([count], 'int32'));
    this.places = { tokens: int32(slots), starts: int32(slots + 1), slots: int32(slots), past: int32(slots) };
    const float32 = () => backend.mutable(this.hold([slots]));
    this.drawn = { uniforms: float32(), ids: int32(slots), logProbs: float32() };
    const state = { keys: this.keys, values: this.values, logits };
    this.call = new DecodeCall(backend, decoderInputs(weights), state, shape, weights.packed);
  }

  step(step: DecodingStep): void {
    const { places } = this;
    if (step.tokens.length > places.tokens.length)
      places.tokens = this.backend.mutable(this.hold([step.tokens.length], 'int32'));
    for (const name of ['tokens', 'starts', 'slots', 'past'] as const) places[name].set(step[name]);
    this.call.run(step, places);
  }

  draw(first: number, uniforms: readonly number[], { temperature, topK, topP, minP }: Sampling): Drawn {
    const { drawn, vocab, space } = this;
    const rows = uniforms.length;
    const logits = first === 0 ? this.logits : this.logits.subarray(first * vocab);
    drawn.uniforms.set(uniforms);
    const { uniforms: given, ids, logProbs } = drawn;
    this.backend.call.sample_token(logits, given, ids, logProbs, space, rows, vocab, temperature, topK, topP, minP);
    return drawn;
  }

  copy(copies: SlotCopies): void {
    for (const cache of [this.keys, this.values]) copyWithin(this.backend, cache, copies);
  }

  dispose(): void {
    this.call.dispose();
    for (const tensor of this.held) this.backend.disposeIntermediateTensorInfo(tensor);
  }

  private hold(shape: number[], dtype: 'float32' | 'int32' = 'float32'): TensorInfo {
    const made = this.backend.output(shape, dtype);
    this.held.push(made);
    return made;
  }
}
