import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Experiment, ExperimentFile } from '../../config/experiment';
import { resolveExperiment } from '../../config/load';
import { useBackend } from '../../kernels/backends';
import { testedBackend } from '../../kernels/testing/backends';
import { parseModelConfig } from '../../model/config';
import { saveStudent } from '../../model/hf-folder';
import { tinyConfig, tinyTokenizer } from '../../model/testing/tiny';
import { createModel, disposeModel } from '../../model/transformer';

/** A scratch folder with a random student of a few thousand parameters in `student/`. */
export async function tinyWorkspace(): Promise<string> {
  await useBackend(testedBackend);
  const folder = mkdtempSync(join(tmpdir(), 'distillery-'));
  const { json, config } = tinyTokenizer();
  const vocabulary = Object.keys((json.model as { vocab: object }).vocab).length;
  const model = createModel(
    parseModelConfig(tinyConfig('qwen2', { vocab_size: vocabulary, max_position_embeddings: 32768, eos_token_id: 0 })),
    1,
  );
  saveStudent(join(folder, 'student'), model);
  disposeModel(model);
  writeFileSync(join(folder, 'student', 'tokenizer.json'), JSON.stringify(json));
  writeFileSync(join(folder, 'student', 'tokenizer_config.json'), JSON.stringify(config));
  return folder;
}

/** An experiment of a few updates a stage, which no student learns anything from, but in which everything happens. */
export function tinyExperiment(folder: string, changes: Partial<ExperimentFile> = {}): Experiment {
  const supervised = { updates: 3, batch: 4, learningRate: 1e-3 };
  const grpo = {
    updates: 3,
    prompts: 2,
    group: 3,
    maxNewTokens: 12,
    learningRate: 1e-3,
    reward: { components: [{ use: 'correctness' as const }, { use: 'repetition' as const }] },
  };
  return resolveExperiment(
    {
      name: 'tiny',
      ...(testedBackend === 'embedded' ? {} : { backend: testedBackend }),
      student: { path: 'student' },
      data: {
        train: { format: 'arithmetic', seed: 1, count: 14, operations: [2, 2] },
        test: { format: 'arithmetic', seed: 2, count: 5, operations: [2, 2] },
        validation: 4,
      },
      stages: {
        reconstruct: supervised,
        complete: grpo,
        rewrite: { ...grpo, internalise: { ...supervised, replayTeacher: 0.5 }, failures: { samples: 2 } },
      },
      baselines: { sft: supervised },
      evaluation: { every: 2, maxNewTokens: 16 },
      ...changes,
    },
    folder,
  );
}
