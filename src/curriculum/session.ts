/**
 * From an experiment to a run that goes on: loads what it names, opens its folder, and sees to a clean end whatever
 * happens.
 */
import { execFileSync } from 'node:child_process';
import { cpus, platform, release } from 'node:os';
import { dirname } from 'node:path';
import type { Backend } from '../config/backends';
import type { Experiment } from '../config/experiment';
import { type ExperimentData, loadExperimentData } from '../data/experiment-data';
import { startEngine } from '../engine/engines';
import type { Engine, EngineInfo } from '../engine/port';
import { EngineLost } from '../engine/process/faults';
import { isOutOfMemory, UserError } from '../errors';
import { latestCheckpoint, openRun } from '../runs/reading';
import type { CheckpointEntry, StageRow } from '../runs/records';
import { Space } from '../runs/space';
import { createRun, openForWriting, type RunWriter } from '../runs/writer';
import { loadStudentConfig, loadStudentTokenizer } from '../student-files/folder';
import { promptStyle, withPrompts } from '../student-files/prompting';
import type { Tokenizer } from '../student-files/tokenizer';
import { newestCheckpoint } from './checkpoints';
import { Cancelled, type Context, type CurriculumEvent, Stopped } from './context';
import { durationText, workloadOf } from './duration';
import { prepareLessons } from './lessons';
import { longestOf, withMemory } from './memory';
import { lessonsThatFit } from './room';
import { runCurriculum } from './run';
import { type RunConfig, readRunConfig } from './run-config';
import { openStudent } from './students';
import { outOfMemory } from './training-errors';
import { checkExtra, readTrainingState } from './training-state';

export interface SessionOptions {
  notify: (event: CurriculumEvent) => void;
  signal: AbortSignal;
  rest?: Context['rest'];
  /** Told as soon as the run folder is there. */
  begun?: (run: RunWriter, engine: Engine) => void;
}

/**
 * Starts a run of the experiment in a new folder below `runsFolder`. Returns its folder and the rows of its summary.
 */
