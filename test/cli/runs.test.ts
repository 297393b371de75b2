import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { acquireLock } from '../../src/runs/lock';
import { readMetrics, readSummary } from '../../src/runs/reading';
import { type Distillery, openDistillery, outcome, tinyFile } from './distillery';

vi.setConfig({ testTimeout: 180_000 }); // a test is several runs, and the machine may be busy

let distillery: Distillery;
let whole = '';
const stages = ['base', 'sft', 'reconstruct', 'complete', 'rewrite'];
const records = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  distillery = await openDistillery();
  distillery.write('tiny.distillery.json', tinyFile());
  const { code, stdout, stderr } = await distillery.run('run', '.', '--json');
  if (code !== 0) throw new Error(stdout + stderr);
  const all = records(stdout);
  expect(all[0]).toMatchObject({ run: { record: { name: 'tiny' }, backend: { name: 'embedded' } } });
  expect(all.filter((record) => record.event?.type === 'result')).toHaveLength(5);
  const { result } = all.at(-1);
  expect(result).toMatchObject({ rows: stages.map((stage) => ({ stage, n: 4 })), seconds: expect.any(Number) });
  whole = result.folder;
}, 120_000);
afterAll(() => distillery?.close());

/** metrics.jsonl and summary.json without what may differ between equal runs: times and speeds. */
function outcomeOf(run: string) {
  const metrics = readMetrics(run).map(({ time: _, tokensPerSecond: __, ...rest }) => rest);
  const summary = readSummary(run).map(({ stage, accuracy, meanTokens, seq }) => ({
    stage,
    accuracy,
    meanTokens,
    seq,
  }));
  return { metrics, summary };
}

/**
 * Starts a run in its own runs folder and waits for a text in its output; resolves to the process and the run's folder.
 */
async function startUntil(runs: string, text: string | RegExp, format: '--json' | '--seed=1' = '--json', path = '.') {
  const child = distillery.start('run', path, '--runs', runs, format);
  let stdout = '';
  await new Promise<void>((resolve, reject) => {
    child.on('exit', () => reject(new Error(`ended too early: ${stdout}`)));
    child.stdout!.on('data', (data) => {
      stdout += data;
      if (stdout.search(text) >= 0) resolve();
    });
  });
  const [name] = readdirSync(join(distillery.folder, runs));
  return { child, folder: join(distillery.folder, runs, name) };
}
const updateOf = (stage: string) => new RegExp(`"type":"update","stage":"${stage}"`);

async function stopIn(runs: string, stage: string, signal: NodeJS.Signals): Promise<string> {
  const { child, folder } = await startUntil(runs, updateOf(stage));
  const end = outcome(child);
  child.kill(signal);
  await end;
  return folder;
}

