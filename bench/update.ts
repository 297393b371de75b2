/**
 * The work of the profile and of the comparison with TRL: whole GRPO updates of two students by the code of training.
 */
import { peer } from '../scripts/peers/peers';
import { defaultLora } from '../src/config/lora';
import { EmbeddedStudent } from '../src/engine/embedded/student';
import type { Student } from '../src/engine/port';
import type { Episode } from '../src/engine-data/examples';
import type { GrpoOptions, ProductPrecision } from '../src/engine-data/training';
import { plainGrpo } from '../src/learning/testing/settings';
import { loadModel } from '../src/model/hf-folder';
import { createAdapter } from '../src/model/lora';
import { createModel, type Model } from '../src/model/transformer';
import { Random } from '../src/random';
import { config, modelSeed } from './workload';

/** A student with the size of its updates. */
export interface UpdateWork {
  title: string;
  model: Model;
  prompts: number[][];
  group: number;
  newTokens: number;
  microBatchTokens: number;
}

const randomPrompts = (count: number, length: number, vocab: number): number[][] => {
  const random = new Random(2);
  return Array.from({ length: count }, () => Array.from({ length }, () => random.integer(0, vocab - 1)));
};

export function smallWork(): UpdateWork {
  return {
    title: '3 M, all weights, 16 completions of 128 tokens',
    model: createModel(config, modelSeed),
    prompts: randomPrompts(2, 16, config.vocabSize),
    group: 8,
    newTokens: 128,
    microBatchTokens: 8192,
  };
}

/** SmolLM2-135M with an adapter, or another student; null if it is not available. */
export async function pretrainedWork(student?: string): Promise<UpdateWork | null> {
  const path = student ?? (await peer('smollm2'));
  if (!path) return null;
  const model = loadModel(path);
  model.adapter = createAdapter(model.config, defaultLora, { path, fingerprint: '' }, 1);
  return {
    title: 'SmolLM2-135M, adapter of rank 16, 8 completions of 256 tokens',
    model,
    prompts: randomPrompts(2, 96, model.config.vocabSize),
    group: 4,
    newTokens: 256,
    microBatchTokens: 1024, // the value that "auto" chooses
  };
}

const options: GrpoOptions = { ...plainGrpo, weightDecay: 0.01, loss: 'dapo', replayWeight: 0 };

/** The student of `work` in this process. */
export const embeddedStudent = ({ model }: UpdateWork): Student => new EmbeddedStudent(model, '', () => {});

/**
 * Runs updates of a student on any engine; on the embedded one, sampling and matrix products have the given precision.
 * Generation and training can be timed separately.
 */
export function openUpdates(student: Student, work: UpdateWork, precision: ProductPrecision = 'float32') {
  const { prompts, group, newTokens, microBatchTokens } = work;
  const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
  let seed = 0;
  return {
    async generate(): Promise<Episode[]> {
      seed++;
      const how = { sampling, maxNewTokens: newTokens, eosIds: [], seed, groupSize: group, precision };
      const { completions } = await student.sample(prompts, how);
      // Any reward will do: half of each group gets the higher one.
      return completions.map(({ prompt, completion, tokens, logProbs }) => ({
        prompt: prompts[prompt],
        completion: tokens,
        logProbs,
        advantage: completion % 2 ? 1 : -1,
        masked: false,
      }));
    },
    train(episodes: readonly Episode[]) {
      const how = { ...options, microBatchTokens, maxNewTokens: newTokens, precision, samplingPrecision: precision };
      return student.grpoStep({ episodes, replay: [], reference: null, learningRate: 1e-4, seed }, how);
    },
  };
}

/** Processor time of this process, in seconds. */
export function spentSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
