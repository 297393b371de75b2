import { describe, expect, it } from 'vitest';
import { growsWith } from '../testing/cpu-time';
import { checkExperiment, checkReward } from './check';

const minimal = {
  name: 'x',
  student: { path: 'student' },
  data: {
    train: { format: 'arithmetic', seed: 1, count: 1000 },
    test: { format: 'arithmetic', seed: 2, count: 100 },
  },
};
const experimentIssues = (settings: object, text = JSON.stringify({ ...minimal, ...settings })) =>
  checkExperiment(text).issues;
const grounded = { use: 'grounded', gate: [] };
const said = (issues: { message: string; remedy?: string }[]) => issues.map(({ message, remedy }) => [message, remedy]);

describe('the syntax of a config', () => {
  it('allows comments, trailing commas, a byte order mark and Windows line ends', () => {
    const text = `\uFEFF{ // who\r\n"components": [{ "use": "stepValidity", }, { "use": "grounded" }, /* no more */ ],\r\n}`;
    expect(checkReward(text)).toMatchObject({
      issues: [{ message: 'No component rewards a right answer.' }],
      value: { components: [{ use: 'stepValidity', weight: 1 }, { use: 'grounded' }] },
    });
  });

  it.each([
    ['{ "a": 1\n  "b": 2 }', 2, 3, 'Expected a comma or a closing bracket before this.'],
    ['{ "a": 1,\n  b: 2 }', 2, 3, 'This is not JSON.'],
    ["{ 'a': 1 }", 1, 3, 'This is not JSON.'],
    ['{ "a": [1, 2 }', 1, 14, 'Expected a comma or a closing bracket before this.'],
    ['{ "a": }', 1, 8, 'A value is expected here.'],
    ['{ "a": "x }', 1, 8, 'String is not closed.'],
    ['{ "a": 1 } }', 1, 12, 'There is text after the end of the JSON value.'],
    ['', 1, 1, 'The file is empty.'],
    ['{ "path": "C:\\dir" }', 1, 11, 'Unknown escape in a text.'],
  ])('places the error in %j', (text, line, column, message) => {
    const { issues, value } = checkReward(text);
    expect(value).toBeUndefined();
    expect(issues[0]).toMatchObject({ severity: 'error', line, column, message });
  });

  it('counts lines by any line end', () => {
    expect(checkReward('{\r\n\r\n"components": 3 }').issues[0]).toMatchObject({ line: 3, column: 15 });
  });

  it.each([
    ['['.repeat(200_000), 'The file is nested too deeply.'],
    [`{ "name": "${'x'.repeat(2_000_000)}" }`, 'The file is larger than 1 MB.'],
  ])('refuses what no config is', (text, message) => {
    expect(checkReward(text).issues).toMatchObject([{ severity: 'error', message }]);
  });

  it('refuses a setting given twice, and a prototype key', () => {
    const text = '{ "components": [{ "use": "correctness", "weight": 1, "weight": 2 }], "__proto__": {} }';
    expect(checkReward(text).issues.map(({ message }) => message)).toEqual([
      '"weight" is given twice.',
      'Unknown setting "__proto__" in the file.',
    ]);
  });
});

