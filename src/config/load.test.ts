import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { UserError } from '../errors';
import { packageRoot } from '../paths';
import { checkExperiment } from './check';
import { ConfigError } from './issue';
import { loadExperiment, loadReward, resolveExperiment, resolveReward } from './load';
import { preset } from './presets';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
  mkdirSync(join(folder, 'student'));
  writeFileSync(join(folder, 'train.jsonl'), '');
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string | object) => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return path;
};
const experiment = {
  name: 'x',
  student: { path: 'student' },
  data: { train: { format: 'gsm8k', path: './train.jsonl' }, test: { format: 'arithmetic', seed: 7, count: 9 } },
} as const;
const errorOf = (action: () => unknown): UserError => {
  try {
    action();
  } catch (error) {
    return error as UserError;
  }
  throw new Error('Nothing was thrown');
};

it('fills in every default, resolves paths against the file and loads rewards', () => {
  write('short.reward.json', '{ "components": [{ "use": "correctness" }, { "use": "grounded" }] } // mine');
  const path = write('x.distillery.json', {
    ...experiment,
    $schema: './schema.json',
    stages: { complete: { reward: 'short.reward.json', evaluateEvery: 5 }, rewrite: {} },
    evaluation: { every: 20 },
    quick: { stages: { rewrite: false } },
  });
  const { experiment: loaded, warnings } = loadExperiment(path);
  expect(warnings).toEqual([]);
  expect(loaded).toMatchObject({
    seed: 1,
    student: { path: join(folder, 'student') },
    data: { train: { path: join(folder, 'train.jsonl'), start: 0 }, test: { operations: [2, 4] }, validation: 200 },
    stages: {
      reconstruct: { maskProbability: 0.7, evaluateEvery: 20, learningRate: 1e-5 },
      complete: { loss: 'dr_grpo', evaluateEvery: 5, maskSchedule: [0.3, 0.5, 0.75, 1], reward: { name: 'short' } },
      rewrite: {
        reward: preset('default'),
        internalise: { evaluateEvery: 20 },
        failures: { samples: 4, greedy: true },
      },
    },
    baselines: { sft: { updates: 300 }, sftConcise: false },
  });
  expect(loaded).not.toHaveProperty('quick');
  expect(loadExperiment(path, { quick: true }).experiment.stages.rewrite).toBe(false);
});

it('resolves a resolved experiment to itself, so that a run can be resumed from its own config', () => {
  const { experiment: loaded } = loadExperiment(write('x.distillery.json', experiment));
  expect(resolveExperiment(JSON.parse(JSON.stringify(loaded)), '/elsewhere')).toEqual(loaded);
});

it('gives baselines the settings of plain SFT and of Stage 2, where they say nothing else', () => {
  const sft = { updates: 7, batch: 5, learningRate: 1e-3 };
  const baselines = { sft, sftConcise: {}, rft: { updates: 3 }, grpo: { learningRate: 2e-4 } };
  const stages = { complete: { updates: 9, learningRate: 1e-4, beta: 0.1 } };
  const quick = { baselines: { sft: { updates: 2 } } };
  const path = write('x.distillery.json', { ...experiment, stages, baselines, quick });
  const { experiment: loaded } = loadExperiment(path);
  expect(loaded.baselines.sftConcise).toEqual(loaded.baselines.sft);
  expect(loaded.baselines.rft).toEqual({ ...loaded.baselines.sft, updates: 3 });
  expect(loaded.baselines.grpo).toMatchObject({ updates: 9, learningRate: 2e-4, beta: 0.1 });
  const set = [{ path: ['baselines', 'sft'], value: false }];
  for (const reduced of [{ quick: false }, { quick: true }]) {
    const { baselines: whole } = loadExperiment(path, reduced).experiment;
    expect(loadExperiment(path, { ...reduced, set }).experiment.baselines).toEqual({ ...whole, sft: false });
  }
  expect(resolveExperiment(JSON.parse(JSON.stringify(loaded)), '/elsewhere')).toEqual(loaded);
});

it('refuses baselines of Stage 2 without it', () => {
  const file = { ...experiment, stages: { complete: false }, baselines: { grpo: {} } };
  const error = errorOf(() => loadExperiment(write('x.distillery.json', file)));
  expect(String(error)).toContain('baselines.grpo samples as Stage 2 does, and stages.complete is off.');
});

it('prints all errors, each with place and remedy', () => {
  const path = write('x.distillery.json', { ...experiment, sead: 1, backend: 'cpus' });
  const error = errorOf(() => loadExperiment(path));
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ file: path, line: 17, column: 3, code: 'config' });
  expect(String(error)).toBe(
    `${path}:17:3: Unknown setting "sead" in the file.\n  Did you mean "seed"?\n` +
      `${path}:18:14: backend must be one of "auto", "embedded", "embedded-wasm", "tensorflow-gpu", "tensorflow", "torch", "tinker", "cpu", not "cpus".\n` +
      '  Did you mean "cpu"?',
  );
});

