import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { outcomesOf } from '../../bench/curriculum-runs';
import { resultOf } from '../../bench/curriculum-tables';
import type { ExperimentInput } from '../../src/config/experiment';
import { loadExperiment } from '../../src/config/load';
import { packageRoot } from '../../src/paths';
import type { ComparedRuns } from '../../src/report/groups';
import { pairedDifference } from '../../src/runs/paired';
import { readEvaluation, readSummary } from '../../src/runs/reading';
import type { StageName } from '../../src/stages';
import { mean, wilsonInterval } from '../../src/statistics';
import { type Distillery, openDistillery } from './distillery';

vi.setConfig({ testTimeout: 180_000 });

/** The built-in student is right on some problems at once, and these updates change which ones. */
const student = join(packageRoot(), 'examples', 'arithmetic', 'student');
const supervised = { updates: 2, batch: 4, learningRate: 3e-3 };
const reward = { components: [{ use: 'correctness' as const }] };
const experiment: ExperimentInput = {
  name: 'short',
  student: { path: student },
  data: {
    train: { format: 'arithmetic', seed: 1, count: 20, operations: [2, 3] },
    test: { format: 'arithmetic', seed: 2, count: 16, operations: [2, 3] },
    validation: 4,
  },
  stages: {
    reconstruct: supervised,
    complete: { updates: 1, prompts: 2, group: 2, maxNewTokens: 80, learningRate: 3e-3, reward },
    rewrite: false,
  },
  baselines: { sft: supervised, sftConcise: supervised },
  evaluation: { every: 2, maxNewTokens: 160 },
};

let distillery: Distillery;
/** Seeds 1 and 2 of the experiment, 2 and 3 with a changed setting, and 1 on fewer problems. */
let [first, second, changed, other, fewer] = ['', '', '', '', ''];

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await distillery.run('run', 'short.distillery.json', '--json', ...args);
  if (code !== 0) throw new Error(stdout + stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1)!).result.folder;
}

beforeAll(async () => {
  distillery = await openDistillery();
  distillery.write('short.distillery.json', experiment);
  const change = ['--set', 'stages.reconstruct.learningRate=0.001'];
  first = await run('--seed', '1');
  second = await run('--seed', '2');
  changed = await run('--seed', '2', ...change);
  other = await run('--seed', '3', ...change);
  fewer = await run('--seed', '1', '--limit', '8');
}, 300_000);
afterAll(() => distillery?.close());

const compare = (...runs: string[]) => distillery.json<ComparedRuns>('compare', ...runs);
const text = async (...args: string[]) => (await distillery.run('compare', ...args)).stdout;
const answersOf = (folder: string, stage: StageName) => {
  const { checkpoint } = readSummary(folder).find((row) => row.stage === stage)!;
  return readEvaluation(folder, checkpoint ?? stage);
};

