import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Experiment, ExperimentInput } from '../../config/experiment';
import { resolveExperiment } from '../../config/load';
import { useBackend } from '../../kernels/backends';
import { testedBackend } from '../../kernels/testing/backends';
import { saveStudent } from '../../model/hf-folder';
import { createModel, disposeModel } from '../../model/transformer';
import { packageRoot } from '../../paths';
import { parseModelConfig } from '../../student-files/config';
import { copyCompanions } from '../../student-files/folder';
import { tinyConfig } from '../../student-files/testing/tiny';
import { Stopped } from '../context';
import type { SessionOptions } from '../session';

/** Its tokenizer, of whole words, keeps the sequences short: attention would be most of a run's time. */
const builtInStudent = join(packageRoot(), 'examples', 'arithmetic', 'student');

/** A temporary folder with a random student of a few thousand parameters in `student/`. */
export async function tinyWorkspace(): Promise<string> {
  await useBackend(testedBackend);
  const folder = mkdtempSync(join(tmpdir(), 'distillery-'));
  const { vocab_size } = JSON.parse(readFileSync(join(builtInStudent, 'config.json'), 'utf8'));
  const model = createModel(
    parseModelConfig(tinyConfig('qwen2', { vocab_size, max_position_embeddings: 32768, eos_token_id: 0 })),
    1,
  );
  saveStudent(join(folder, 'student'), model);
  disposeModel(model);
  copyCompanions(builtInStudent, join(folder, 'student'));
  return folder;
}

interface TinySizes {
  updates: number;
  batch: number;
  maxNewTokens: number;
  /** Problems for training, test and validation. */
  problems: [train: number, test: number, validation: number];
  /** Completions per problem in the search for failures. */
  samples: number;
  evaluationTokens: number;
}

/** An experiment in which every part of a run happens, with the cheapest rewards. */
export function tinyInput(sizes: TinySizes): ExperimentInput {
  const { updates, batch, maxNewTokens, samples, evaluationTokens } = sizes;
  const [train, test, validation] = sizes.problems;
  const supervised = { updates, batch, learningRate: 1e-3 };
  const reward = { components: [{ use: 'correctness' as const }, { use: 'repetition' as const }] };
  const grpo = { updates, prompts: 2, group: 3, maxNewTokens, learningRate: 1e-3, reward };
  return {
    name: 'tiny',
    student: { path: 'student' },
    data: {
      train: { format: 'arithmetic', seed: 1, count: train, operations: [2, 2] },
      test: { format: 'arithmetic', seed: 2, count: test, operations: [2, 2] },
      validation,
    },
    stages: {
      reconstruct: supervised,
      complete: grpo,
      rewrite: { ...grpo, internalise: { ...supervised, replayTeacher: 0.5 }, failures: { samples } },
    },
    baselines: { sft: supervised },
    evaluation: { every: 2, maxNewTokens: evaluationTokens },
  };
}

/** An experiment with a few updates per stage, too few to learn anything. */
export function tinyExperiment(folder: string, changes: Partial<ExperimentInput> = {}): Experiment {
  const sizes = { updates: 3, batch: 4, maxNewTokens: 12, samples: 2, evaluationTokens: 16 };
  const backend = testedBackend === 'embedded' ? {} : { backend: testedBackend };
  return resolveExperiment({ ...tinyInput({ ...sizes, problems: [14, 5, 4] }), ...backend, ...changes }, folder);
}

/** Starts a run, stops it after this many updates, and returns its folder. */
export async function stopAfter(
  updates: number,
  start: (options: Partial<SessionOptions>) => Promise<unknown>,
): Promise<string> {
  const stop = new AbortController();
  let run = '';
  let seen = 0;
  const notify: SessionOptions['notify'] = (event) => {
    if (event.type === 'update' && ++seen === updates) stop.abort();
  };
  const onStart: SessionOptions['onStart'] = (writer) => {
    run = writer.folder;
  };
  // No test library here: programs outside of tests use this file, too.
  try {
    await start({ notify, signal: stop.signal, onStart });
  } catch (error) {
    if (error instanceof Stopped) return run;
    throw error;
  }
  throw new Error(`the run finished before ${updates} updates`);
}