describe('run', () => {
  it('prints progress and a table', async () => {
    const { code, stdout } = await distillery.run(
      'run',
      'tiny.distillery.json',
      '--stage',
      'reconstruct',
      '--limit',
      '2',
      '--runs',
      'limited',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^tiny on native|^tiny on WebAssembly/);
    expect(stdout).toContain('Stage 1 (Reconstruct): 2 updates');
    expect(stdout).toMatch(/accuracy +95 % interval +mean tokens +vs base +tokens vs base +cut off/);
    expect(stdout).not.toContain('Plain SFT');
    expect(stdout).toMatch(/The run is in limited\/\d{8}-\d{6}-tiny/);
  });

  it('is followed to trackers while it trains, and sent afterwards', async () => {
    const { code } = await distillery.run(
      'run',
      '.',
      '--stage',
      'complete',
      '--runs',
      'tracked/runs',
      '--track',
      'tensorboard',
    );
    expect(code).toBe(0);
    const [name] = readdirSync(join(distillery.folder, 'tracked/runs'));
    const followed = join(distillery.folder, 'tracked/tensorboard', name);
    await vi.waitFor(() => expect(readdirSync(join(followed, 'complete'))).toHaveLength(1), { timeout: 60_000 });
    const [sent] = await distillery.json<{ tracker: string; files: string[] }[]>('track', whole, '--to', 'tensorboard');
    expect(sent.files.map((file) => file.split(/[\\/]/).at(-2))).toEqual(['sft', 'reconstruct', 'complete', 'rewrite']);
    const { stderr } = await distillery.run('track', whole, '--to', 'wandb', '--python', process.execPath);
    expect(stderr).toMatch(/this Python has no wandb\n +Install it with `pip install wandb`/);
  });

  it('starts from a checkpoint, and refuses one of another shape', async () => {
    const tested = readSummary(whole).find(({ stage }) => stage === 'complete')!.checkpoint!;
    const checkpoint = join(whole, 'checkpoints', tested);
    const run = await distillery.run(
      'run',
      '.',
      '--stage',
      'complete',
      '--from',
      checkpoint,
      '--runs',
      'from',
      '--json',
    );
    expect(
      records(run.stdout)
        .at(-1)
        .result.rows.map(({ stage }: { stage: string }) => stage),
    ).toEqual(['base', 'complete']);
    const { folder } = records(run.stdout).at(-1).result;
    const title = `Start: ${basename(whole)} ${tested}`;
    for (const asked of [
      ['show', folder],
      ['runs', '--runs', 'from'],
      ['resume', folder],
    ]) {
      const { stdout } = await distillery.run(...asked);
      expect(stdout).not.toMatch(/base student|vs base/i);
      if (asked[0] !== 'runs') expect(stdout).toMatch(new RegExp(`^ *${title} .*\\n.*Stage 2 \\(Complete\\)`, 'm'));
    }
    const start = { run: basename(whole), checkpoint: tested };
    expect(await distillery.json('show', folder)).toMatchObject({ start });
    expect(await distillery.json('runs', '--runs', 'from')).toMatchObject([{ start }]);
    const config = JSON.parse(readFileSync(join(checkpoint, 'config.json'), 'utf8'));
    distillery.write('wide/config.json', { ...config, intermediate_size: 44 });
    const wide = await distillery.run('run', '.', '--from', 'wide');
    expect(wide.code).toBe(2);
    expect(wide.stderr).toMatch(/another shape than the student: .*gate_proj.weight is \[44,24\], not \[40,24\]/);
  });

  it('Ctrl-C writes a checkpoint and prints how to resume, and resume finishes', async () => {
    const { child, folder } = await startUntil('interrupted', /Stage 2 \(Complete\): 2 updates/, '--seed=1');
    const end = outcome(child);
    child.kill('SIGINT');
    const { code, stdout } = await end;
    expect(code).toBe(130);
    expect(stdout).toMatch(/Stopped. Resume with:\n {2}distillery resume interrupted\/\d{8}-\d{6}-tiny\n$/);
    expect(await distillery.json('show', folder)).toMatchObject({ state: 'stopped' });
    const resumed = await distillery.run('resume', folder);
    expect([resumed.code, resumed.stdout]).toEqual([0, expect.stringContaining('Stage 3 (Rewrite)')]);
    expect(outcomeOf(folder)).toEqual(outcomeOf(whole));
  });

  it('stops within a supervised stage, with a last record for scripts', async () => {
    const sft = { updates: 100_000, batch: 2, evaluateEvery: 500 };
    distillery.write('long/long.distillery.json', tinyFile({ student: { path: '../student' }, baselines: { sft } }));
    const { child, folder } = await startUntil('terminated', updateOf('sft'), '--json', 'long');
    const end = outcome(child);
    child.kill('SIGTERM');
    const { code, stdout } = await end;
    expect([code, records(stdout).at(-1)]).toEqual([130, { stopped: { folder } }]);
    const updates = readMetrics(folder).length;
    expect(updates).toBeLessThan(100_000);
    expect(await distillery.json('show', folder)).toMatchObject({
      state: 'stopped',
      record: { checkpoints: [{ name: 'sft-0' }, { name: `sft-${updates}` }] },
    });
  });

  it('is not lost when its reader is gone', async () => {
    const { child, folder } = await startUntil('unread', updateOf('sft'));
    child.stdout!.destroy();
    await new Promise((resolve) => child.on('exit', resolve));
    expect(await distillery.json('show', folder)).toMatchObject({ state: 'stopped' });
  });

  it.each(['reconstruct', 'rewrite'])('killed in %s, resume gives what a run left alone gives', async (stage) => {
    const folder = await stopIn(`killed-${stage}`, stage, 'SIGKILL');
    expect(await distillery.json('runs', '--runs', `killed-${stage}`)).toMatchObject([{ state: 'interrupted' }]);
    const resumed = await distillery.run('resume', 'latest', '--runs', `killed-${stage}`, '--json');
    expect(records(resumed.stdout).at(-1)).toMatchObject({ result: { folder } });
    expect(outcomeOf(folder)).toEqual(outcomeOf(whole));
  });
});