describe('runs that differ only in their seed', () => {
  it('are one group, with the means and intervals of bench:curriculum', async () => {
    const { groups, settings, tests, leftOut } = await compare(first, second);
    expect(groups).toMatchObject([{ label: 'A', name: 'short', runs: [{ seed: 1 }, { seed: 2 }] }]);
    expect([settings, leftOut, tests.length]).toEqual([[], [], 1]);
    const { experiment: asked } = loadExperiment(join(distillery.folder, 'short.distillery.json'));
    const runsFolder = join(distillery.folder, '.distillery', 'runs');
    const outcomes = [];
    for (const seed of [1, 2])
      outcomes.push(await outcomesOf({ ...asked, seed }, runsFolder, 'again', new AbortController().signal));
    const { stages, strongest } = resultOf('short', {}, outcomes);
    expect(tests[0].results.map(({ stage }) => stage)).toEqual(stages.map(({ stage }) => stage));
    for (const [i, { accuracy, meanTokens, differences }] of stages.entries()) {
      const row = tests[0].results[i];
      expect(row).toMatchObject({ runs: 2, strongestBaseline: row.stage === strongest });
      expect(row.accuracy).toBeCloseTo(mean(accuracy), 12);
      expect(row.meanTokens).toBeCloseTo(mean(meanTokens), 9);
      for (const [against, difference] of [['base', row.fromBase] as const, [strongest, row.fromStrongest] as const]) {
        const expected = differences.find((one) => one.against === against);
        expect(difference === undefined).toBe(expected === undefined);
        if (!difference || !expected) continue;
        expect(100 * difference.accuracy).toBeCloseTo(expected.points, 9);
        const from = tests[0].results.find(({ stage }) => stage === expected.against)!;
        expect(difference.tokens).toBeCloseTo(row.meanTokens - from.meanTokens, 9);
        expect(difference.accuracyInterval.map((end) => 100 * end)).toEqual(expected.pointsInterval);
      }
    }
    expect(new Set(tests[0].results.map(({ accuracy }) => accuracy)).size).toBeGreaterThan(2);
  });

  it('are compared alike in any order', async () => {
    expect(await compare(second, first)).toEqual(await compare(first, second));
  });

  it('share their base student, whose interval is that of one run', async () => {
    const [{ results, problems }] = (await compare(first, second)).tests;
    const right = answersOf(first, 'base').filter(({ correct }) => correct).length;
    expect(results[0]).toMatchObject({ stage: 'base', accuracyInterval: wilsonInterval(right, problems) });
  });

  it('are told how much a few of them say', async () => {
    expect(await text(first)).toContain('A: One seed: the interval does not cover variation between seeds.');
    expect(await text(first, second)).toContain('A: 2 seeds are fewer than 5');
  });
});

describe('groups of runs', () => {
  it('differ in settings that are named, and are compared by seed where they share seeds', async () => {
    const { groups, settings, tests } = await compare(first, second, changed);
    expect(groups.map(({ runs }) => runs.map(({ seed }) => seed))).toEqual([[1, 2], [2]]);
    expect(settings).toEqual([{ path: 'stages.reconstruct.learningRate', values: ['0.003', '0.001'] }]);
    const [{ differences }] = tests;
    for (const stage of ['base', 'sft', 'reconstruct'] as const) {
      const found = differences.find((one) => one.stage === stage);
      const alone = pairedDifference(answersOf(second, stage), answersOf(changed, stage));
      expect(found).toMatchObject({ group: 'B', from: 'A', pairedBySeed: true, runs: 1, runsFrom: 1, ...alone });
    }
    expect(differences.find(({ stage }) => stage === 'reconstruct')?.tokens).not.toBe(0);
    expect(differences.find(({ stage }) => stage === 'sft')).toMatchObject({ accuracy: 0, tokens: 0 });
  });

  it('of other seeds are compared with all of their runs', async () => {
    const { tests } = await compare(first, second, other);
    const difference = tests[0].differences.find(({ stage }) => stage === 'reconstruct')!;
    expect(difference).toMatchObject({ pairedBySeed: false, runs: 1, runsFrom: 2 });
    const [a, b] = ['A', 'B'].map((label) =>
      tests[0].results.find(({ group, stage }) => group === label && stage === 'reconstruct'),
    );
    expect(difference.accuracy).toBeCloseTo(b!.accuracy - a!.accuracy, 12);
    expect(difference.accuracyInterval[0]).toBeLessThanOrEqual(difference.accuracy);
    expect(difference.accuracyInterval[1]).toBeGreaterThanOrEqual(difference.accuracy);
  });

  it('that were tested on different problems have a table each, and no differences', async () => {
    const { tests, settings } = await compare(first, fewer);
    expect(tests.map(({ problems, differences }) => [problems, differences.length])).toEqual([
      [16, 0],
      [8, 0],
    ]);
    expect(settings.map(({ path }) => path)).toEqual(['data.train.count', 'data.test.count']);
    expect(await text(first, fewer)).toContain('There are 2 sets of test problems');
  });
});

