/**
 * Peak memory of training, computed from shapes alone. It follows what the tape saves for each kernel
 * (kernels/gradients.ts), on the embedded backend, which allocates tensors in blocks of few sizes
 * (kernels/native/pool.ts).
 */
import {
  type Generation,
  type Learner,
  type Memory,
  type MemoryModel,
  noMemory,
  type PassSize,
} from '../../engine-data/memory';
import type { BackendName } from '../../kernels/backends';
import { decodeSpace } from '../../kernels/embedded/decode-space';
import { sizeClass } from '../../kernels/native/pool';
import { adapterShapes } from '../../student-files/adapter';
import type { ModelConfig } from '../../student-files/config';
import { embedName, headName, parameterShapes } from '../../student-files/parameters';
import { savedByLayer } from './layer-memory';
import { machineBudget, memoryLimits } from './memory-limits';

/** Bytes of a float32 tensor with this many elements. */
const floats = (count: number) => (count > 0 ? sizeClass(4 * count) : 0);
const size = (shape: readonly number[]) => shape.reduce((product, dimension) => product * dimension, 1);
const bytesOfShapes = (shapes: Map<string, readonly number[]>) =>
  [...shapes.values()].reduce((sum, shape) => sum + floats(size(shape)), 0);

/** Size limits of a chunk of logits on the embedded backend (kernels/embedded/vocabulary.ts). */
const chunk = 1024;

/** Permanent memory: weights, copies, and during training the moments. */
function permanentMemory(config: ModelConfig, { lora, copies }: Learner, training: boolean): Memory {
  const whole = parameterShapes(config);
  const trained = bytesOfShapes(trainedShapes(config, lora));
  return {
    ...noMemory,
    weights: bytesOfShapes(whole) + (lora ? trained : 0),
    copies: copies * trained,
    moments: training ? 2 * trained : 0,
  };
}

const trainedShapes = (config: ModelConfig, lora: Learner['lora']): Map<string, number[]> =>
  lora ? adapterShapes(config, { alpha: 1, dropout: 0, ...lora }) : parameterShapes(config);

/** Peak of an update, over its forward and backward passes. */
export function updateMemory(config: ModelConfig, learner: Learner, pass: PassSize): Memory {
  const { lora } = learner;
  const { tokens, targets, checkpointing, accumulated } = pass;
  const d = config.hiddenSize;
  const trained = bytesOfShapes(trainedShapes(config, lora));
  const layer = layerActivations(config, lora, tokens);
  const saved = checkpointing ? (config.layers - 1) * floats(tokens * d) + layer.saved : config.layers * layer.saved;
  const outer = floats(tokens * d) * 2 + floats(targets * d) + 4 * floats(targets);
  const head = lora ? 0 : floats(config.vocabSize * d);
  const vocabulary = floats(Math.min(targets, chunk) * Math.min(config.vocabSize, chunk));
  // The peak is either between forward and backward pass, or at the end, when every gradient exists.
  const turning = {
    gradients: head,
    // the chunks of logits are freed before the layers' backward passes
    activations: saved + outer + Math.max(layer.backward - vocabulary, floats(targets * d) + floats(tokens * d)),
  };
  const ending = {
    gradients: trained + (config.tied ? 2 * head : head),
    activations: layer.saved + layer.backward,
  };
  const sum = (part: typeof turning) => part.gradients + part.activations;
  const most = sum(turning) >= sum(ending) ? turning : ending;
  return {
    ...permanentMemory(config, learner, true),
    gradients: most.gradients + (accumulated ? trained : 0),
    activations: most.activations,
    vocabulary,
  };
}

/** Bytes that one layer saves for the backward pass (the layer that saves most), and the work space of its own pass. */
function layerActivations(config: ModelConfig, lora: Learner['lora'], tokens: number) {
  const { layerSpecs, intermediateSize } = config;
  const bytes = layerSpecs.map((spec) =>
    savedByLayer({ config, lora }, spec, tokens).reduce((sum, numbers) => sum + floats(numbers), 0),
  );
  // The maximum is in the MLP's gradient: three tensors of its width, when one of the saved ones is already freed.
  return { saved: Math.max(...bytes), backward: 2 * floats(tokens * intermediateSize) };
}

/** Peak of sampling. */
export function generationMemory(
  config: ModelConfig,
  learner: Learner,
  generation: Generation,
  training: boolean,
): Memory {
  const { rows, prompts, promptTokens, newTokens } = generation;
  const { layers, heads, kvHeads, headDim, vocabSize, hiddenSize, intermediateSize } = config;
  const length = promptTokens + newTokens - 1;
  const keys = floats(layers * rows * kvHeads * length * headDim);
  const logits = Math.max(2 * floats(rows * vocabSize), 3 * floats(prompts * vocabSize));
  const widths = { hidden: hiddenSize, heads, kvHeads, headDim, inner: intermediateSize };
  const space = floats(decodeSpace(widths, prompts * promptTokens, rows).floats);
  const cache = 2 * keys + logits + space;
  return { ...permanentMemory(config, learner, training), merged: packedWeights(config), cache };
}

/**
 * Matrices exist twice during sampling: also packed in blocks of up to 32 rows (kernels/pack.h), with the adapter
 * merged.
 */
function packedWeights(config: ModelConfig): number {
  const block = 32;
  const packed = ([rows, columns]: readonly number[]) => floats(Math.ceil(rows / block) * block * columns);
  const matrices = [...parameterShapes(config)].filter(([name, { length }]) => length === 2 && name !== embedName);
  const head = [config.vocabSize, config.hiddenSize];
  return matrices.reduce((sum, [name, shape]) => (name === headName ? sum : sum + packed(shape)), packed(head));
}

/** The memory model of a student on a backend of this engine; `isa` is the instruction set in use, once started. */
export function memoryModel(config: ModelConfig, backend: BackendName | 'auto', isa?: string): MemoryModel {
  return {
    budget: machineBudget,
    limits: () => memoryLimits(backend, isa),
    update: (learner, pass) => updateMemory(config, learner, pass),
    generation: (learner, generation, training) => generationMemory(config, learner, generation, training),
  };
}