describe('resume', () => {
  it('shows the table of a run that is finished, and changes nothing', async () => {
    const before = readFileSync(join(whole, 'run.json'), 'utf8');
    const { code, stdout } = await distillery.run('resume', whole);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Stage 3 \(Rewrite\)[\s\S]*This run is finished/);
    expect(readFileSync(join(whole, 'run.json'), 'utf8')).toBe(before);
  });

  it('resumes from an earlier checkpoint if the newest is damaged', async () => {
    const folder = await stopIn('damaged', 'rewrite', 'SIGINT');
    const record = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
    const newest = record.checkpoints.at(-1).name;
    truncateSync(join(folder, 'checkpoints', newest, 'model.safetensors'), 100);
    const resumed = await distillery.run('resume', folder);
    expect(resumed.stdout).toContain(`checkpoint ${newest} is skipped`);
    expect(outcomeOf(folder)).toEqual(outcomeOf(whole));
  });

  it('does not touch a run that another process works on', async () => {
    const folder = await stopIn('locked', 'sft', 'SIGINT');
    const lock = acquireLock(folder);
    const { code, stdout } = await distillery.run('resume', folder, '--json');
    lock.release();
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'locked',
      message: `process ${process.pid} is working on this run`,
    });
  });

  it('knows the runs it does not find', async () => {
    const { code, stderr } = await distillery.run('resume', 'none-like-this');
    expect(code).toBe(2);
    expect(stderr).toMatch(/no run matches the name "none-like-this"\n {2}Runs: \d{8}/);
  });
});

