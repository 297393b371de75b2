/** Memory model of an engine process, from its report about a student and its device. */
import { type Learner, type Memory, type MemoryModel, noMemory } from '../../engine-data/memory';
import { machineBudget } from '../embedded/memory-limits';
import type { MemoryFacts } from './wire';

/** The usable share of a GPU's memory: a GPU runs little else. */
const deviceBudget = 6e9;

/** `factsOf`: the engine's report about the student with the learner's adapter, or without one. */
export function memoryModel(device: string, factsOf: (lora: Learner['lora']) => MemoryFacts): MemoryModel {
  const permanent = ({ lora, copies }: Learner, training: boolean): Memory => {
    const { weights, trained } = factsOf(lora);
    return { ...noMemory, weights, copies: copies * trained, moments: training ? 2 * trained : 0 };
  };
  return {
    budget: device === 'cpu' ? machineBudget : deviceBudget,
    limits() {
      const { free, total } = factsOf(null);
      return free === null || total === null ? null : { free, total };
    },
    update(learner, { tokens, targets, checkpointing }) {
      const facts = factsOf(learner.lora);
      return {
        ...permanent(learner, true),
        gradients: facts.trained,
        activations: tokens * (checkpointing ? facts.tokenAgain : facts.token),
        vocabulary: Math.min(facts.targets, targets * facts.target),
      };
    },
    generation(learner, { rows, promptTokens, newTokens }, training) {
      const facts = factsOf(learner.lora);
      const cache = rows * ((promptTokens + newTokens) * facts.cache + facts.target);
      return { ...permanent(learner, training), merged: facts.merged, cache };
    },
  };
}
