import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maskText } from '../../chain/prompts';
import type { Experiment, ExperimentInput } from '../../config/experiment';
import { resolveExperiment } from '../../config/load';
import { useBackend } from '../../kernels/backends';
import { testedBackend } from '../../kernels/testing/backends';
import { saveStudent } from '../../model/hf-folder';
import { createModel, disposeModel } from '../../model/transformer';
import { parseModelConfig } from '../../student-files/config';
import { tinyConfig, tinyTokenizer } from '../../student-files/testing/tiny';
import { Stopped } from '../context';
import type { SessionOptions } from '../session';

/** The tiny tokenizer with [MASK] as a special token, as in the built-in student. */
function tokenizerWithMask() {
  const { json, config } = tinyTokenizer();
  const { vocab } = json.model as { vocab: Record<string, number> };
  const id = Object.keys(vocab).length;
  vocab[maskText] = id;
  const added = json.added_tokens as object[];
  added.push({ ...added[0], id, content: maskText });
  return { json, config, size: id + 1 };
}

/** A temporary folder with a random student of a few thousand parameters in `student/`. */
export async function tinyWorkspace(): Promise<string> {
  await useBackend(testedBackend);
  const folder = mkdtempSync(join(tmpdir(), 'distillery-'));
  const { json, config, size } = tokenizerWithMask();
  const model = createModel(
    parseModelConfig(tinyConfig('qwen2', { vocab_size: size, max_position_embeddings: 32768, eos_token_id: 0 })),
    1,
  );
  saveStudent(join(folder, 'student'), model);
  disposeModel(model);
  writeFileSync(join(folder, 'student', 'tokenizer.json'), JSON.stringify(json));
  writeFileSync(join(folder, 'student', 'tokenizer_config.json'), JSON.stringify(config));
  return folder;
}

/** All three stages with the same settings. */
export const sameStages = <Supervised extends object, Grpo extends object>(
  supervised: Supervised,
  grpo: Grpo,
  samples: number,
) => ({
  reconstruct: supervised,
  complete: grpo,
  rewrite: { ...grpo, internalise: { ...supervised, replayTeacher: 0.5 }, failures: { samples } },
});

/** Short arithmetic problems, this many of each kind. */
export const shortProblems = (train: number, test: number, validation: number): ExperimentInput['data'] => ({
  train: { format: 'arithmetic', seed: 1, count: train, operations: [2, 2] },
  test: { format: 'arithmetic', seed: 2, count: test, operations: [2, 2] },
  validation,
});

/** Only the cheapest components. */
export const plainReward = { components: [{ use: 'correctness' as const }, { use: 'repetition' as const }] };

/** An experiment with a few updates per stage: too few to learn anything, but every part of a run happens. */
export function tinyExperiment(folder: string, changes: Partial<ExperimentInput> = {}): Experiment {
  const supervised = { updates: 3, batch: 4, learningRate: 1e-3 };
  const grpo = { updates: 3, prompts: 2, group: 3, maxNewTokens: 12, learningRate: 1e-3, reward: plainReward };
  return resolveExperiment(
    {
      name: 'tiny',
      ...(testedBackend === 'embedded' ? {} : { backend: testedBackend }),
      student: { path: 'student' },
      data: shortProblems(14, 5, 4),
      stages: sameStages(supervised, grpo, 2),
      baselines: { sft: supervised },
      evaluation: { every: 2, maxNewTokens: 16 },
      ...changes,
    },
    folder,
  );
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
