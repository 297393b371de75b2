/** Runs of the product itself, for tests of the records and of the views. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importCases } from '../../src/cases/import';
import type { ExperimentInput } from '../../src/config/experiment';
import { resolveExperiment } from '../../src/config/load';
import { Cancelled } from '../../src/curriculum/context';
import { startRun } from '../../src/curriculum/session';
import { importRollouts } from '../../src/imports/import';
import { packageRoot } from '../../src/paths';
import { readSummary } from '../../src/runs/reading';

export interface RealRuns {
  /** A scratch folder, to be removed. */
  scratch: string;
  /** A curriculum of a few updates on the built-in student, with a reference policy in Stage 2 and none in Stage 3. */
  whole: string;
  /** Stage 2 from a checkpoint of it, with `tokenMeasures` off. */
  continued: string;
  /** One that was cancelled. */
  cancelled: string;
  /** Imported cases. */
  imported: string;
  /** Runs of other trainers, brought in by `distillery import rollouts`. */
  foreign: string[];
}

const quiet = { notify: () => {}, signal: new AbortController().signal };

export async function makeRealRuns(): Promise<RealRuns> {
  const scratch = mkdtempSync(join(tmpdir(), 'distillery-real-'));
  const runs = join(scratch, 'runs');
  const start = (file: ExperimentInput, options = {}) =>
    startRun(resolveExperiment(file, scratch), runs, { ...quiet, ...options });
  const { folder: whole } = await start(experiment());
  const tested = readSummary(whole).find(({ stage }) => stage === 'complete')!.checkpoint!;
  const { folder: continued } = await start(
    experiment({
      student: { path: join(whole, 'checkpoints', tested) },
      stages: { complete: { ...grpo, tokenMeasures: false }, reconstruct: false, rewrite: false },
      baselines: { sft: false },
    }),
  );
  const stop = new AbortController();
  let cancelled = '';
  const onStart = (run: { folder: string }) => {
    cancelled = run.folder;
    stop.abort(new Cancelled());
  };
  await start(experiment(), { signal: stop.signal, onStart }).catch((error) => {
    if (!(error instanceof Cancelled)) throw error;
  });
  const answers = join(scratch, 'recorded.chains.jsonl');
  writeFileSync(answers, `${JSON.stringify(answer)}\n`);
  const { folder: imported } = await importCases(answers, runs);
  const foreign: string[] = [];
  for (const logged of ['trl', 'inspect', 'verl', 'openrlhf.jsonl']) {
    const made = await importRollouts(join('test/fixtures/rollouts', logged), { runsFolder: runs });
    foreign.push(...made.map(({ folder }) => folder));
  }
  return { scratch, whole, continued, cancelled, imported, foreign };
}

const supervised = { updates: 2, batch: 2, learningRate: 1e-5 };
const grpo = {
  updates: 2,
  prompts: 4,
  group: 4,
  maxNewTokens: 200,
  learningRate: 1e-5,
  beta: 0.05,
  sampling: { temperature: 0.7 },
  replay: { own: 1, teacher: 1 },
  reward: { components: [{ use: 'correctness' as const }, { use: 'brevity' as const }] },
};

/** Short problems: the built-in student has some right and some wrong. */
function experiment(changes: Partial<ExperimentInput> = {}): ExperimentInput {
  const problems = { format: 'arithmetic' as const, operations: [2, 3] as [number, number] };
  return {
    name: 'real',
    student: { path: join(packageRoot(), 'examples/arithmetic/student') },
    data: {
      train: { ...problems, seed: 1, count: 28 },
      test: { ...problems, seed: 77, count: 4 },
      validation: 4,
    },
    stages: {
      reconstruct: supervised,
      complete: grpo,
      rewrite: { ...grpo, beta: 0, internalise: { ...supervised, replayTeacher: 0.5 }, failures: { samples: 2 } },
    },
    baselines: { sft: supervised },
    evaluation: { every: 1, maxNewTokens: 160 },
    ...changes,
  };
}

const answer = {
  id: 'boxes',
  question: 'Six boxes hold 4 pens each. Ann takes 5 pens. How many are left?',
  answer: '19',
  chain: 'Step 1: 6 * 4 = 24\nStep 2: 24 - 5 = 19\nAnswer: 19',
  student: { text: 'Step 1: 6 * 4 = 26\nStep 2: 26 - 5 = 21\nAnswer: 21' },
};
