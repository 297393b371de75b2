/** From an experiment to a running run: loads its inputs, opens its folder, and ends cleanly whatever happens. */
import { execFileSync } from 'node:child_process';
import { cpus, platform, release } from 'node:os';
import { dirname } from 'node:path';
import type { Backend } from '../config/backends';
import type { Experiment } from '../config/experiment';
import { type ExperimentData, loadExperimentData } from '../data/experiment-data';
import { startEngine, whyTorch } from '../engine/engines';
import type { Engine, EngineInfo, Student } from '../engine/port';
import { EngineLost } from '../engine/process/faults';
import { isOutOfMemory, UserError } from '../errors';
import { CodeRewards } from '../rewards/code/code-rewards';
import { latestCheckpoint, openRun, readMetrics } from '../runs/reading';
import type { CheckpointEntry, StageRow } from '../runs/records';
import { Space } from '../runs/space';
import { createRun, openForWriting, type RunWriter } from '../runs/writer';
import { loadStudentConfig, loadStudentTokenizer } from '../student-files/folder';
import { promptStyle, withPrompts } from '../student-files/prompting';
import type { Tokenizer } from '../student-files/tokenizer';
import { checkpointFolder, newestCheckpoint } from './checkpoints/checkpoints';
import { checkExtra, readTrainingState } from './checkpoints/training-state';
import { Cancelled, type Context, type CurriculumEvent, type Note, note, Stopped } from './context';
import { durationText, workloadOf } from './duration';
import { openStudent } from './evaluation/students';
import { prepareLessons } from './lessons/lessons';
import { lessonsThatFit } from './lessons/lessons-that-fit';
import { changedModules, copyModules, readModules, recordOf, runsCode } from './reward-modules';
import { runCurriculum } from './run';
import { type RunConfig, readRunConfig } from './run-config';
import { longestOf, withMemory } from './training/memory';
import { outOfMemory } from './training/training-errors';

export interface SessionOptions {
  notify: (event: CurriculumEvent) => void;
  signal: AbortSignal;
  betweenUpdates?: Context['betweenUpdates'];
  /** Called from time to time with the number of rows that were read. */
  onRows?: (rows: number) => void;
  /** Called as soon as the run folder exists. */
  onStart?: (run: RunWriter, engine: Engine) => void;
}

/**
 * Starts a run of the experiment in a new folder below `runsFolder`. Returns its folder and the rows of its summary.
 */
export async function startRun(asked: Experiment, runsFolder: string, options: SessionOptions) {
  const tokenizer = loadStudentTokenizer(asked.student.path);
  const student = { ...asked.student, prompt: promptStyle(tokenizer, asked.student) };
  return withEngine(await startEngine(asked.backend, asked.student.path), async (engine) => {
    const data = loadExperimentData(asked, options.onRows);
    engine.check?.(asked);
    // "auto" is resolved once: the run's config records the result, and later steps use it.
    const prompting = withPrompts(tokenizer, student);
    const { experiment, need } = await memoryFor({ ...asked, student }, prompting, data, engine);
    const notes = [
      ...otherEngine(asked, engine.info),
      ...(need ? [need] : []),
      ...(await timeFor(experiment, prompting, data, engine)),
      ...warnings([...tokenizer.notes, ...data.notes]),
      ...runsCode(experiment),
    ];
    const modules = readModules(experiment);
    const about = { ...environment(experiment, engine.info, data), ...recordOf(modules) };
    const config: RunConfig = { experiment, environment: about };
    const run = createRun(runsFolder, experiment.name, config);
    copyModules(run, modules);
    return conduct({ run, experiment, tokenizer, data, engine, interrupted: false }, withStartMessages(notes, options));
  });
}

