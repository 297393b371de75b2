/**
 * A folder from elsewhere with symbolic links that lead out of it: nothing outside of it may be written.
 */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchHost } from '../../src/client/launch';
import { type CurriculumEvent, Stopped } from '../../src/curriculum/context';
import { resumeRun, startRun } from '../../src/curriculum/session';
import { tinyExperiment, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { download } from '../../src/data/download';
import { exportStudent } from '../../src/model/export';
import { writeAddress } from '../../src/protocol/host-folder';
import { archivedRuns, archiveRun, restoreRun } from '../../src/runs/archive';
import { appendDecisions } from '../../src/runs/decisions';
import { acquireLock } from '../../src/runs/lock';
import { openRun } from '../../src/runs/reading';
import { newRollout } from '../../src/runs/testing/rollout';
import { createRun, openForWriting, type RunWriter } from '../../src/runs/writer';
import { openJournal } from '../../src/teachers/journal';
import { writeEventFiles } from '../../src/tracking/event-files';
import { writeOutput } from '../../src/writing';

let folder = '';
/** A run that was stopped in Stage 2, to be copied. */
let stopped = '';
let victim: { file: string; folder: string; seen(): unknown };
let run = '';

beforeAll(async () => {
  folder = await tinyWorkspace();
  const stop = new AbortController();
  const notify = (event: CurriculumEvent) => {
    if (event.type === 'update' && event.stage === 'complete' && event.update === 3) stop.abort();
  };
  const onStart = (writer: RunWriter) => {
    stopped = writer.folder;
  };
  const started = startRun(tinyExperiment(folder), join(folder, 'runs'), { notify, onStart, signal: stop.signal });
  await expect(started).rejects.toThrow(Stopped);
  fs.writeFileSync(join(stopped, 'failures.jsonl'), '');
  fs.writeFileSync(join(stopped, 'rewrites.jsonl'), '');
}, 120_000);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

beforeEach(() => {
  const outside = join(folder, 'outside');
  fs.rmSync(outside, { recursive: true, force: true });
  fs.mkdirSync(join(outside, 'folder', '.unfinished-sft-0'), { recursive: true });
  victim = {
    file: join(outside, 'file'),
    folder: join(outside, 'folder'),
    seen: () => [
      fs.readdirSync(outside, { recursive: true, encoding: 'utf8' }).sort(),
      fs.readFileSync(join(outside, 'file'), 'utf8'),
      fs.readFileSync(join(outside, 'folder', '.unfinished-sft-0', 'file'), 'utf8'),
    ],
  };
  fs.writeFileSync(victim.file, '{"seq":7}\nno line end');
  fs.utimesSync(victim.file, 0, 0);
  fs.writeFileSync(join(victim.folder, '.unfinished-sft-0', 'file'), 'kept');
  run = join(folder, '.distillery', 'runs', 'copy');
  fs.rmSync(join(folder, '.distillery'), { recursive: true, force: true });
  fs.cpSync(stopped, run, { recursive: true });
});

/** Replaces a file or folder of the run by a link. */
function plant(name: string, target: string): string {
  const place = join(run, name);
  fs.rmSync(place, { recursive: true, force: true });
  fs.mkdirSync(dirname(place), { recursive: true });
  fs.symlinkSync(target, place);
  return place;
}

/** Runs a writer: its error must name the link and a remedy, and nothing outside may have changed. */
async function refused(link: string, write: () => unknown): Promise<void> {
  const before = victim.seen();
  await expect((async () => write())()).rejects.toMatchObject({
    name: 'UserError',
    file: link,
    message: expect.stringContaining('symbolic link'),
    remedy: expect.stringContaining('Remove the link'),
  });
  expect(victim.seen()).toEqual(before);
}

const quiet = { notify: () => {}, signal: new AbortController().signal };
const resume = () => resumeRun(run, quiet);

describe('resuming a run', () => {
  it.each([
    ...['run.json', 'summary.json', 'metrics.jsonl', 'validation.jsonl', 'failures.jsonl', 'rewrites.jsonl'],
    ...['rollouts/complete/3.jsonl', 'rollouts/complete/9.jsonl', 'evaluations/base.jsonl', 'evaluations/z.jsonl'],
  ])('with a link at %s writes nowhere', async (name) => {
    if (name === 'run.json') fs.writeFileSync(victim.file, fs.readFileSync(join(run, name)));
    const lock = fs.readdirSync(join(run, 'lock'));
    await refused(plant(name, victim.file), resume);
    expect(fs.readdirSync(join(run, 'lock'))).toEqual(lock);
  });

  it.each(['checkpoints', 'lock', 'rollouts', 'rollouts/complete', 'rollouts/rewrite', 'evaluations'])(
    'with a link at the folder %s writes nowhere',
    async (name) => {
      await refused(plant(name, victim.folder), resume);
      expect(openRun(run).record.checkpoints).toEqual(openRun(stopped).record.checkpoints);
    },
  );

  it.each(['metrics.jsonl', 'rollouts/complete/4.jsonl', 'evaluations'])(
    'with a link at %s that leads to nothing makes nothing there',
    async (name) => {
      const link = plant(name, join(folder, 'outside', 'new'));
      await refused(link, resume);
    },
  );

  it('replaces drafts and removes what a killed process left, even if these are links', async () => {
    plant('run.json.draft', victim.file);
    plant('summary.json.draft', victim.file);
    plant('checkpoints/.unfinished-rewrite-0', victim.folder);
    plant('checkpoints/rewrite-0', victim.folder);
    plant('lock/1.json', victim.file);
    const before = victim.seen();
    await resume();
    expect(victim.seen()).toEqual(before);
    expect(openRun(run).record.state).toBe('finished');
    expect(fs.lstatSync(join(run, 'run.json')).isSymbolicLink()).toBe(false);
  });

  it('works through links that the user made: to the run, to the folder of runs', async () => {
    const elsewhere = join(folder, 'elsewhere');
    fs.symlinkSync(join(folder, '.distillery', 'runs'), elsewhere);
    await resumeRun(join(elsewhere, 'copy'), quiet);
    expect(openRun(run).record.state).toBe('finished');
    expect(fs.existsSync(createRun(elsewhere, 'new', {}).folder)).toBe(true);
    fs.rmSync(elsewhere);
  });
});

describe('a link that appears during a run', () => {
  const loss = { stage: 'sft' as const, step: 1, loss: 1 };
  const evaluated = { problemId: 'p', text: '', answer: null, correct: false, finished: true, tokens: 1, gold: '1' };
  const failed = { problemId: 'p', question: '', answer: '', samples: [], category: 'x', source: 'x' };
  const rewritten = { problemId: 'p', question: '', answer: '', text: '', tokens: 1, reward: 1, accepted: true };
  const row = { stage: 'sft' as const, accuracy: 0, meanTokens: 1, n: 1, wallSeconds: 1 };
  const writers: [string, (writer: RunWriter) => unknown][] = [
    ['run.json', (writer) => writer.update({ step: 1 })],
    ['summary.json', (writer) => writer.summary({ ...row, accuracyInterval: [0, 0] })],
    ['metrics.jsonl', (writer) => writer.metrics(loss)],
    ['validation.jsonl', (writer) => writer.validation({ stage: 'sft', step: 1, best: false })],
    ['rollouts/sft/1.jsonl', (writer) => writer.rollouts('sft', 1, [newRollout()])],
    ['evaluations/x.jsonl', (writer) => writer.evaluation('x', [evaluated])],
    ['failures.jsonl', (writer) => writer.failures([failed])],
    [
      'rewrites.jsonl',
      (writer) => writer.rewrites([{ ...rewritten, provenance: { stage: 'rewrite', step: 1, group: 0, sample: 0 } }]),
    ],
  ];
  it.each(writers)('at %s is not followed', async (name, write) => {
    const writer = openForWriting(run);
    if (name === 'summary.json') fs.rmSync(join(run, name));
    const target = name === 'summary.json' ? join(folder, 'outside', 'new') : victim.file;
    await refused(plant(name, target), () => write(writer));
    writer.close();
  });

  it.each(['checkpoints', 'rollouts', 'evaluations'])('at the folder %s is not followed', async (name) => {
    const writer = openForWriting(run);
    const link = plant(name, victim.folder);
    if (name === 'checkpoints') {
      fs.mkdirSync(join(victim.folder, writer.record.checkpoints[0].name));
      await refused(link, () => writer.checkpoint({ stage: 'sft', step: 99, state: null }, () => {}));
      await refused(link, () => writer.rollBack(null));
    }
    if (name === 'rollouts') await refused(link, () => writer.rollouts('sft', 1, [newRollout()]));
    if (name === 'evaluations') await refused(link, () => writer.evaluation('x', [evaluated]));
    writer.close();
  });
});

describe('decisions', () => {
  const decide = () => appendDecisions(run, [{ kind: 'pick', problemId: '$(id)', question: 'Q?', picked: true }]);

  it.each(['file', 'new'])('write nothing through a link to a %s', async (name) => {
    await refused(plant('decisions.jsonl', join(folder, 'outside', name)), decide);
    expect(fs.existsSync(join(run, 'decisions.jsonl.lock'))).toBe(false);
  });

  it('are not locked through a link', () => {
    const lock = plant('decisions.jsonl.lock', join(folder, 'outside', 'new'));
    expect(decide).toThrow(
      expect.objectContaining({ file: lock, remedy: expect.stringContaining('delete this file') }),
    );
    expect(fs.existsSync(join(folder, 'outside', 'new'))).toBe(false);
  });
});

describe('a training host', () => {
  const node = { command: 'false', version: '20.0.0', env: {} };
  const distillery = () => join(folder, '.distillery');
  const address = {
    protocol: 1,
    version: '0',
    pid: 2,
    startTime: '',
    machine: '',
    session: '',
    endpoint: '',
    token: 't',
  };
  const host = (name: string, target: string) => plant(join('..', '..', 'host', name), target);

  it('writes no address, log or lock through a folder that is a link', async () => {
    const link = host('', victim.folder);
    await refused(link, () => writeAddress(distillery(), address));
    await refused(link, () => launchHost(process.execPath, distillery(), node, []));
  });

  it('writes no file of its folder through a link', async () => {
    await refused(host('host.json', victim.file), () => writeAddress(distillery(), address));
    await refused(host('host.log', victim.file), () => launchHost(process.execPath, distillery(), node, []));
    await refused(host('lock', victim.folder), () => acquireLock(join(distillery(), 'host')));
  });

  it('does not write its token into a draft that another user prepared', () => {
    host('host.json.draft', victim.file);
    const before = victim.seen();
    writeAddress(distillery(), address);
    expect(victim.seen()).toEqual(before);
    expect(fs.lstatSync(join(distillery(), 'host', 'host.json')).mode & 0o777).toBe(0o600);
  });
});

describe('the folder of archived runs', () => {
  it('is not used when it is a link', async () => {
    const archive = plant(join('..', '..', 'archive'), victim.folder);
    await refused(archive, () => archiveRun(run));
    fs.cpSync(run, join(victim.folder, 'copy-2'), { recursive: true });
    const [archived] = archivedRuns(dirname(run));
    await refused(archive, () => restoreRun(archived, join(dirname(run), 'copy-2')));
  });

  it('is used when it is a folder', () => {
    const archived = archiveRun(run);
    expect([fs.existsSync(run), archivedRuns(dirname(run))]).toEqual([false, [archived]]);
    restoreRun(archived, run);
    expect(fs.existsSync(join(run, 'run.json'))).toBe(true);
  });
});

describe("a teacher's replies", () => {
  it('are not written through links', async () => {
    await refused(plant('../x.teacher', victim.folder), () => openJournal(join(run, '..', 'x.teacher')));
    await refused(plant('../y.teacher/replies.jsonl', victim.file), () => openJournal(join(run, '..', 'y.teacher')));
  });
});

describe('an output file that the user names', () => {
  it('is written through links of the user, to files that exist and to new ones', () => {
    const there = plant('../mine.jsonl', victim.file);
    writeOutput(there, 'written');
    expect([fs.readFileSync(victim.file, 'utf8'), fs.lstatSync(there).isSymbolicLink()]).toEqual(['written', true]);
    const second = plant('../mine-too.jsonl', there);
    writeOutput(second, 'again');
    expect(fs.readFileSync(victim.file, 'utf8')).toBe('again');
    const fresh = plant('../new.jsonl', join(folder, 'outside', 'new.jsonl'));
    writeOutput(fresh, 'made');
    expect(fs.readFileSync(join(folder, 'outside', 'new.jsonl'), 'utf8')).toBe('made');
    const round = join(run, '..', 'round.jsonl');
    fs.symlinkSync(round, round);
    expect(() => writeOutput(round, 'never')).toThrow('symbolic link');
  });

  it('is not written through a link in a run folder', async () => {
    const link = plant('evaluations/mine.jsonl', victim.file);
    await refused(link, () => writeOutput(link, 'never'));
  });
});

describe('an exported student', () => {
  const from = () => join(folder, 'student');

  it('replaces links in its folder; the files that they lead to stay', () => {
    const to = join(run, '..', 'out');
    plant('../out/model.safetensors', victim.file);
    plant('../out/config.json', victim.file);
    plant('../out/adapter_model.safetensors', victim.file);
    const before = victim.seen();
    exportStudent(from(), to, { format: 'hf', dtype: 'F32', force: true });
    expect(victim.seen()).toEqual(before);
    expect(fs.readdirSync(to).filter((name) => fs.lstatSync(join(to, name)).isSymbolicLink())).toEqual([]);
  });

  it('is written to the folder that a link of the user leads to', () => {
    const link = plant('../linked', victim.folder);
    exportStudent(from(), link, { format: 'hf', dtype: 'F32', force: true });
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
    expect(fs.readdirSync(victim.folder)).toContain('model.safetensors');
  });
});

it('event files for TensorBoard are not written through a link in the folder that the user named', async () => {
  const root = join(run, '..');
  const target = join(root, 'tensorboard', basename(run));
  const link = plant('../tensorboard', victim.folder);
  await refused(link, () => writeEventFiles(run, { root, target }));
  fs.rmSync(link);
  expect(writeEventFiles(run, { root, target }).length).toBeGreaterThan(0);
});

it('a download does not resume a file through a link', async () => {
  const link = plant('../data.jsonl.part', victim.file);
  const known = { bytes: 100, sha256: '0'.repeat(64) };
  const fetched = () => download('http://127.0.0.1:9/', join(run, '..', 'data.jsonl'), known, { delayMs: 1 });
  const before = victim.seen();
  await expect(fetched()).rejects.toThrow();
  expect([victim.seen(), fs.lstatSync(link).isSymbolicLink()]).toEqual([before, true]);
});
