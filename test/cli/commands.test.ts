import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExperiment } from '../../src/config/load';
import { packageRoot } from '../../src/paths';
import { type Distillery, openDistillery, tinyFile } from './distillery';

let distillery: Distillery;
beforeAll(async () => {
  distillery = await openDistillery();
  distillery.write('tiny.distillery.json', tinyFile());
  distillery.write('train.jsonl', gsm8k(20));
}, 120_000);
afterAll(() => distillery?.close());

const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const gsm8k = (rows: number) =>
  lines(
    Array.from({ length: rows }, (_, i) => ({
      question: `Ann has ${i} pens and buys 2 more. How many pens are there?`,
      answer: `She has ${i} + 2 = <<${i}+2=${i + 2}>>${i + 2} pens.\nThat is all of them.\n#### ${i + 2}`,
    })),
  );

/** Runs a command that is refused; returns its exit code and its output. */
async function refused(...args: string[]): Promise<string> {
  const { code, stderr } = await distillery.run(...args);
  expect(code).toBe(2);
  expect(stderr).not.toContain('    at '); // a user's error has no stack
  return stderr;
}

describe('the program', () => {
  it('prints its version and its commands', async () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
    expect(await distillery.run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const { code, stdout } = await distillery.run('--help');
    expect(code).toBe(0);
    for (const name of ['run', 'resume', 'evaluate', 'runs', 'show', 'preview', 'score', 'new', 'doctor'])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect((await distillery.run('score', '--help')).stdout).toContain('Examples:\n  distillery score');
  });

  it('refuses unknown names with a suggestion', async () => {
    expect(await refused('previw', 'x')).toMatch(/^error unknown command 'previw'\n\(Did you mean preview\?\)/);
    expect(await refused('run', 'x', '--limmit', '3')).toContain('(Did you mean --limit?)');
    expect(await refused('run', 'x', '--limit', '0')).toContain('It must be a whole number of 1 or more.');
    expect(await refused('run', 'x', '--backend', 'cuda')).toContain('Allowed choices are auto, embedded');
    expect(await refused('run', '.', '--stage', 'sft')).toContain('"sft" is not one of reconstruct, complete, rewrite');
    const { code, stdout } = await distillery.run('runs', '--rums', 'x', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      2,
      { error: { code: 'usage', message: "unknown option '--rums'", remedy: 'Did you mean --runs?' } },
    ]);
  });

  it('ends without an error when its reader is gone', async () => {
    const child = distillery.start('preview', '.');
    child.stdout!.destroy();
    let stderr = '';
    child.stderr!.on('data', (data) => (stderr += data));
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('bad input', () => {
  const experiment = (text: string) => distillery.write('bad/bad.distillery.json', text);
  const tiny = (changes: object) =>
    experiment(JSON.stringify({ ...tinyFile(), student: { path: '../student' }, ...changes }, null, 2));
  const data = (train: object) => tiny({ data: { ...tinyFile().data, train } });
  const rows = (content: object[]) => {
    distillery.write('bad/rows.jsonl', lines(content));
    data({ format: 'chains', path: 'rows.jsonl' });
  };

  it.each<[string, () => void, RegExp]>([
    [
      'broken JSONC',
      () => experiment('{\n  "name": "x"\n  "seed": 1\n}'),
      /bad\.distillery\.json:3:3: Expected a comma or a closing bracket before this/,
    ],
    ['an unknown key', () => tiny({ sead: 2 }), /bad\.distillery\.json:\d+:\d+: .*sead[\s\S]*Did you mean "seed"\?/],
    [
      'a mask ratio out of range',
      () => tiny({ stages: { complete: { maskSchedule: [0.5, 1.5] } } }),
      /bad\.distillery\.json:\d+:\d+: .*maskSchedule\[1\].* from 0 to 1/,
    ],
    [
      'a student that is not there',
      () => tiny({ student: { path: 'absent' } }),
      /bad\.distillery\.json:\d+:\d+: The folder .*absent does not exist/,
    ],
    [
      'a NUL in a path',
      () => tiny({ student: { path: 'a\0b' } }),
      /bad\.distillery\.json:\d+:\d+: The folder .* does not/,
    ],
    [
      'a dataset that is not there',
      () => data({ format: 'chains', path: 'absent.jsonl' }),
      /bad\.distillery\.json:\d+:\d+: The file .*absent\.jsonl does not exist/,
    ],
    ['an empty dataset', () => rows([]), /rows\.jsonl: the dataset is empty/],
    [
      'a row without an answer',
      () =>
        rows([
          { id: 'a', question: 'q', answer: '1' },
          { id: 'b', question: 'q' },
        ]),
      /rows\.jsonl:2: the row has no "answer"\n {2}Give it a "answer", or remove the row/,
    ],
    [
      'more validation rows than there are',
      () => tiny({ data: { ...tinyFile().data, validation: 8 } }),
      /bad\.distillery\.json:\d+:\d+: 8 validation rows leave none of the 8 training rows/,
    ],
  ])('%s is refused before a run folder appears', async (_, prepare, message) => {
    prepare();
    expect(await refused('run', 'bad')).toMatch(message);
    expect(existsSync(join(distillery.folder, 'bad/.distillery'))).toBe(false);
  });

  it('is an error with a place in JSON', async () => {
    experiment('{ "name": ');
    const { code, stdout } = await distillery.run('run', 'bad', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'config',
      line: 1,
      file: expect.stringMatching(/bad\.distillery\.json$/),
    });
  });

  it.each([
    ['a path that is too long', ['grade', 'a'.repeat(5000)], /a+: the path is too long/],
    ['a device', ['run', '/dev/zero'], /\/dev\/zero: the file has more than/],
    ['nothing', ['export', 'student', ''], /<out> is empty/],
  ])('%s is the fault of the input', async (_, args, message) => {
    expect(await refused(...args)).toMatch(message);
  });

  it('names the experiments of a folder', async () => {
    expect(await refused('run', 'student')).toContain('there is no *.distillery.json in this folder');
    distillery.write('two/a.distillery.json', '{}');
    distillery.write('two/b.distillery.json', '{}');
    expect(await refused('preview', 'two')).toContain('Name one: a.distillery.json, b.distillery.json.');
    expect(await refused('run', 'absent')).toContain(
      'there is no such file or folder\n  Create an experiment with `distillery new <folder>`.',
    );
  });
});

describe('evaluate', () => {
  it('overwrites no other file with answers, and checks before it asks', async () => {
    const before = readFileSync(join(distillery.folder, 'train.jsonl'), 'utf8');
    const to = (out: string) => refused('evaluate', 'student', '--data', 'train.jsonl', '--out', out);
    expect(await to('train.jsonl')).toContain('was not written by this command');
    expect(await to('student/model.safetensors')).toContain('was not written by this command');
    expect(await to('nowhere/answers.jsonl')).toContain('its folder does not exist');
    expect(readFileSync(join(distillery.folder, 'train.jsonl'), 'utf8')).toBe(before);
  });

  it('tests a student and writes every answer', async () => {
    const result = await distillery.json(
      'evaluate',
      'student',
      '--data',
      'train.jsonl',
      '--limit',
      '3',
      '--max-new-tokens',
      '6',
      '--out',
      'answers.jsonl',
    );
    expect(result).toMatchObject({
      checkpoint: join(distillery.folder, 'student'),
      data: { format: 'gsm8k', path: join(distillery.folder, 'train.jsonl'), count: 3 },
      n: 3,
      samples: 1,
      accuracy: expect.any(Number),
      accuracyInterval: [expect.any(Number), expect.any(Number)],
      lenientAccuracy: expect.any(Number),
      lmEval: { strictMatch: expect.any(Number), flexibleExtract: expect.any(Number) },
      meanTokens: expect.any(Number),
      truncated: expect.any(Number),
      settings: { maxNewTokens: 6, temperature: 0 },
    });
    const answers = readFileSync(join(distillery.folder, 'answers.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject(
      [0, 1, 2].map((i) => ({
        problemId: `train-${i}`,
        gold: String(i + 2),
        question: expect.any(String),
        text: expect.any(String),
      })),
    );
    const { code, stdout } = await distillery.run(
      'evaluate',
      'student',
      '--data',
      '.',
      '--samples',
      '2',
      '--limit',
      '2',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /student on 2 problems, 2 samples each, temperature 0.7[\s\S]*accuracy +[\d.]+ % +95 % interval[\s\S]*pass@2[\s\S]*cut off +[\d.]+ % +at 8 tokens/,
    );
  });

  it('reports unsupported uses', async () => {
    expect(await refused('evaluate', 'student')).toContain('Give a dataset or an experiment with --data');
    expect(await refused('evaluate', 'absent', '--data', 'train.jsonl')).toContain('absent: there is no such student');
    expect(await refused('evaluate', 'student', '--data', 'absent.jsonl')).toContain('absent.jsonl: no such file');
    distillery.write('strange.jsonl', lines([{ prompt: 'x' }]));
    expect(await refused('evaluate', 'student', '--data', 'strange.jsonl')).toContain(
      'strange.jsonl: no column looks like the answer',
    );
    expect(await refused('evaluate', '.', '--data', 'train.jsonl')).toContain('tokenizer.json');
  });
});

describe('preview', () => {
  it('shows what the student sees in each stage', async () => {
    const { code, stdout } = await distillery.run('preview', '.', '--count', '2');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /Stage 1 \(Reconstruct\)[\s\S]*Steps, shuffled, some missing:\n.*│ - [\s\S]*target, \d+ tokens[\s\S]*Stage 2 \(Complete\)[\s\S]*│ - \[MASK\]/,
    );
    expect(stdout).toMatch(/Stage 3 \(Rewrite\)[\s\S]*A much shorter solution:/);
    const problems = await distillery.json<
      { views: { stage: string; prompt: string; order: number[]; masked: number[] }[] }[]
    >('preview', '.', '--start', '3', '--count', '1');
    expect(problems).toMatchObject([
      { id: 'train-1-2', answer: expect.any(String), teacherTokens: expect.any(Number) },
    ]);
    const [first, ...others] = problems[0].views;
    expect(first).toMatchObject({
      stage: 'reconstruct',
      promptTokens: expect.any(Number),
      targetTokens: expect.any(Number),
    });
    expect(first.order).not.toEqual([...first.order].sort());
    expect(others.map(({ stage }) => stage)).toEqual(['complete', 'complete', 'rewrite']);
    for (const { stage, prompt, masked } of others)
      if (stage === 'complete') expect(prompt.split('[MASK]')).toHaveLength(masked.length + 1);
  });

  it('shows one stage, and says how many rows there are', async () => {
    const [{ views }] = await distillery.json<{ views: { stage: string }[] }[]>('preview', '.', '--stage', 'rewrite');
    expect(views.map(({ stage }) => stage)).toEqual(['rewrite']);
    expect(await refused('preview', '.', '--start', '9')).toContain('the training data has only 8 rows');
  });

  it('colours masks on a terminal only', async () => {
    const coloured = await distillery
      .with({ NO_COLOR: undefined, FORCE_COLOR: '1' })
      .run('preview', '.', '--stage', 'complete');
    expect(coloured.stdout).toContain('\u001b[7m[MASK]');
    expect((await distillery.run('preview', '.')).stdout).not.toContain('\u001b');
  });
});

describe('new', () => {
  it('writes the built-in experiment for a student', async () => {
    const made = await distillery.json('new', 'copy', '--student', 'student', '--name', 'second');
    expect(made).toMatchObject({ files: ['second.distillery.json', 'brevity.reward.json', 'README.md'], notes: [] });
    const { experiment, warnings } = loadExperiment(join(distillery.folder, 'copy/second.distillery.json'));
    expect(warnings).toEqual([]);
    expect(experiment).toMatchObject({
      name: 'second',
      student: { path: join(distillery.folder, 'student') },
      data: { train: { format: 'arithmetic' } },
    });
    const text = readFileSync(join(distillery.folder, 'copy/second.distillery.json'), 'utf8');
    expect(text).toContain('// Teacher chains');
    expect(text).not.toContain('$schema'); // editors know the file by its name, wherever it goes
    expect((await distillery.run('preview', 'copy', '--count', '1')).code).toBe(0);
    expect(await refused('new', 'copy', '--student', 'student', '--name', 'second')).toContain(
      'nothing is overwritten',
    );
  });

  it('copies the built-in student where none is named', async () => {
    expect((await distillery.run('new', 'own')).code).toBe(0);
    const { experiment, warnings } = loadExperiment(join(distillery.folder, 'own/own.distillery.json'));
    expect([experiment.student.path, warnings]).toEqual([join(distillery.folder, 'own/student'), []]);
    expect(existsSync(join(experiment.student.path, 'model.safetensors'))).toBe(true);
  });

  it.each([false, true])('fits an experiment to a dataset, test file beside it: %s', async (beside) => {
    const name = beside ? 'beside' : 'single';
    distillery.write(`${name}/train.jsonl`, gsm8k(20));
    if (beside) distillery.write(`${name}/test.jsonl`, gsm8k(5));
    const { code, stdout } = await distillery.run(
      'new',
      `${name}/experiment`,
      '--data',
      `${name}/train.jsonl`,
      '--student',
      'student',
    );
    expect([code, stdout]).toEqual([0, expect.stringContaining(`distillery run ${name}/experiment --quick`)]);
    const file = join(distillery.folder, name, 'experiment/experiment.distillery.json');
    for (const quick of [false, true]) {
      const { experiment, warnings } = loadExperiment(file, { quick });
      expect(warnings).toEqual([expect.objectContaining({ path: ['student', 'path'] })]); // it is tiny
      const { train, test, validation } = experiment.data;
      expect(validation).toBe(2);
      if (beside)
        expect([train, test]).toMatchObject([{ start: 0 }, { path: join(distillery.folder, name, 'test.jsonl') }]);
      else expect([train, test]).toMatchObject([{ count: 17 }, { start: 17, count: 3 }]);
    }
    expect(
      (await distillery.run('run', `${name}/experiment`, '--quick', '--stage', 'reconstruct', '--limit', '3')).code,
    ).toBe(0);
  });

  it('switches off what rows without chains cannot teach', async () => {
    distillery.write(
      'bare.jsonl',
      lines(Array.from({ length: 10 }, (_, i) => ({ id: i, question: 'q', answer: '1' }))),
    );
    const { notes, experiment } = await distillery.json<{ notes: string[]; experiment: string }>(
      'new',
      'bare',
      '--data',
      'bare.jsonl',
      '--student',
      'student',
    );
    expect(notes[0]).toContain('No row has a teacher chain');
    const { stages, baselines } = loadExperiment(experiment).experiment;
    expect([stages.reconstruct, stages.rewrite, baselines.sft]).toEqual([false, false, false]);
  });

  it('accepts a student without weights, as a server has its own, but none with damaged ones', async () => {
    const weights = join(distillery.folder, 'weightless/model.safetensors');
    cpSync(join(distillery.folder, 'student'), join(weights, '..'), { recursive: true });
    const whole = readFileSync(weights);
    rmSync(weights);
    const named = ['--data', 'train.jsonl', '--student', 'weightless'];
    const { experiment, needs } = await distillery.json<{ experiment: string; needs: string[] }>(
      'new',
      'far',
      ...named,
    );
    expect(needs).toContainEqual(expect.stringContaining('There is neither model.safetensors'));
    expect(loadExperiment(experiment).experiment.backend).toBe('auto');
    writeFileSync(weights, whole.subarray(0, whole.length - 8));
    expect(await refused('new', 'torn', ...named)).toContain('the file is cut off');
    rmSync(weights);
    writeFileSync(`${weights}.index.json`, JSON.stringify({ weight_map: { 'lm_head.weight': 'lost.safetensors' } }));
    expect(await refused('new', 'torn', '--student', 'weightless')).toMatch(/lost\.safetensors.*no such file/s);
    expect(existsSync(join(distillery.folder, 'torn'))).toBe(false);
  });

  it('gives a student of another family to PyTorch, and names the step that sets it up', async () => {
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      distillery.write(`olmo/${name}`, readFileSync(join(distillery.folder, 'student', name), 'utf8'));
    const { vocab_size } = JSON.parse(readFileSync(join(distillery.folder, 'student/config.json'), 'utf8'));
    const sizes = { hidden_size: 2048, num_attention_heads: 16, num_hidden_layers: 16, intermediate_size: 8192 };
    const family = { model_type: 'olmo2', vocab_size, max_position_embeddings: 200, eos_token_id: 0 };
    distillery.write('olmo/config.json', { ...sizes, ...family });
    const without = distillery.with({ DISTILLERY_ENGINE: '', DISTILLERY_ENGINE_HOME: join(distillery.folder, 'none') });
    const { code, stdout } = await without.run('new', 'other', '--data', 'train.jsonl', '--student', 'olmo');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/Next:\n {2}distillery engine install\n {2}distillery preview other\n/),
    ]);
    expect(stdout).toContain('Only the PyTorch engine supports this student (model_type is "olmo2")');
    expect(stdout).toMatch(/weights alone take about 2\.\d GB of memory in bfloat16 \(on a GPU\), 4\.\d GB in float32/);
    const { experiment } = loadExperiment(join(distillery.folder, 'other/other.distillery.json'));
    expect(experiment).toMatchObject({ backend: 'torch', student: { lora: { rank: 16 } } });
    expect(experiment.evaluation.maxNewTokens).toBeLessThan(200); // its positions
    expect((await without.run('preview', 'other', '--count', '1')).code).toBe(0);
  });

  it('writes nothing when the input is wrong', async () => {
    expect(await refused('new', 'wrong', '--data', 'absent.jsonl', '--student', 'student')).toContain('no such file');
    expect(await refused('new', 'wrong', '--student', 'absent')).toContain('tokenizer.json');
    expect(await refused('new', 'wrong', '--student', 'student', '--name', 'a/b')).toContain('usable in a folder name');
    expect(await refused('new', ' ', '--student', 'student')).toContain('<folder> is empty');
    expect(await refused('new', 'bare.jsonl', '--student', 'student')).toContain('nothing can be written there');
    expect(existsSync(join(distillery.folder, 'wrong'))).toBe(false);
  });
});