export async function startRun(asked: Experiment, runsFolder: string, options: SessionOptions) {
  const tokenizer = loadStudentTokenizer(asked.student.path);
  const student = { ...asked.student, prompt: promptStyle(tokenizer, asked.student) };
  return withEngine(await startEngine(asked.backend, asked.student.path), async (engine) => {
    const data = loadExperimentData(asked);
    // What "auto" means for this student is settled once: the run's config records it, and every later question is
    // asked likewise.
    const prompting = withPrompts(tokenizer, student);
    const { experiment, need } = await memoryFor({ ...asked, student }, prompting, data, engine);
    const notes = [
      ...otherEngine(asked, engine.info),
      ...(need ? [need] : []),
      ...(await timeFor(experiment, prompting, data, engine)),
      ...warnings([...tokenizer.notes, ...data.notes]),
    ];
    const config: RunConfig = { experiment, environment: environment(experiment, engine.info, data) };
    const run = createRun(runsFolder, experiment.name, config);
    return conduct({ run, experiment, tokenizer, data, engine, interrupted: false }, telling(notes, options));
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

type Note = Omit<Extract<CurriculumEvent, { type: 'note' }>, 'type'>;

/** The options, with notes for when the run has begun: what it needs, and what is not as it was. */
const telling = (notes: Note[], options: SessionOptions): SessionOptions => ({
  ...options,
  begun(...run) {
    options.begun?.(...run);
    for (const note of notes) options.notify({ type: 'note', ...note });
  },
});

/** Goes on with a run from its newest checkpoint that is sound; what it recorded after that is done again. */
export async function resumeRun(folder: string, options: SessionOptions) {
  const { interrupted } = openRun(folder);
  const { experiment, environment: before } = readRunConfig(folder);
  const began = before.backend;
  return withEngine(await engineAgain(experiment, began), async (engine) => {
    const data = loadExperimentData(experiment);
    for (const [name, hash] of Object.entries(before.datasets)) {
      if (hash !== data[name as 'train' | 'test'].hash)
        throw new UserError(`the ${name} data has changed since the run began`, {
          file: folder,
          code: 'dataset',
          remedy: 'Put the former data back, or start a new run.',
        });
    }
    const tokenizer = loadStudentTokenizer(experiment.student.path);
    const { need } = await memoryFor(experiment, withPrompts(tokenizer, experiment.student), data, engine);
    const run = openForWriting(folder);
    try {
      run.rollBack(soundCheckpoint(run, options.notify));
    } catch (error) {
      run.close();
      throw error;
    }
    const notes = [...(need ? [need] : []), ...otherBackend(began, engine.info)];
    return conduct({ run, experiment, tokenizer, data, engine, interrupted }, telling(notes, options));
  });
}

/** What `auto` was when the run began, where that can still be had. */
async function engineAgain({ backend, student }: Experiment, began: EngineInfo | undefined): Promise<Engine> {
  // `auto` tries a GPU first, with care.
  if (backend !== 'auto' || !began || began.name === 'tensorflow-gpu') return startEngine(backend, student.path);
  try {
    return await startEngine(began.name as Backend);
  } catch (error) {
    if (error instanceof UserError) return startEngine('auto', student.path);
    throw error;
  }
}

/** `auto` has taken another engine than the embedded one, for the student's sake. */
const otherEngine = ({ backend }: Experiment, { name, description }: EngineInfo): Note[] =>
  backend === 'auto' && name === 'torch'
    ? [{ level: 'info', text: `the embedded engine does not know the student's family, so ${description} computes` }]
    : [];

function otherBackend(began: EngineInfo | undefined, now: EngineInfo): Note[] {
  if (!began || (began.name === now.name && began.isa === now.isa)) return [];
  const text =
    `the run began on ${began.description} and goes on with ${now.description}: ` +
    'its numbers are no longer those of one machine, bit for bit';
  return [{ level: 'warning', text }];
}

/**
 * The newest checkpoint whose files are as they were written; null when none was ever taken. Each newer one is a
 * warning.
 */
function soundCheckpoint(run: RunWriter, notify: SessionOptions['notify']): CheckpointEntry | null {
  const { folder, record } = run;
  if (record.checkpoints.length === 0) return null;
  const found = latestCheckpoint({ folder, record, interrupted: false }, (one) => readTrainingState(record, one));
  if (!found)
    throw new UserError('every checkpoint of the run is damaged', {
      file: folder,
      code: 'checkpoint',
      remedy: 'Put them back from a copy, or start a new run; what this one recorded can still be read.',
    });
  for (const { name, problem } of found.skipped)
    notify({
      type: 'note',
      level: 'warning',
      text: `checkpoint ${name} is passed over (${problem.message}); going on from ${found.entry.name}`,
    });
  return found.entry;
}

/** A run that is to be made or to be gone on with. */
interface Opened {
  run: RunWriter;
  experiment: Experiment;
  /** The student's own, without the prompts that the experiment asks for. */
  tokenizer: Tokenizer;
  data: ExperimentData;
  engine: Engine;
  interrupted: boolean;
}

async function conduct(opened: Opened, options: SessionOptions) {
  const { run, engine } = opened;
  const { signal, notify } = options;
  const space = new Space(run, signal, (text) => notify({ type: 'note', level: 'warning', text }));
  let rows: StageRow[] = [];
  try {
    options.begun?.(run, engine);
    await space.write(() => run.update({ state: 'running' }));
    rows = await learnAgainWhereLost({ ...opened, space }, options);
    await space.write(() => run.update({ state: 'finished', reason: undefined }));
    run.close();
  } catch (thrown) {
    const where = run.record.stage ? `in ${run.record.stage}` : 'before the first stage';
    const error =
      isOutOfMemory(thrown) && !(thrown instanceof UserError) ? outOfMemory(thrown, where, { run }) : thrown;
    closeAfter(run, error);
    throw error;
  }
  return { folder: run.folder, rows };
}

/** So often an engine may be lost with no new checkpoint in between. */
const mostLosses = 3;

/** Where an engine is lost, it is started again, and the run goes on from its newest checkpoint. */
async function learnAgainWhereLost(opened: Opened & { space: Space }, options: SessionOptions): Promise<StageRow[]> {
  const { run } = opened;
  let { interrupted } = opened;
  let losses = 0;
  for (let from = newestName(run); ; ) {
    try {
      return await learn({ ...opened, interrupted }, options);
    } catch (error) {
      if (!(error instanceof EngineLost) || options.signal.aborted) throw error;
      losses = from === newestName(run) ? losses + 1 : 1;
      if (losses > mostLosses) throw error;
      const entry = soundCheckpoint(run, options.notify);
      run.rollBack(entry);
      from = newestName(run);
      interrupted = true;
      const place = entry ? `checkpoint ${entry.name}` : 'its beginning';
      const text =
        `${error.message}; it is started again (${losses} of ${mostLosses}), ` + `and the run goes on from ${place}`;
      options.notify({ type: 'note', level: 'warning', text });
    }
  }
}

const newestName = ({ record }: RunWriter): string | undefined => record.checkpoints.at(-1)?.name;

async function learn(opened: Opened & { space: Space }, options: SessionOptions) {
  const { run, space, experiment, data, engine, interrupted } = opened;
  const { notify, signal, rest } = options;
  const { path, lora } = experiment.student;
  const { student, tokenizer } = await openStudent(engine, path, experiment.student, {
    lora: lora || null,
    seed: experiment.seed,
    tokenizer: opened.tokenizer,
    warn: (text) => notify({ type: 'note', level: 'warning', text }),
  });
  try {
    const lessons = await lessonsThatFit(prepareLessons(data.train.problems, tokenizer), student.facts, options);
    const held = heldOut(lessons.length, experiment);
    const newest = newestCheckpoint({ run });
    const train = lessons.slice(0, lessons.length - held);
    if (newest) checkExtra(newest, train.length, student.facts.vocabSize);
    const context: Context = {
      experiment,
      tokenizer,
      train,
      validation: lessons.slice(lessons.length - held),
      test: prepareLessons(data.test.problems, tokenizer).slice(0, experiment.evaluation.count),
      run,
      space,
      results: { ...newest?.state.results },
      seconds: { ...newest?.state.seconds },
      interrupted,
      notify,
      signal,
      rest,
    };
    return await runCurriculum(context, student);
  } finally {
    await student.dispose();
  }
}

/** Writes how the run ended. When not even that can be written, the first error is still the one to report. */
function closeAfter(run: RunWriter, error: unknown): void {
  const stopped = error instanceof Stopped || (error instanceof Error && error.name === 'AbortError');
  try {
    const stopReason = error instanceof Cancelled ? 'cancelled' : undefined;
    run.close({
      state: stopped ? 'stopped' : 'failed',
      reason: stopped ? stopReason : String((error as Error).message ?? error),
    });
  } catch {
    // The disk may be what failed; run.json keeps its last content, and the lock is free.
  }
}

function heldOut(rows: number, { data }: Experiment): number {
  if (rows === 0)
    throw new UserError("no training row has room in the student's positions", {
      code: 'dataset',
      remedy: 'Give rows with shorter chains, or choose a student with more positions.',
    });
  if (data.validation >= rows)
    throw new UserError(`data.validation holds out ${data.validation} rows, but data.train has only ${rows}`, {
      code: 'dataset',
      remedy: 'Lower data.validation, or give more training rows.',
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