it('names every missing file at its line, with the neighbour that was probably meant', () => {
  const path = write('x.distillery.json', {
    ...experiment,
    student: { path: 'studnet' },
    data: {
      ...experiment.data,
      train: { format: 'gsm8k', path: 'student' },
      test: { format: 'chains', path: 'trian.jsonl' },
    },
    stages: { complete: { reward: 'no.reward.json' } },
  });
  const { issues } = errorOf(() => loadExperiment(path)) as ConfigError;
  expect(
    issues.map(({ line, message, remedy }) => [line, message.replace(folder, '.'), remedy?.replace(folder, '.')]),
  ).toEqual([
    [4, 'The folder ./studnet does not exist.', 'Did you mean ./student?'],
    [9, './student is a folder, not a file.', 'Paths are relative to this file.'],
    [13, 'The file ./trian.jsonl does not exist.', 'Did you mean ./train.jsonl?'],
    [18, 'The file ./no.reward.json does not exist.', 'Paths are relative to this file.'],
  ]);
});

it('suggests no path that is the same, or of another kind', () => {
  execFileSync('mkfifo', [join(folder, 'pipe.jsonl')]);
  symlinkSync(join(folder, 'nothing'), join(folder, 'link.reward.json'));
  symlinkSync(join(folder, 'nothing'), join(folder, 'link.distillery.json'));
  write('links', '');
  const path = write('x.distillery.json', {
    ...experiment,
    student: { path: 'link' },
    data: { ...experiment.data, train: { format: 'gsm8k', path: 'pipe.jsonl' } },
    stages: { complete: { reward: 'link.reward.json' } },
  });
  const { issues } = errorOf(() => loadExperiment(path)) as ConfigError;
  const told = issues.map(({ message, remedy }) => `${message} ${remedy}`.replaceAll(folder, '.')).join('\n');
  expect(told).toContain('./pipe.jsonl is a named pipe, not a file. Paths are relative to this file.');
  expect(told).toContain('./link.reward.json is a symbolic link to nothing, not a file. Paths');
  expect(told).not.toContain('Did you mean');
  const link = errorOf(() => loadExperiment(join(folder, 'link.distillery.json')));
  expect(link.message).toContain('This is a symbolic link to nothing: the experiment');
  expect(link.remedy).not.toContain('link.distillery');
});

it('reports errors of a reward file under its name, and passes on its warnings', () => {
  write('a.reward.json', { components: [{ use: 'correctness' }, { use: 'grounded' }, { use: 'brevity', gate: [] }] });
  const path = write('x.distillery.json', {
    ...experiment,
    stages: { complete: { reward: 'a.reward.json' }, rewrite: false },
  });
  expect(loadExperiment(path).warnings).toMatchObject([{ severity: 'warning', file: join(folder, 'a.reward.json') }]);
  write('a.reward.json', { components: [] });
  expect(errorOf(() => loadExperiment(path))).toMatchObject({
    file: join(folder, 'a.reward.json'),
    message: 'components must be a list with at least one component, not [].',
  });
});

it('names a missing student beside a key that is not known', () => {
  const path = write('x.distillery.json', { ...experiment, student: { path: 'gone', lor: 4 }, sed: 1 });
  const text = errorOf(() => loadExperiment(path)).toString();
  for (const told of ['"sed"', '"lor"', 'gone']) expect(text).toContain(told);
});

it('reports a missing config file', () => {
  write('mine.reward.json', '{}');
  const error = errorOf(() => loadReward(join(folder, 'mini.reward.json')));
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toContain('There is no such file: the reward config');
  expect(error.remedy).toBe(`Did you mean ${join(folder, 'mine.reward.json')}?`);
  expect(errorOf(() => loadExperiment(folder)).message).toContain('This is a folder');
});

it.each(['arithmetic/arithmetic', 'smollm2/smollm2'])(
  'finds nothing wrong with the example %s and its reward',
  (name) => {
    const path = join(packageRoot(), `examples/${name}.distillery.json`);
    const { issues, value } = checkExperiment(readFileSync(path, 'utf8'), {});
    expect(issues).toEqual([]);
    const stages = [value?.stages.complete, value?.stages.rewrite].filter((stage) => stage !== false);
    for (const stage of stages) {
      if (typeof stage?.reward !== 'string') throw new Error('The stage has no reward file');
      expect(resolveReward(stage.reward, dirname(path)).components.length).toBeGreaterThan(0);
    }
  },
);

it('finds a student by its name on the Hub, and says how to fetch one that is not here', () => {
  const file = { ...experiment, student: { path: 'owner/model' } };
  const path = write('x.distillery.json', file);
  const cache = join(folder, 'students');
  const commit = 'c0ffee'.padEnd(40, '0');
  vi.stubEnv('DISTILLERY_STUDENTS_CACHE', cache);
  vi.stubEnv('HF_HUB_CACHE', join(folder, 'none'));
  try {
    const { issues } = errorOf(() => loadExperiment(path)) as ConfigError;
    expect(issues).toMatchObject([{ line: 4, remedy: expect.stringContaining('`distillery download owner/model`') }]);
    const snapshot = join('students', 'models--owner--model', 'snapshots', commit);
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) write(join(snapshot, name), '{}');
    write(join('students', 'models--owner--model', 'refs', 'main'), commit);
    expect(loadExperiment(path).experiment.student.path).toBe(join(folder, snapshot));
  } finally {
    vi.unstubAllEnvs();
  }
});