it('doctor lists what works', async () => {
  const report = await distillery.json<{ backends: { name: string; usable: boolean; gflops?: number }[] }>('doctor');
  expect(report).toMatchObject({
    node: { version: process.version },
    processor: { cores: expect.any(Number) },
    memory: { total: expect.any(Number) },
    disk: { folder: join(distillery.folder, '.distillery/runs'), free: expect.any(Number) },
    addon: { file: expect.stringContaining('distillery.node'), usable: expect.any(Boolean) },
    problems: [],
  });
  expect(report.backends.map(({ name }) => name)).toEqual([
    'embedded',
    'embedded-wasm',
    'cpu',
    'tensorflow',
    'tensorflow-gpu',
    'torch',
    'tinker',
  ]);
  // How fast PyTorch or a server is, is not measured here.
  for (const { name, usable, gflops } of report.backends)
    if (name !== 'torch' && name !== 'tinker') expect(gflops !== undefined && gflops > 0).toBe(usable);
  const { code, stdout } = await distillery.run('doctor');
  expect(code).toBe(0);
  expect(stdout).toMatch(/✓ embedded {2}.*GFLOP\/s/);
  expect(stdout).toMatch(/✗ tensorflow-gpu {2}.*\n {2}Optional, for CUDA|✓ tensorflow-gpu/);
});