describe('the settings of an experiment', () => {
  it('needs no more than a name, a student and data', () => {
    expect(experimentIssues({})).toEqual([]);
  });

  it('reports everything at once, in the order of the text', () => {
    const text = `{
  "nam": "x",
  "backend": "webgpu",
  "student": {},
  "data": { "train": { "format": "arithmetik" }, "test": { "format": "gsm8k", "path": "x", "cuont": 3 } },
  "stages": {
    "reconstruct": { "lr": 3, "maskProbability": 1.7, "schedule": "cosin" },
    "complete": { "maskSchedule": [0.3, 1.5], "sampling": { "top_p": 0.9 } },
    "rewrite": true
  }
}`;
    const issues = checkExperiment(text).issues.map(
      ({ line, column, message, remedy }) => `${line}:${column} ${message} ${remedy ?? ''}`,
    );
    expect(issues).toEqual([
      '2:3 Unknown setting "nam" in the file. Did you mean "name"?',
      '3:14 backend must be one of "auto", "embedded", "embedded-wasm", "tensorflow-gpu", "tensorflow", "torch", "tinker", "cpu", not "webgpu". ',
      '4:3 Missing setting "path" in student. Add "path": Hugging Face folder or .gguf file, relative to this file, or a model of the Hugging Face Hub such as Qwen/Qwen2.5-0.5B.',
      '5:34 data.train.format must be one of "arithmetic", "chains", "gsm8k", "bridge", "rows", "parquet", not "arithmetik". Did you mean "arithmetic"?',
      '5:92 Unknown setting "cuont" in data.test. Did you mean "count"?',
      '7:22 Unknown setting "lr" in stages.reconstruct. Did you mean "learningRate"?',
      '7:50 stages.reconstruct.maskProbability must be a number from 0 to 1, not 1.7. ',
      '7:67 stages.reconstruct.schedule must be one of "constant", "linear", "cosine", not "cosin". Did you mean "cosine"?',
      '8:41 stages.complete.maskSchedule[1] must be a number from 0 to 1, not 1.5. ',
      '8:61 Unknown setting "top_p" in stages.complete.sampling. Did you mean "topP"?',
      '9:16 stages.rewrite must be an object in { }, or false, not true. ',
    ]);
  });

  it('lists the known names if none is similar', () => {
    expect(said(experimentIssues({ evaluation: { colour: 1 } }))).toEqual([
      ['Unknown setting "colour" in evaluation.', 'Known here: count, every, batch, maxNewTokens, temperature.'],
    ]);
  });

  it.each([
    [{ seed: 1.5 }, 'seed must be a whole number from 0 to 2147483647, not 1.5.'],
    [{ seed: 'one' }, 'seed must be a whole number from 0 to 2147483647, not "one".'],
    [{ name: 'a/b' }, 'name must be usable in a folder name: no / \\ : * ? " < > | and no leading dot, not "a/b".'],
    [{ stages: { complete: { group: 1 } } }, 'stages.complete.group must be a whole number of 2 or more, not 1.'],
    [
      { stages: { reconstruct: { dropout: 1 } } },
      'stages.reconstruct.dropout must be a number from 0 up to but not including 1, not 1.',
    ],
    [
      { stages: { complete: { sampling: { topP: 0 } } } },
      'stages.complete.sampling.topP must be a number above 0 and at most 1, not 0.',
    ],
    [
      { stages: { complete: { maskSchedule: 'brigde' } } },
      'stages.complete.maskSchedule must be a list of numbers from 0 to 1 in [ ], or "bridge", not "brigde".',
    ],
    [
      { stages: { complete: { maskSchedule: [] } } },
      'stages.complete.maskSchedule must be a list with at least one number from 0 to 1, not [].',
    ],
    [
      { stages: { rewrite: { reward: 'defualt' } } },
      'stages.rewrite.reward must be one of "default", "correctness-only", "bridge-stage2", "bridge-stage3", or the path of a .reward.json file, or an object in { }, not "defualt".',
    ],
    [
      { data: { ...minimal.data, train: { ...minimal.data.train, operations: [2] } } },
      'data.train.operations must be a pair [fewest, most] of whole numbers from 1 to 8, not [2].',
    ],
    [{ quick: 3 }, 'quick must be an object in { }, not 3.'],
  ])('%j: %s', (settings, message) => {
    expect(experimentIssues(settings).map((issue) => issue.message)).toEqual([message]);
  });

  it.each(['3', '[1]', '"x"', 'null'])('must be an object, not %s', (text) => {
    expect(checkExperiment(text).issues).toMatchObject([
      { message: `the file must be an object in { }, not ${text}.`, line: 1, column: 1 },
    ]);
  });

  it('offers a text edit where a correction is known', () => {
    const reward = { components: [{ use: 'correctness' }, { use: 'brevity', gate: [] }, grounded] };
    const text = JSON.stringify({ ...minimal, stages: { complete: { lr: 1, kl: 'k3x' }, rewrite: { reward } } });
    const mend = (broken: string) =>
      checkExperiment(broken).issues.reduceRight(
        (result, { fixes: [fix] }) => result.slice(0, fix.offset) + fix.text + result.slice(fix.offset + fix.length),
        broken,
      );
    const mended = mend(mend(text)); // combinations are checked once every setting is known
    expect(JSON.parse(mended).stages).toEqual({
      complete: { learningRate: 1, kl: 'k3' },
      rewrite: { reward: { components: [{ use: 'correctness' }, { use: 'brevity', gate: 'correctness' }, grounded] } },
    });
    expect(checkExperiment(mended).issues).toEqual([]);
  });
});

