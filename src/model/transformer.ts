/**
 * The decoder-only transformer over packed sequences (see kernels/interface.ts), for the families in
 * student-files/families.ts.
 *
 * A model is plain data: a config and a map of tensors with Hugging Face's names. Parameters are ordinary tensors
 * marked `keep`, not tf.Variables: tf.engine().gradients(loss, [...model.parameters.values()]) differentiates with
 * respect to them as it does for variables, and an optimizer that consumes one and returns another sets the map's entry
 * (also marked `keep`).
 * The owner of a model disposes it. With an adapter (lora.ts) the parameters are frozen and read-only, and models that
 * differ only in their adapter share them.
 */
import {
  dispose,
  keep,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { checkpointed } from '../kernels/checkpoint';
import {
  adaptedLinear,
  type DecoderShape,
  type DecoderWeights,
  type LayerWeights,
  type NormShape,
  type RopeTables,
  rmsNorm,
  type Sequences,
  seededDropout,
} from '../kernels/interface';
import { decoderLayer, type LayerOps } from '../kernels/layer';
import { embedTokens, tensorOps } from '../kernels/tensor-ops';
import { bits } from '../random';
import { adapterScale } from '../student-files/adapter';
import { checkLength, checkTokens, type ModelConfig } from '../student-files/config';
import {
  embedName,
  headName,
  initialValues,
  layerName,
  layerWeights,
  normName,
  parameterShapes,
} from '../student-files/parameters';
import { ropeValues } from '../student-files/rope';
import { type Adapter, adapterOf } from './lora';

export interface Model {
  readonly config: ModelConfig;
  /** By Hugging Face name, in the order of parameterShapes. Entries may be replaced by tensors of the same shape. */
  readonly parameters: Map<string, Tensor>;
  /** Trained instead of the parameters; null when the parameters are trained. */
  adapter: Adapter | null;
  /** RoPE tables [positions, headDim / 2], created on first use and again for longer sequences. */
  ropes: RopeTables[] | null;
}

/** A model with random parameters, a function of config and seed. */
export function createModel(config: ModelConfig, seed: number): Model {
  return modelFrom(config, (name, shape) => initialValues(config, name, shape, seed));
}

/**
 * A model with the values that `read` returns for each name and shape of the config; it takes ownership of the arrays.
 */
export function modelFrom(config: ModelConfig, read: (name: string, shape: number[]) => Float32Array): Model {
  const parameters = new Map<string, Tensor>();
  try {
    for (const [name, shape] of parameterShapes(config)) parameters.set(name, keep(tensor(read(name, shape), shape)));
  } catch (error) {
    for (const parameter of parameters.values()) parameter.dispose();
    throw error;
  }
  return { config, parameters, adapter: null, ropes: null };
}

/** The trainable tensors by name: the adapter's parameters, or without one the model's own. Entries may be replaced. */
export function trainableParameters({ adapter, parameters }: Model): Map<string, Tensor> {
  return adapter ? adapter.parameters : parameters;
}

/** The model without its adapter: all weights are shared. */
export function shareFrozen({ config, parameters }: Model): Model {
  const shared = new Map([...parameters].map(([name, parameter]) => [name, keep(parameter.clone())]));
  return { config, parameters: shared, adapter: null, ropes: null };
}

export function disposeModel(model: Model): void {
  for (const parameter of model.adapter?.parameters.values() ?? []) parameter.dispose();
  model.adapter?.parameters.clear();
  for (const parameter of model.parameters.values()) parameter.dispose();
  disposeRopes(model);
  model.parameters.clear();
}

/** Consecutive sequences. The caller disposes its tensors: tf.dispose(batch). */
export interface PackedBatch extends Sequences {
  /** int32 [n] */
  tokens: Tensor1D;
  /** int32 [n]: position of each token in its sequence, after its parent's tokens. */
  positions: Tensor1D;
}

/** Packs sequences of token ids; those with a parent (see Sequences) continue it. */
export function pack(sequences: readonly (readonly number[])[], parents?: readonly number[]): PackedBatch {
  const starts = [0];
  for (const sequence of sequences) starts.push(starts[starts.length - 1] + sequence.length);
  const before = (s: number) => sequences[parents?.[s] ?? -1]?.length ?? 0;
  const int32 = (values: readonly number[]) => tensor1d(Int32Array.from(values), 'int32');
  return {
    tokens: int32(sequences.flat()),
    starts: int32(starts),
    parents: parents ? int32(parents) : null,
    positions: int32(sequences.flatMap((sequence, s) => sequence.map((_, i) => before(s) + i))),
  };
}

/** Settings for training only. */
export interface DropoutSettings {
  /** Rate of residual dropout: after the output projections of attention and MLP. */
  dropout: number;
  /** Rate of dropout on the input of each adapter. */
  adapterDropout?: number;
  /** Seed of the dropout masks; use another one for each update. */
  seed: number;
  /**
   * Layers keep only their inputs for the backward pass and are recomputed there: a third more time, far less memory.
   */
  checkpointing?: boolean;
}

/** Hidden states after the final norm, [n, d]. @throws UserError when a sequence is longer than the model allows */
export function forward(model: Model, batch: PackedBatch, training?: DropoutSettings): Tensor2D {
  const { config } = model;
  checkTokens(config, batch.tokens.dataSync<'int32'>());
  const longest = 1 + batch.positions.dataSync<'int32'>().reduce((most, position) => Math.max(most, position), 0);
  return tidy(() => {
    const weights = decoderWeights(model, longest);
    let x = embedTokens(weights.embed, batch.tokens, config.embedScale);
    config.layerSpecs.forEach((spec, i) => {
      const ops = layerOps(model, weights, i, { batch, training });
      const compute = (input: Tensor2D): Tensor2D => decoderLayer(input, spec, ops);
      const input = x;
      // Tensors that the layer's gradient does not need are freed at the end of the layer, not of the model.
      x = tidy(() => (training?.checkpointing ? checkpointed(compute, input, trainedIn(model, i)) : compute(input)));
      if (i > 0) input.dispose(); // the tape has its own handle
    });
    return rmsNorm(x, weights.norm, normShape(config));
  });
}

function trainedIn({ config, adapter, parameters }: Model, layer: number): Tensor[] {
  const names = layerWeights.map((weight) => layerName(config, layer, weight));
  if (!adapter) return names.flatMap((name) => parameters.get(name) ?? []);
  return names.flatMap((name) => Object.values(adapterOf(adapter, name) ?? {}));
}

/** The operations of layer `i`: its weights, the adapter beside them, dropout on the residual branches. */
function layerOps(
  { adapter, config }: Model,
  { layers, ropes }: DecoderWeights,
  i: number,
  { batch, training }: { batch: PackedBatch; training?: DropoutSettings },
): LayerOps<Tensor2D> {
  const shape = decoderShape(config);
  const ops = tensorOps(layers[i], { positions: batch.positions, ropes, sequences: batch, shape });
  return {
    ...ops,
    linear(x, weight) {
      const pair = adapter && adapterOf(adapter, layerName(config, i, weight));
      if (!pair) return ops.linear(x, weight);
      return adaptedLinear(x, layers[i][weight], pair.a, pair.b, {
        scale: adapterScale(adapter.settings),
        dropout: training?.adapterDropout ?? 0,
        seed: training ? bits(training.seed, i, weight) >>> 1 : 0,
      });
    },
    residual(stream, given, branch) {
      if (!training?.dropout) return ops.residual(stream, given, branch);
      const seed = bits(training.seed, i, branch === 'attention' ? 0 : 1) >>> 1;
      return ops.residual(stream, seededDropout(given, training.dropout, seed), branch);
    },
  };
}

export function decoderShape(config: ModelConfig): DecoderShape {
  const { heads, kvHeads, headDim, attentionScale, embedScale, layerSpecs } = config;
  return { heads, kvHeads, headDim, scale: attentionScale, norm: normShape(config), embedScale, specs: layerSpecs };
}

const normShape = ({ normEps, normOffset }: ModelConfig): NormShape => ({ eps: normEps, offset: normOffset });

/** The output projection [vocab, d]: input of tokenLogProbs besides `forward`'s result. */
export function headWeight(model: Model): Tensor2D {
  return model.parameters.get(model.config.tied ? embedName : headName) as Tensor2D;
}

/**
 * The weights in the form that the kernels take, with RoPE tables for at least `positions` positions. Refers to the
 * present parameters: call it again after an update. Ignores adapters: decode with a merged model (merge.ts).
 */
export function decoderWeights(model: Model, positions = 1): DecoderWeights {
  const { config, parameters } = model;
  const layers = Array.from({ length: config.layers }, (_, i) => {
    return Object.fromEntries(
      layerWeights.map((weight) => [weight, parameters.get(layerName(config, i, weight)) ?? null]),
    ) as unknown as LayerWeights;
  });
  return {
    embed: parameters.get(embedName) as Tensor2D,
    layers,
    norm: parameters.get(normName) as Tensor1D,
    head: headWeight(model),
    ropes: ropeTables(model, positions),
  };
}

function ropeTables(model: Model, positions: number): RopeTables[] {
  const { headDim, maxPositions, ropes } = model.config;
  checkLength(model.config, positions);
  if (model.ropes && model.ropes[0].cos.shape[0] >= positions) return model.ropes;
  disposeRopes(model);
  // Powers of two, so that slowly growing sequences do not recreate the tables each time.
  const rows = Math.min(Math.max(256, 2 ** Math.ceil(Math.log2(positions))), maxPositions);
  const table = (values: Float32Array) => keep(tensor2d(values, [rows, headDim / 2]));
  model.ropes = ropes.map((rope) => {
    const { cos, sin } = ropeValues(headDim, rope, rows);
    return { cos: table(cos), sin: table(sin) };
  });
  return model.ropes;
}

function disposeRopes(model: Model): void {
  for (const { cos, sin } of model.ropes ?? []) dispose([cos, sin]);
  model.ropes = null;
}
