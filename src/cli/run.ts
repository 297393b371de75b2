import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { Experiment } from '../config/experiment';
import { loadExperiment } from '../config/load';
import { type CurriculumEvent, Stopped } from '../curriculum/context';
import { resumeRun, type SessionOptions, startRun } from '../curriculum/session';
import { UserError } from '../errors';
import { runsFolderName } from '../runs/layout';
import { findRun } from '../runs/reading';
import type { RunRecord, StageRow } from '../runs/records';
import { exitCodes } from './exit';
import { summaryTable } from './format';
import { showProgress } from './progress';

const trainedStages = ['reconstruct', 'complete', 'rewrite'] as const;

interface RunOptions {
  stage?: string[];
  from?: string;
  limit?: number;
  quick?: boolean;
  seed?: number;
  backend?: Experiment['backend'];
  runs?: string;
  json?: boolean;
}

export function addRunCommands(program: Command): void {
  program
    .command('run')
    .description('run the curriculum of an experiment: baselines, Stage 1, 2 and 3')
    .argument('<experiment>', 'a *.distillery.json file, or a folder that holds one')
    .option('--stage <name...>', `only these stages, without baselines: ${trainedStages.join(', ')}`)
    .option('--from <checkpoint>', 'start from this Hugging Face folder instead of the student')
    .option('--limit <n>', 'use at most this many training, validation and test rows each', count)
    .option('--quick', 'the cut-down budget of the experiment')
    .option('--seed <n>', 'another seed', count)
    .option('--backend <name>', 'another backend')
    .option('--runs <folder>', 'where run folders go (default: .distillery/runs beside the experiment)')
    .option('--json', 'one JSON object a line: events, then the result')
    .action(async (path: string, options: RunOptions) => {
      const file = experimentFile(path);
      const { experiment: written, warnings } = loadExperiment(file, { quick: options.quick ?? false });
      for (const warning of warnings) process.stderr.write(`${pc.yellow('warning')} ${warning.message}\n`);
      const experiment = adjust(written, options);
      const runs = resolve(options.runs ?? join(dirname(file), runsFolderName));
      await follow(options.json ?? false, (session) => startRun(experiment, runs, session));
    });

  program
    .command('resume')
    .description('go on with an interrupted run from its newest checkpoint')
    .argument('<run>', 'a run folder, or the name of a run below .distillery/runs')
    .option('--runs <folder>', 'where to look for a run that is named', runsFolderName)
    .option('--json', 'one JSON object a line: events, then the result')
    .action(async (run: string, options: { runs: string; json?: boolean }) => {
      const folder = existsSync(run) ? resolve(run) : findRun(resolve(options.runs), run).folder;
      await follow(options.json ?? false, (session) => resumeRun(folder, session));
    });
}

/** A whole number of at least 0. */
export function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new UserError(`"${text}" is not a whole number`);
  return value;
}

/** The experiment file that a path means: itself, or the only one in the folder. */
export function experimentFile(path: string): string {
  const full = resolve(path);
  if (!existsSync(full))
    throw new UserError('there is no such file or folder', {
      file: path,
      remedy: 'Make an experiment with `distillery new <folder>`.',
    });
  if (!statSync(full).isDirectory()) return full;
  return join(full, `${basename(full)}.distillery.json`);
}

/** The experiment with what the command line changes. */
function adjust(experiment: Experiment, { stage, from, limit, seed, backend }: RunOptions): Experiment {
  const unknown = stage?.find((name) => !(trainedStages as readonly string[]).includes(name));
  if (unknown)
    throw new UserError(`"${unknown}" is not a stage`, { remedy: `Stages are ${trainedStages.join(', ')}.` });
  const { stages, baselines, data, evaluation } = experiment;
  const only = <T>(name: string, settings: T): T | false => (stage && !stage.includes(name) ? false : settings);
  const cut = <T extends { count?: number }>(source: T, rows: number): T => ({
    ...source,
    count: Math.min(source.count ?? rows, rows),
  });
  return {
    ...experiment,
    seed: seed ?? experiment.seed,
    backend: backend ?? experiment.backend,
    student: from ? { path: resolve(from) } : experiment.student,
    stages: {
      reconstruct: only('reconstruct', stages.reconstruct),
      complete: only('complete', stages.complete),
      rewrite: only('rewrite', stages.rewrite),
    },
    baselines: stage ? { ...baselines, sft: false } : baselines,
    data: limit ? { train: cut(data.train, 2 * limit), test: cut(data.test, limit), validation: limit } : data,
    evaluation,
  };
}

/** Runs a session in the terminal: progress, a clean stop on Ctrl-C (a second one ends at once), the table at the end. */
async function follow(
  json: boolean,
  begin: (options: SessionOptions) => Promise<{ folder: string; rows: StageRow[] }>,
): Promise<void> {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(exitCodes.stopped);
    if (!json) process.stderr.write(pc.yellow('\nStopping after this update; a second Ctrl-C ends at once.\n'));
    stop.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const print = (record: object) => process.stdout.write(`${JSON.stringify(record)}\n`);
  const show = showProgress(process.stdout);
  const notify = json ? (event: CurriculumEvent) => print({ event }) : show;
  let folder = '';
  const started = performance.now();
  try {
    const result = await begin({
      notify,
      signal: stop.signal,
      begun: (run, backend) => {
        folder = run.folder;
        if (json) print({ run: { folder, record: run.record satisfies RunRecord, backend } });
        else
          process.stdout.write(`${pc.bold(run.record.name)} on ${backend.description}\n${pc.dim(shown(folder))}\n\n`);
      },
    });
    const seconds = (performance.now() - started) / 1000;
    if (json) print({ result: { ...result, seconds } });
    else
      process.stdout.write(
        `\n${summaryTable(result.rows)}\n\nThe run is in ${shown(result.folder)} (${(seconds / 60).toFixed(1)} min).\n`,
      );
  } catch (error) {
    if (!(error instanceof Stopped) && (error as Error)?.name !== 'AbortError') throw error;
    process.exitCode = exitCodes.stopped;
    if (json) print({ stopped: { folder } });
    else process.stdout.write(`\nStopped. Go on with:\n  distillery resume ${shown(folder)}\n`);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

function shown(folder: string): string {
  const near = relative(process.cwd(), folder);
  return near && !near.startsWith('..') ? near : folder;
}