describe('settings that do not fit together', () => {
  it.each<[object, 'error' | 'warning', string, string]>([
    [
      { data: { ...minimal.data, validation: 1000 } },
      'error',
      'data.validation',
      'leave none of the 1000 training rows',
    ],
    [
      { data: { train: { format: 'gsm8k', path: 'x', count: 300 }, test: { format: 'gsm8k', path: 'x', start: 299 } } },
      'warning',
      'data.test',
      'also rows of train',
    ],
    [
      { data: { train: { format: 'rows', path: 'x', split: 'test' }, test: { format: 'rows', path: 'x' } } },
      'warning',
      'data.test',
      'also rows of train',
    ],
    [
      { data: { ...minimal.data, test: { ...minimal.data.test, operations: [3, 2] } } },
      'error',
      'data.test.operations',
      'exceeds the maximum',
    ],
    [
      { stages: { complete: { prompts: 1, group: 2, minibatches: 3 } } },
      'error',
      'stages.complete.minibatches',
      '3 minibatches for 2 completions',
    ],
    [{ stages: { complete: { loss: 'gspo', iterations: 2 } } }, 'warning', 'stages.complete.clipHigh', 'never clips'],
    [
      { stages: { complete: { loss: 'cispo', minibatches: 2 } } },
      'warning',
      'stages.complete.clipHigh',
      'bounds a weight',
    ],
    [{ stages: { complete: { scale: 'group' } } }, 'warning', 'stages.complete.scale', 'difficulty bias'],
    [
      { stages: { complete: { maskSchedule: [0.5] } } },
      'warning',
      'stages.complete.maskSchedule',
      'the test shows no steps',
    ],
    [
      { stages: { rewrite: { failures: { maxCorrect: 5 } } } },
      'error',
      'stages.rewrite.failures.maxCorrect',
      'every problem a failure',
    ],
    [
      { stages: { rewrite: { internalise: { replayOwn: 0.5, replayTeacher: 0.5 } } } },
      'error',
      'stages.rewrite.internalise.replayOwn',
      'no room',
    ],
    [
      { backend: 'torch', stages: { complete: { sampling: { precision: 'int8' } } } },
      'error',
      'stages.complete.sampling.precision',
      'Only the embedded engine rounds',
    ],
    [
      { backend: 'tinker', stages: { rewrite: { internalise: { dropout: 0.1 } } } },
      'error',
      'stages.rewrite.internalise.dropout',
      'no such setting',
    ],
    [
      { backend: 'tinker', stages: { complete: { sampling: { temperature: 0.9 } } } },
      'error',
      'stages.complete.sampling.temperature',
      'at temperature 1',
    ],
    [{ backend: 'tinker', student: { path: 'student', lora: false } }, 'error', 'student.lora', 'trains adapters only'],
    [
      { stages: { reconstruct: false, complete: false, rewrite: false } },
      'warning',
      'stages',
      'All three stages are off',
    ],
    [
      {
        stages: {
          complete: {
            reward: {
              components: [
                { use: 'correctness', weight: 0 },
                { ...grounded, weight: 0 },
              ],
            },
          },
        },
      },
      'error',
      'stages.complete.reward.components',
      'All weights are 0',
    ],
  ])('%j', (settings, severity, path, message) => {
    const issues = experimentIssues(settings);
    expect(issues).toMatchObject([{ severity, message: expect.stringContaining(message) }]);
    expect(issues[0].path.join('.')).toBe(path);
  });

  it('lets neighbouring rows of one file, and any rows of the generator, be train and test', () => {
    const file = { format: 'gsm8k', path: 'x' };
    expect(experimentIssues({ data: { train: { ...file, count: 300 }, test: { ...file, start: 300 } } })).toEqual([]);
    expect(experimentIssues({ data: { ...minimal.data, test: { ...minimal.data.train } } })).toEqual([]);
    const [train, test] = ['train', 'test'].map((split) => ({ format: 'rows', path: 'x', split }));
    expect(experimentIssues({ data: { train, test } })).toEqual([]);
  });
});