async function withEngine<T>(engine: Engine, work: (engine: Engine) => Promise<T>): Promise<T> {
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

async function memoryFor(experiment: Experiment, tokenizer: Tokenizer, { train }: ExperimentData, engine: Engine) {
  const { path, lora } = experiment.student;
  return withMemory(experiment, longestOf(train.problems, tokenizer), await engine.memory(path, lora || null));
}

async function timeFor(
  experiment: Experiment,
  tokenizer: Tokenizer,
  { train, test }: ExperimentData,
  engine: Engine,
): Promise<Note[]> {
  const speed = await engine.speed();
  if (speed === null) return [];
  const work = workloadOf(train.problems, test.problems.length, tokenizer);
  return [{ level: 'info', text: durationText(experiment, loadStudentConfig(experiment.student.path), work, speed) }];
}

/** The options, with messages for the start of the run: its needs, and what has changed. */
const withStartMessages = (notes: Note[], options: SessionOptions): SessionOptions => ({
  ...options,
  onStart(...run) {
    options.onStart?.(...run);
    for (const note of notes) options.notify({ type: 'note', ...note });
  },
});

/** Resumes a run from its newest intact checkpoint; later records are computed again. */
export async function resumeRun(folder: string, options: SessionOptions) {
  const { interrupted } = openRun(folder);
  const { experiment, environment: before } = readRunConfig(folder);
  const began = before.backend;
  return withEngine(await engineForResume(experiment, began), async (engine) => {
    const data = loadExperimentData(experiment, options.onRows);
    for (const [name, hash] of Object.entries(before.datasets)) {
      if (hash !== data[name as 'train' | 'test'].hash)
        throw new UserError(`the ${name} data has changed since the run began`, {
          file: folder,
          code: 'dataset',
          remedy: 'Restore the data, or start a new run.',
        });
    }
    engine.check?.(experiment);
    const changed = changedModules(folder, readModules(experiment, folder), before.rewardModules);
    const tokenizer = loadStudentTokenizer(experiment.student.path);
    const { need } = await memoryFor(experiment, withPrompts(tokenizer, experiment.student), data, engine);
    const run = openForWriting(folder);
    let from: CheckpointEntry | null;
    try {
      from = soundCheckpoint(run, options.notify);
    } catch (error) {
      run.close();
      throw error;
    }
    const notes = [
      ...(need ? [need] : []),
      ...otherBackend(began, engine.info),
      ...warnings(changed),
      ...runsCode(experiment),
    ];
    return conduct({ run, experiment, tokenizer, data, engine, interrupted, from }, withStartMessages(notes, options));
  });
}

/** The backend that `auto` chose when the run began, if it is still available. */
async function engineForResume({ backend, student }: Experiment, began: EngineInfo | undefined): Promise<Engine> {
  // `auto` tries a GPU first, with safeguards.
  if (backend !== 'auto' || !began || began.name === 'tensorflow-gpu') return startEngine(backend, student.path);
  try {
    return await startEngine(began.name as Backend);
  } catch (error) {
    if (error instanceof UserError) return startEngine('auto', student.path);
    throw error;
  }
}

/** `auto` has chosen another engine than the embedded one because of the student. */
const otherEngine = ({ backend, student }: Experiment, { name, description }: EngineInfo): Note[] =>
  backend === 'auto' && name === 'torch'
    ? [{ level: 'info', text: `${whyTorch(student.path)}, so ${description} is used` }]
    : [];

function otherBackend(began: EngineInfo | undefined, now: EngineInfo): Note[] {
  if (!began || (began.name === now.name && began.isa === now.isa)) return [];
  const text =
    `the run began on ${began.description} and continues on ${now.description}: ` +
    'its results can no longer be reproduced bit for bit on one machine';
  return [{ level: 'warning', text }];
}

/** The newest checkpoint with intact files; null if there is none yet. Each damaged newer one causes a warning. */
function soundCheckpoint(run: RunWriter, notify: SessionOptions['notify']): CheckpointEntry | null {
  const { folder, record } = run;
  if (record.checkpoints.length === 0) return null;
  const found = latestCheckpoint({ folder, record, interrupted: false }, (one) => readTrainingState(record, one));
  if (!found)
    throw new UserError('every checkpoint of the run is damaged', {
      file: folder,
      code: 'checkpoint',
      remedy: 'Restore them from a copy, or start a new run. The records of this one can still be read.',
    });
  for (const { name, problem } of found.skipped)
    note(notify, `checkpoint ${name} is skipped (${problem.message}); resuming from ${found.entry.name}`, 'warning');
  return found.entry;
}

/**
 * Removes what lies after the checkpoint, after the student has read its weights: a server may have lost them, or the
 * student may have been replaced, and then the records are all there is.
 */
async function rollBack(run: RunWriter, to: CheckpointEntry | null, student: Student): Promise<Note[]> {
  const weights = to && (await student.snapshot(checkpointFolder({ run }, to.name)));
  await weights?.discard();
  const unread = unreadSummary(run);
  run.rollBack(to);
  return [...unread, ...(to ? missingUpdates(run.folder, to) : [])];
}

/** A warning about updates before the checkpoint that are missing in metrics.jsonl. Training does not need them. */
function missingUpdates(folder: string, { name, stage, step }: CheckpointEntry): Note[] {
  const last = readMetrics(folder, () => {}).findLast((update) => update.stage === stage)?.step ?? 0;
  if (last >= step - 1) return []; // the step between two phases has no record
  const text = `metrics.jsonl lacks updates before checkpoint ${name}: the curves have a gap; training is not affected`;
  return [{ level: 'warning', text }];
}

/** Puts a damaged summary.json aside, and tells of it: the tests that it recorded are done again. */
function unreadSummary(run: RunWriter): Note[] {
  const found = run.setAsideSummary();
  if (!found) return [];
  const text =
    `summary.json cannot be read (${found.problem.message}): it is renamed to ${found.name}, ` +
    'and the tests are repeated';
  return [{ level: 'warning', text }];
}

/** A run to create or to resume. */
interface OpenedRun {
  run: RunWriter;
  experiment: Experiment;
  /** The student's own tokenizer, without the prompt format of the experiment. */
  tokenizer: Tokenizer;
  data: ExperimentData;
  engine: Engine;
  interrupted: boolean;
  /** The checkpoint to resume from; null: the beginning; absent: the run is new. */
  from?: CheckpointEntry | null;
}

interface ConductedRun extends OpenedRun {
  space: Space;
  code: CodeRewards;
}

async function conduct(opened: OpenedRun, options: SessionOptions) {
  const { run, engine } = opened;
  const { signal, notify } = options;
  const space = new Space(run, signal, (text) => note(notify, text, 'warning'));
  const code = new CodeRewards({ warn: (text) => note(notify, text, 'warning'), signal });
  let rows: StageRow[] = [];
  try {
    if (run.record.spent) engine.continueSpending?.(run.record.spent);
    options.onStart?.(run, engine);
    await space.write(() => run.update({ state: 'running' }));
    // It reports repeated problems, so it closes while the run is open.
    rows = await trainWithRestarts({ ...opened, space, code }, options).finally(() => code.close());
    await space.write(() =>
      run.update({ state: 'finished', reason: undefined, spent: engine.spent ?? run.record.spent }),
    );
    run.close();
  } catch (thrown) {
    const where = run.record.stage ? `in ${run.record.stage}` : 'before the first stage';
    const error =
      isOutOfMemory(thrown) && !(thrown instanceof UserError) ? outOfMemory(thrown, where, { run }) : thrown;
    closeAfter(run, engine, error);
    throw error;
  }
  return { folder: run.folder, rows };
}

/** How many times an engine may be lost without a new checkpoint in between. */
const mostLosses = 3;

/** When an engine is lost, it is restarted, and the run resumes from its newest checkpoint. */
async function trainWithRestarts(opened: ConductedRun, options: SessionOptions): Promise<StageRow[]> {
  const { run } = opened;
  let { interrupted, from } = opened;
  let losses = 0;
  for (let before = newestName(run); ; ) {
    try {
      return await trainStudent({ ...opened, interrupted, from }, options);
    } catch (error) {
      if (!(error instanceof EngineLost) || options.signal.aborted) throw error;
      losses = before === newestName(run) ? losses + 1 : 1;
      if (losses > mostLosses) throw error;
      from = soundCheckpoint(run, options.notify);
      before = newestName(run);
      interrupted = true;
      const place = from ? `checkpoint ${from.name}` : 'its beginning';
      const text =
        `${error.message}; it is restarted (${losses} of ${mostLosses}), ` + `and the run resumes from ${place}`;
      note(options.notify, text, 'warning');
    }
  }
}

const newestName = ({ record }: RunWriter): string | undefined => record.checkpoints.at(-1)?.name;

async function trainStudent(opened: ConductedRun, options: SessionOptions) {
  const { run, space, code, experiment, data, engine, interrupted, from } = opened;
  const { notify, signal, betweenUpdates } = options;
  const { path, lora } = experiment.student;
  const { student, tokenizer } = await openStudent(engine, path, experiment.student, {
    lora: lora || null,
    seed: experiment.seed,
    tokenizer: opened.tokenizer,
    warn: (text) => note(notify, text, 'warning'),
  });
  try {
    const lessons = await lessonsThatFit(prepareLessons(data.train.problems, tokenizer), student.facts, options);
    const held = heldOutRows(lessons.length, experiment);
    if (from !== undefined) for (const { text, level } of await rollBack(run, from, student)) note(notify, text, level);
    const newest = newestCheckpoint({ run });
    const train = lessons.slice(0, lessons.length - held);
    if (newest) checkExtra(newest, train.length, student.facts.vocabSize);
    const context: Context = {
      experiment,
      tokenizer,
      code,
      train,
      validation: lessons.slice(lessons.length - held),
      test: prepareLessons(data.test.problems, tokenizer).slice(0, experiment.evaluation.count),
      run,
      space,
      results: { ...newest?.state.results },
      seconds: { ...newest?.state.seconds },
      interrupted,
      notify,
      spent: () => engine.spent,
      signal,
      betweenUpdates,
    };
    return await runCurriculum(context, student);
  } finally {
    await student.dispose();
  }
}

/** Records how the run ended. If even that fails, the first error is still the one reported. */
function closeAfter(run: RunWriter, { spent }: Engine, error: unknown): void {
  const stopped = error instanceof Stopped || (error instanceof Error && error.name === 'AbortError');
  try {
    const stopReason = error instanceof Cancelled ? 'cancelled' : undefined;
    run.close({
      state: stopped ? 'stopped' : 'failed',
      reason: stopped ? stopReason : String((error as Error).message ?? error),
      spent: spent ?? run.record.spent,
    });
  } catch {
    // The disk may be the cause; run.json keeps its last content, and the lock is released.
  }
}

function heldOutRows(rows: number, { data }: Experiment): number {
  if (rows === 0)
    throw new UserError("no training row fits into the student's positions", {
      code: 'dataset',
      remedy: 'Use rows with shorter chains, or choose a student with more positions.',
    });
  if (data.validation >= rows)
    throw new UserError(`data.validation holds out ${data.validation} rows, but data.train has only ${rows}`, {
      code: 'dataset',
      remedy: 'Lower data.validation, or add training rows.',
    });
  return data.validation;
}

const warnings = (texts: readonly string[]) => texts.map((text): Note => ({ level: 'warning', text }));

function environment(experiment: Experiment, backend: EngineInfo, data: ExperimentData) {
  return {
    backend,
    node: process.version,
    platform: `${platform()} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    gitCommit: gitCommit(dirname(experiment.student.path)),
    datasets: { train: data.train.hash, test: data.test.hash },
  };
}

function gitCommit(folder: string): string | null {
  try {
    return execFileSync('git', ['-C', folder, 'rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