describe('runs and show', () => {
  it('lists runs newest first, those that cannot be read with the reason', async () => {
    distillery.write('list/20200101-000000-old/run.json', '{ "format": 1,');
    distillery.write('list/20190101-000000-older/notes.txt', '');
    const listed = await distillery.json<{ id: string; state: string; problem: { message: string; line: number } }[]>(
      'runs',
      '--runs',
      'list',
    );
    expect(listed).toMatchObject([
      {
        id: '20200101-000000-old',
        state: 'unreadable',
        problem: { message: expect.stringContaining('broken JSON'), line: 1 },
      },
      {
        id: '20190101-000000-older',
        state: 'unreadable',
        problem: { message: expect.stringContaining('no run.json') },
      },
    ]);
    const { code, stdout } = await distillery.run('runs', '--runs', 'list');
    expect(code).toBe(0);
    expect(stdout).toContain('broken JSON');
    const [own] = await distillery.json<object[]>('runs');
    expect(own).toMatchObject({
      folder: whole,
      state: 'finished',
      name: 'tiny',
      stage: 'rewrite',
      step: 5,
      result: { stage: 'rewrite', n: 4 },
    });
    expect((await distillery.run('runs')).stdout).toMatch(/tiny +finished +rewrite 5 +Stage 3 \(Rewrite\) +\d/);
    expect(await distillery.json('runs', '--runs', 'student')).toEqual(expect.any(Array));
  });

  it('reports that there are none', async () => {
    distillery.write('empty/.keep', '');
    expect((await distillery.run('runs', '--runs', 'empty')).stdout).toContain('No runs here yet');
    const { code, stderr } = await distillery.run('runs', '--runs', 'absent');
    expect([code, stderr]).toEqual([2, expect.stringContaining('absent: no such folder')]);
  });

  it('shows a run', async () => {
    const { code, stdout } = await distillery.run('show', 'latest', '--runs', '.distillery/runs');
    expect(code).toBe(0);
    for (const text of [
      'finished',
      'Settings',
      'Stage 2     2 updates of 2 × 3',
      'Curves',
      'Stage 3 (Rewrite), internalise: 2 updates',
      'Failures (',
      'Files',
      'checkpoints/',
    ])
      expect(stdout).toContain(text);
    expect(stdout).toMatch(/loss +[▁▂▃▄▅▆▇█]+ +\d/);
    const story = await distillery.json('show', whole);
    expect(story).toMatchObject({
      state: 'finished',
      folder: whole,
      summary: stages.map((stage) => ({ stage })),
      config: { experiment: { name: 'tiny' } },
      failures: { count: expect.any(Number), categories: expect.any(Object) },
      rollouts: 4,
    });
    expect((story.phases as object[])[3]).toMatchObject({
      stage: 'rewrite',
      phase: 'rewrite',
      updates: 2,
      last: { step: 2 },
    });
  });

  it('shows what can be read of a damaged run, and names the lines and files that cannot', async () => {
    const folder = join(distillery.folder, 'damaged');
    cpSync(whole, folder, { recursive: true });
    const nuls = `${'\0'.repeat(4096)}\n`;
    appendFileSync(join(folder, 'metrics.jsonl'), `not json\n${nuls}`);
    const failures = join(folder, 'failures.jsonl');
    writeFileSync(failures, `${nuls}${readFileSync(failures, 'utf8')}`);
    writeFileSync(join(folder, 'config.json'), '{"experiment": ');
    const { code, stdout } = await distillery.run('show', folder);
    expect(code).toBe(0);
    for (const text of [
      'Curves',
      'Failures (',
      'Stage 3 (Rewrite), internalise: 2 updates',
      'Not shown, as it cannot be read',
    ])
      expect(stdout).toContain(text);
    for (const place of [
      /metrics\.jsonl:\d+:1: broken JSON/,
      /failures\.jsonl:1:1: broken JSON/,
      /config\.json:1:\d+: broken/,
    ])
      expect(stdout).toMatch(place);
    expect(stdout).not.toContain('\0');
    const story = await distillery.json('show', folder);
    expect(story).toMatchObject({ config: null, failures: { count: expect.any(Number) } });
    const names = (story.unreadable as { file: string }[]).map(({ file }) => basename(file));
    expect(names.toSorted()).toEqual(['config.json', 'failures.jsonl', 'metrics.jsonl', 'metrics.jsonl']);
    writeFileSync(join(folder, 'summary.json'), '[{]');
    expect((await distillery.run('show', folder)).stdout).toMatch(/No student has been tested[\s\S]*summary\.json:1/);
    for (const name of ['failures.jsonl', 'rewrites.jsonl']) {
      rmSync(join(folder, name));
      mkdirSync(join(folder, name));
    }
    const left = (await distillery.run('show', folder)).stdout;
    expect(left).toMatch(/Curves[\s\S]*failures\.jsonl: this is a folder[\s\S]*rewrites\.jsonl: this is a folder/);
    expect((await distillery.run('runs', '--runs', dirname(folder))).stdout).toMatch(/^damaged +finished/m);
    expect((await distillery.run('report', folder, '--out', 'damaged.html')).code).toBe(0);
    const page = readFileSync(join(distillery.folder, 'damaged.html'), 'utf8');
    for (const name of ['summary.json', 'failures.jsonl', 'metrics.jsonl']) expect(page).toContain(`<li>${name}`);
    const tracked = await distillery.run('track', folder, '--to', 'tensorboard', '--out', 'damaged-tracked');
    expect(tracked).toMatchObject({ code: 0, stdout: expect.stringContaining('event file') });
  });
});

