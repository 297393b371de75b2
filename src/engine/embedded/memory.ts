/**
 * How much memory training takes, from shapes alone: what the engine allocates at the moment it holds most. Follows
 * what the tape keeps for each kernel (kernels/gradients.ts), on the embedded backend, where tensors lie in blocks of
 * few sizes (kernels/native/pool.ts).
 */
import {
  type Generation,
  type Learner,
  type Memory,
  type MemoryModel,
  noMemory,
  type Pass,
} from '../../engine-data/memory';
import type { BackendName } from '../../kernels/backends';
import { sizeClass } from '../../kernels/native/pool';
import { adapterShapes } from '../../student-files/adapter';
import type { ModelConfig } from '../../student-files/config';
import { embedName, headName, parameterShapes } from '../../student-files/parameters';
import { savedByLayer } from './layer-memory';
import { machineBudget, memoryLimits } from './memory-limits';

/** A float32 tensor of so many numbers. */
const floats = (count: number) => (count > 0 ? sizeClass(4 * count) : 0);
const size = (shape: readonly number[]) => shape.reduce((product, dimension) => product * dimension, 1);
const held = (shapes: Map<string, readonly number[]>) =>
  [...shapes.values()].reduce((sum, shape) => sum + floats(size(shape)), 0);

/** Chunks of the logits on the embedded backend are at most so wide and high (kernels/embedded/vocabulary.ts). */
const chunk = 1024;

/** What lies there whatever goes on: weights, copies, and while training the moments. */
function standing(config: ModelConfig, { lora, copies }: Learner, training: boolean): Memory {
  const whole = parameterShapes(config);
  const trained = held(trainedShapes(config, lora));
  return {
    ...noMemory,
    weights: held(whole) + (lora ? trained : 0),
    copies: copies * trained,
    moments: training ? 2 * trained : 0,
  };
}

const trainedShapes = (config: ModelConfig, lora: Learner['lora']): Map<string, number[]> =>
  lora ? adapterShapes(config, { alpha: 1, dropout: 0, ...lora }) : parameterShapes(config);

/** At the peak of an update: in its forward and backward passes. */
export function updateMemory(config: ModelConfig, learner: Learner, pass: Pass): Memory {
  const { lora } = learner;
  const { tokens, targets, checkpointing, accumulated } = pass;
  const d = config.hiddenSize;
  const trained = held(trainedShapes(config, lora));
  const layer = layerActivations(config, lora, tokens);
  const saved = checkpointing ? (config.layers - 1) * floats(tokens * d) + layer.saved : config.layers * layer.saved;
  const outer = floats(tokens * d) * 2 + floats(targets * d) + 4 * floats(targets);
  const head = lora ? 0 : floats(config.vocabSize * d);
  const vocabulary = floats(Math.min(targets, chunk) * Math.min(config.vocabSize, chunk));
  // The pass holds most either where it turns round, or at its end, when every gradient is there.
  const turning = {
    gradients: head,
    // the chunks of the logits go before the layers' turn comes
    activations: saved + outer + Math.max(layer.backward - vocabulary, floats(targets * d) + floats(tokens * d)),
  };
  const ending = {
    gradients: trained + (config.tied ? 2 * head : head),
    activations: layer.saved + layer.backward,
  };
  const sum = (part: typeof turning) => part.gradients + part.activations;
  const most = sum(turning) >= sum(ending) ? turning : ending;
  return {
    ...standing(config, learner, true),
    gradients: most.gradients + (accumulated ? trained : 0),
    activations: most.activations,
    vocabulary,
  };
}

/** Bytes that one layer keeps for the backward pass (the one that keeps most), and what that pass needs beside them. */
function layerActivations(config: ModelConfig, lora: Learner['lora'], tokens: number) {
  const { layerSpecs, intermediateSize } = config;
  const bytes = layerSpecs.map((spec) =>
    savedByLayer({ config, lora }, spec, tokens).reduce((sum, numbers) => sum + floats(numbers), 0),
  );
  // Most in the gradient of the MLP: three tensors as wide as it, where one that was saved has gone already.
  return { saved: Math.max(...bytes), backward: 2 * floats(tokens * intermediateSize) };
}

/** At the peak of a generation. */
export function generationMemory(
  config: ModelConfig,
  learner: Learner,
  generation: Generation,
  training: boolean,
): Memory {
  const { rows, prompts, promptTokens, newTokens } = generation;
  const { layers, kvHeads, headDim, vocabSize } = config;
  const length = promptTokens + newTokens - 1;
  const keys = floats(layers * rows * kvHeads * length * headDim);
  const logits = Math.max(2 * floats(rows * vocabSize), 3 * floats(prompts * vocabSize));
  return { ...standing(config, learner, training), merged: packedWeights(config), cache: 2 * keys + logits };
}

/**
 * Matrices exist twice while they generate: packed, in blocks of up to 32 rows (kernels/pack.h), the adapter in them.
 */
function packedWeights(config: ModelConfig): number {
  const block = 32;
  const packed = ([rows, columns]: readonly number[]) => floats(Math.ceil(rows / block) * block * columns);
  const matrices = [...parameterShapes(config)].filter(([name, { length }]) => length === 2 && name !== embedName);
  const head = [config.vocabSize, config.hiddenSize];
  return matrices.reduce((sum, [name, shape]) => (name === headName ? sum : sum + packed(shape)), packed(head));
}

/**
 * Of a student on a backend of this engine; `isa`: the instruction set that it was found to run, once it is started.
 */
export function memoryModel(config: ModelConfig, backend: BackendName | 'auto', isa?: string): MemoryModel {
  return {
    budget: machineBudget,
    limits: () => memoryLimits(backend, isa),
    update: (learner, pass) => updateMemory(config, learner, pass),
    generation: (learner, generation, training) => generationMemory(config, learner, generation, training),
  };
}