describe('quick settings', () => {
  const text = (quick: object) =>
    JSON.stringify({ ...minimal, stages: { complete: { updates: 90, group: 4 } }, quick }, null, 1);

  it('override the other settings on request', () => {
    const over = {
      stages: { complete: { updates: 2 }, rewrite: false },
      data: { train: { format: 'gsm8k', path: 'g' } },
    };
    expect(checkExperiment(text(over)).value?.stages.complete).toMatchObject({ updates: 90, group: 4 });
    const { value, issues } = checkExperiment(text(over), { quick: true });
    expect(issues).toEqual([]);
    expect(value?.stages).toMatchObject({ complete: { updates: 2, group: 4 }, rewrite: false });
    // Another format is another source: nothing of the generator's settings remains.
    expect(value?.data).toMatchObject({ train: { format: 'gsm8k', path: 'g' }, test: { seed: 2 } });
  });

  it('are checked even if not requested, and named in the message', () => {
    const { issues } = checkExperiment(text({ stages: { complete: { updates: -2, grop: 3 } } }));
    expect(said(issues)).toEqual([
      ['stages.complete.updates must be a whole number of 0 or more, not -2. (with --quick)', undefined],
      ['Unknown setting "grop" in stages.complete. (with --quick)', 'Did you mean "group"?'],
    ]);
    expect(issues[0].line).toBeGreaterThan(20); // in the quick part, not in the stage itself
  });
});

describe('a hostile file', () => {
  const keys = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`setting${i}`, 1]));
  const json = (n: number, value: (n: number) => object) => JSON.stringify(value(n));
  const texts: Record<string, (n: number) => string> = {
    'unknown settings': (n) => json(n / 20, keys),
    'unknown settings in a group': (n) => json(n / 20, (n) => ({ stages: keys(n) })),
    'unknown settings for --quick': (n) => json(n / 20, (n) => ({ quick: keys(n) })),
    'unknown settings, a line each': (n) => json(n / 20, keys).replaceAll(',', ',\n'),
    'one setting many times': (n) => `{${'"data":1,'.repeat(n / 9)}"a":1}`,
    commas: (n) => ','.repeat(n),
    comments: (n) => '/*'.repeat(n / 2),
    words: (n) => 'abc '.repeat(n / 4),
    'words, a line each': (n) => 'abc\n'.repeat(n / 4),
    brackets: (n) => '['.repeat(n),
    'line ends': (n) => `{${'\r\n'.repeat(n / 2)}`,
    quotes: (n) => '"'.repeat(n),
    'components in a chain of gates': (n) =>
      json(n / 60, (n) => ({
        components: Array.from({ length: n }, (_, i) => ({ use: 'correctness', name: `c${i}`, gate: `c${i + 1}` })),
      })),
    'objects in a list': (n) => `{"stages":[${'{"a":1},'.repeat(n / 8)}1]}`,
  };

  it.each(Object.keys(texts))('is checked in a time that its length bounds: %s', (name) => {
    const [short, long] = [texts[name](100_000), texts[name](400_000)];
    for (const check of [checkExperiment, checkReward]) {
      expect(check(long).issues.length).toBeLessThanOrEqual(500);
      expect(growsWith(check, short, long, { room: 300 }), name).toBe(true);
    }
  });

  it('has counts and weights that a machine can hold', () => {
    const arithmetic = { format: 'arithmetic', count: 1e9 };
    const stages = { complete: { replay: { own: 1e12, teacher: 1e12 } }, rewrite: { failures: { samples: 1e9 } } };
    const counts = checkExperiment(JSON.stringify({ data: { train: arithmetic, test: arithmetic }, stages })).issues;
    for (const [setting, most] of [
      ['train.count', 100_000],
      ['replay.own', 4096],
      ['replay.teacher', 4096],
      ['failures.samples', 4096],
    ])
      expect(counts.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(new RegExp(`${setting} must be a whole number from \\d to ${most}`)),
      );
    const component = { use: 'correctness', weight: 1e308, options: { right: 1e308, wrong: -1e308 } };
    const told = checkReward(JSON.stringify({ components: [component] })).issues.map(({ message }) => message);
    expect(told).toEqual([
      expect.stringContaining('weight must be a number from -1000000 to 1000000'),
      expect.stringContaining('right must be a number of at most 1000000000'),
      expect.stringContaining('wrong must be a number of -1000000000 or more'),
    ]);
    const many = Array.from({ length: 101 }, (_, i) => ({ use: 'correctness', name: `c${i}` }));
    const gated = { ...component, weight: 1, options: {}, gate: many.map(({ name }) => name) };
    const lists = [many, [gated]].map((components) => checkReward(JSON.stringify({ components })).issues[0].message);
    expect(lists).toEqual([
      expect.stringContaining('components must be a list of at most 100 components'),
      expect.stringContaining('gate must be a list of at most 100 names'),
    ]);
  });
});