describe('report and track', () => {
  it.runIf(process.platform !== 'win32')('write through no link that bears a name they chose', async () => {
    const outside = join(distillery.folder, 'outside');
    mkdirSync(outside);
    const ways = [
      [['report', whole], join(distillery.folder, `${basename(whole)}.html`), join(outside, 'page.html')],
      [
        ['track', whole, '--to', 'tensorboard', '--out', 'linked'],
        join(distillery.folder, 'linked/tensorboard'),
        outside,
      ],
    ] as const;
    for (const [args, link, target] of ways) {
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(target, link);
      const { code, stderr } = await distillery.run(...args);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`${link}: this is a symbolic link`)]);
    }
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('score', () => {
  it('shows what another reward changes', async () => {
    distillery.write('short.reward.json', {
      name: 'short',
      components: [{ use: 'correctness' }, { use: 'softOverlong', options: { maxTokens: 8, buffer: 8 } }],
    });
    const { code, stdout } = await distillery.run('score', 'short.reward.json', whole);
    expect(code).toBe(0);
    expect(stdout).toContain('short on 6 completions in 2 groups');
    expect(stdout).toMatch(/total +0\.000 +-?\d/);
    expect(stdout).toMatch(/repetition +-?0\.\d+ +–/);
    const scored = await distillery.json('score', 'bridge-stage2', whole, '--stage', 'complete', '--updates', '2');
    expect(scored).toMatchObject({
      reward: 'bridge-stage2',
      count: 12,
      groups: 4,
      files: [1, 2].map((step) => join(whole, 'rollouts', 'complete', `${step}.jsonl`)),
      total: { after: { applies: 1, mean: -2 } },
      movement: { rises: expect.any(Number), falls: expect.any(Number), stays: expect.any(Number), unscored: 0 },
      parts: { bridgeStage2: { before: null }, correctness: { after: null } },
    });
    expect((scored.completions as object[])[0]).toMatchObject({
      step: 1,
      group: 0,
      sample: 0,
      before: 0,
      after: -2,
      correct: false,
    });
  });

  it('runs a reward in code, and says so', async () => {
    distillery.write('length.mjs', 'export default ({ text }) => text.length;');
    distillery.write('length.reward.json', { components: [{ use: './length.mjs' }, { use: 'correctness' }] });
    const { code, stdout, stderr } = await distillery.run('score', 'length.reward.json', whole, '--json');
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining(`runs code: ${join(distillery.folder, 'length.mjs')}\n`),
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      count: 6,
      parts: { length: { after: { applies: 1, min: expect.any(Number) } } },
    });
  });

  it('lists what goes wrong in a reward in code, also in JSON', async () => {
    distillery.write('fails.mjs', "export default () => { throw new Error('no sentence'); };");
    distillery.write('fails.reward.json', { components: [{ use: './fails.mjs' }, { use: 'correctness' }] });
    const { code, stdout, stderr } = await distillery.run('score', 'fails.reward.json', whole, '--json');
    const { problems } = JSON.parse(stdout);
    expect([code, problems.length]).toEqual([0, 2]);
    expect(problems[0]).toMatch(/fails\.mjs:1:\d+: no sentence; the component "fails" did not apply there$/);
    expect(problems[1]).toBe(`${problems[0]} (6 times)`);
    for (const problem of problems) expect(stderr).toContain(`warning: ${problem}\n`);
  });

  it('reads a file of rollouts; outside of a run it needs the problems', async () => {
    const file = join(whole, 'rollouts', 'rewrite', '1.jsonl');
    const [inside, copy] = [
      await distillery.json('score', 'default', file),
      distillery.write('copy.jsonl', readFileSync(file, 'utf8')),
    ];
    expect(inside).toMatchObject({ count: 6, files: [file] });
    const refused = await distillery.run('score', 'default', copy);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('Name the dataset with --data')]);
    const { completions } = await distillery.json('score', 'default', copy, '--data', '.');
    expect(completions).toEqual(inside.completions);
  });

  it.each([
    [['nothing', 'latest'], /"nothing" is neither a file nor a preset\n {2}Presets are default, /],
    [['absent.reward.json', 'latest'], /There is no such file/],
    [['default', 'absent.jsonl'], /absent\.jsonl: no such file/],
    [['default', 'student'], /student: not a run: it has no run.json|no run matches the name "student"/],
    [['default', 'latest', '--stage', 'sft'], /"sft" is not one of complete, rewrite/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await distillery.run('score', ...args, '--runs', '.distillery/runs');
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