describe('the command', () => {
  it('draws tables, in a terminal and in Markdown, and takes patterns of ids', async () => {
    const shown = await text('*-short');
    expect(shown).toMatch(
      /^group +experiment +seeds +runs\n─+\nA +short +1, 2 +2\nB +short +2, 3 +2\nC +short +1 +1\n/,
    );
    expect(shown).toMatch(
      /\nStage 1 \(Reconstruct\) +B vs A +2 and 2, no pairs +[+−]\d+\.\d \[[+−]\d+\.\d, [+−]\d+\.\d\] /,
    );
    const markdown = await text(first, second, changed, '--markdown');
    expect(markdown).toMatch(/^\| group \| experiment \| seeds \| runs \|\n\| --- \| --- \| --- \| ---: \|\n/);
    expect(markdown).toMatch(/\n\*\*Test results on 16 problems\*\*\n\n\| student \| group \| runs \| accuracy \|/);
    expect(markdown).toMatch(/\n\| Plain SFT \| B vs A \| 1 pair by seed \| /);
  });

  it('names runs that do not count: unfinished ones, and copies', async () => {
    const [stopped, copy] = ['-stopped', '-copy'].map((end) => {
      const folder = join(distillery.folder, 'others', basename(first) + end);
      cpSync(first, folder, { recursive: true });
      return folder;
    });
    const record = JSON.parse(readFileSync(join(stopped, 'run.json'), 'utf8'));
    writeFileSync(join(stopped, 'run.json'), JSON.stringify({ ...record, state: 'stopped' }));
    const { groups, leftOut } = await compare(first, second, stopped, copy, first);
    expect(groups.map(({ runs }) => runs.length)).toEqual([2]);
    expect(leftOut).toEqual([
      { id: basename(stopped), reason: 'not finished (stopped)' },
      { id: basename(copy), reason: `same settings and seed as ${basename(first)}, which counts` },
    ]);
    const { code, stderr } = await distillery.run('compare', stopped);
    expect(code).toBe(2);
    expect(stderr).toContain(`none of these runs can be compared: ${basename(stopped)} (not finished (stopped))`);
  });

  it('names runs and students whose answers are missing', async () => {
    const [empty, partial] = ['-empty', '-partial'].map((end) => {
      const folder = join(distillery.folder, 'others', basename(second) + end);
      cpSync(second, folder, { recursive: true });
      return folder;
    });
    rmSync(join(empty, 'evaluations'), { recursive: true });
    const { checkpoint } = readSummary(partial).find(({ stage }) => stage === 'sft')!;
    rmSync(join(partial, 'evaluations', `${checkpoint}.jsonl`));
    const { groups, tests, leftOut } = await compare(first, empty, partial);
    expect(leftOut).toEqual([
      { id: basename(empty), reason: 'no answers to the test problems' },
      { id: basename(partial), reason: 'no answers of Plain SFT' },
    ]);
    expect(groups.map(({ runs }) => runs.map(({ seed }) => seed))).toEqual([[1, 2]]);
    expect(tests[0].results.map(({ stage, runs }) => [stage, runs])).toContainEqual(['sft', 1]);
    expect(tests[0].results.map(({ stage, runs }) => [stage, runs])).toContainEqual(['base', 2]);
    const { code, stderr } = await distillery.run('compare', empty);
    expect([code, stderr]).toEqual([2, expect.stringContaining('(no answers to the test problems)')]);
  });

  it('refuses what it cannot find or read', async () => {
    const nothing = await distillery.run('compare', '*-long');
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('no run matches the pattern "*-long"')]);
    const damaged = join(distillery.folder, 'others', 'damaged');
    cpSync(first, damaged, { recursive: true });
    writeFileSync(join(damaged, 'evaluations', 'base.jsonl'), '{"seq": 1}\n');
    const { code, stderr } = await distillery.run('compare', damaged);
    expect([code, stderr]).toEqual([2, expect.stringContaining(join('evaluations', 'base.jsonl:1'))]);
  });
});