describe('importing cases', () => {
  const row = {
    idx: 7,
    question: 'Six boxes hold 4 pens each. How many pens are there?',
    gold_answer: '24',
    predicted_answer: '26',
    is_correct: false,
    token_count: 12,
    response: 'Step 1: 6 * 4 = 26\nFinal Answer: 26',
    teacher_cot: 'Step 1: 6 * 4 = 24\nAnswer: 24',
  };

  it('makes a finished run that show and runs know', async () => {
    distillery.write('errors.json', [row]);
    const { code, stdout } = await distillery.run('import', 'cases', 'errors.json', '--runs', 'imported');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^1 case, 1 with a first wrong step\n +1 {2}arithmetic slip\n/),
    ]);
    const { folder } = await distillery.json<{ folder: string }>(
      'import',
      'cases',
      'errors.json',
      '--runs',
      'imported',
    );
    const shown = await distillery.run('show', folder);
    expect(shown.stdout).toContain('finished: imported from errors.json; nothing was trained');
    expect(shown.stdout).toContain('bridge-7, step 1: 6 * 4 is 24, not 26');
    expect(await distillery.json<object[]>('runs', '--runs', 'imported')).toHaveLength(2);
  });

  it('refuses other files, and lists supported ones', async () => {
    expect(await refused('import', 'cases', 'none.json')).toContain('none.json: no such file');
    distillery.write('plain.chains.jsonl', lines([{ id: 'a', question: 'Q?', answer: '1' }]));
    expect(await refused('import', 'cases', 'plain.chains.jsonl')).toContain("no row has a student's answer");
    expect(await refused('import', 'case', 'x')).toContain('unknown command');
  });
});
