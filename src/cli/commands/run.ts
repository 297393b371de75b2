import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { backendNames } from '../../config/backends';
import { loadExperiment } from '../../config/load';
import type { ChangedSetting } from '../../config/set';
import { adjust, type RunOptions } from '../../curriculum/adjust';
import { type CurriculumEvent, Stopped } from '../../curriculum/context';
import { resumeRun, type SessionOptions, startRun } from '../../curriculum/session';
import { runsFolderName } from '../../runs/layout';
import { type Run, readStart, readSummary } from '../../runs/reading';
import type { StageRow } from '../../runs/records';
import { trainedStages } from '../../stages';
import { readingProgress } from '../inputs/dataset';
import { fetchMissing } from '../inputs/fetch';
import { count, namesOf, positive, settingsOf } from '../inputs/options';
import { commandLine, experimentFile, locateRun, quoted, shortPath } from '../inputs/places';
import { exitCodes, print } from '../terminal/exit';
import { warningsText } from '../terminal/format';
import { onBrokenOutput, pc, stderr, stdout } from '../terminal/terminal';
import { showProgress } from '../text/progress';
import { endText, resultsText } from '../text/summary';
import { engineOption } from './engine';
import { keepMirrored, runToContinue } from './jobs';
import { followBeside, type Tracker, trackOption } from './track';

interface RunFlags {
  quick?: boolean;
  set?: ChangedSetting[];
  runs?: string;
  download?: boolean;
  continue?: boolean;
  mirror?: string;
  track?: Tracker[];
  json?: boolean;
}

export function addRunCommands(program: Command): void {
  program
    .command('run')
    .description('run the curriculum of an experiment: baselines, Stage 1, 2 and 3')
    .argument('<experiment>', 'a *.distillery.json file, or a folder with one')
    .option(
      '--stage <names>',
      `only these stages, without baselines: ${trainedStages.join(', ')}`,
      namesOf(trainedStages),
    )
    .option('--from <checkpoint>', 'start from this Hugging Face folder instead of the student')
    .option('--limit <n>', 'use at most n test and n validation rows, and 2n training rows', positive)
    .option('--quick', 'use the reduced budget of the experiment')
    .option('--seed <n>', 'another seed', count)
    .option(
      '--set <setting>',
      'another value for a setting, such as stages.complete.learningRate=1e-4; may be repeated',
      settingsOf,
    )
    .addOption(new Option('--backend <name>', 'another backend').choices(backendNames))
    .addOption(engineOption())
    .option('--runs <folder>', 'folder for run folders (default: .distillery/runs beside the experiment)')
    .option('--continue', 'resume the newest run of this experiment, if there is one: for jobs that are restarted')
    .option(
      '--mirror <folder>',
      'keep a copy of the run in this folder, such as a mounted bucket; --continue looks there too',
    )
    .addOption(trackOption())
    .option('--download', 'download a missing student and missing datasets from the Hugging Face Hub')
    .option('--json', 'one JSON object per line: the run, its events, the result')
    .addHelpText(
      'after',
      `
Ctrl-C writes a checkpoint and stops; \`resume\` continues from there.

Examples:
  distillery run examples/arithmetic --quick
  distillery run examples/arithmetic --set name=slow --set stages.complete.learningRate=1e-4
  distillery run examples/arithmetic --stage complete --from .distillery/runs/<run>/checkpoints/reconstruct-800
  distillery run experiment.distillery.json --json | jq -c 'select(.event.type == "result")'`,
    )
    .action(async (path: string, options: RunOptions & RunFlags) => {
      const file = experimentFile(path);
      await fetchMissing(file, { ...options, yes: options.download });
      const { experiment: written, warnings } = loadExperiment(file, options);
      stderr.write(warningsText(warnings));
      const experiment = adjust(written, options);
      const runs = resolve(options.runs ?? join(file, '..', runsFolderName));
      const before = options.continue ? runToContinue(experiment, runs, options.mirror) : undefined;
      if (before) await resumeOrShow(before, options);
      else await follow(options, (session) => startRun(experiment, runs, session));
    });

  program
    .command('resume')
    .description('resume an interrupted run from its newest checkpoint')
    .argument('<run>', 'a run folder, a run name or a unique part of it, or `latest`')
    .addOption(engineOption())
    .addOption(trackOption())
    .option('--runs <folder>', `folder to search for runs (default: ${runsFolderName} here, below or above)`)
    .option('--json', 'one JSON object per line: the run, its events, the result')
    .addHelpText('after', '\nExamples:\n  distillery resume latest\n  distillery resume 20260205-140309-arithmetic')
    .action(async (name: string, { runs, json, track }: Pick<RunFlags, 'runs' | 'json' | 'track'>) => {
      await resumeOrShow(locateRun(name, runs), { json, track });
    });
}

type FollowFlags = Pick<RunFlags, 'json' | 'track' | 'mirror'>;

/** Resumes a run; for a finished one, shows its results. */
async function resumeOrShow({ folder, record }: Run, options: FollowFlags): Promise<void> {
  const { json } = options;
  if (record.state !== 'finished') return follow(options, (session) => resumeRun(folder, session));
  const rows = readSummary(folder);
  if (json) print({ result: { folder, rows, seconds: 0 } });
  else stdout.write(`${resultsText(folder)}\n\nThis run is finished; it is in ${shortPath(folder)}.\n`);
}

/**
 * Runs a session in the terminal: progress, a clean stop on Ctrl-C (a second one exits at once), the table at the end.
 */
async function follow(
  { json = false, track, mirror }: FollowFlags,
  begin: (options: SessionOptions) => Promise<{ folder: string; rows: StageRow[] }>,
): Promise<void> {
  const trackRun = await followBeside(track);
  const stop = new AbortController();
  const end = () => stop.abort();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(exitCodes.stopped);
    if (!json) stderr.write(pc.yellow('\nStopping after this update; a second Ctrl-C exits at once.\n'));
    stop.abort();
  };
  // Schedulers send SIGTERM more than once: to the job's shell, and to each of its processes.
  const terminate = () => {
    if (!stop.signal.aborted) interrupt();
  };
  // Without a terminal (SIGHUP) or a reader (a broken pipe) training stops, but the work so far is saved.
  process.on('SIGINT', interrupt).on('SIGTERM', terminate).on('SIGHUP', end);
  const ignoreOutput = onBrokenOutput(end);
  let folder = '';
  let mirrored = () => {};
  const show = showProgress(stdout, { start: () => readStart(folder) });
  const notify = json ? (event: CurriculumEvent) => print({ event }) : show;
  const started = performance.now();
  const reading = readingProgress('the data', json);
  try {
    const result = await begin({
      notify,
      signal: stop.signal,
      onRows: reading.rows,
      betweenUpdates: (_, space) => space.enough(),
      onStart: (run, { info: backend }) => {
        reading.end();
        folder = run.folder;
        trackRun(folder);
        mirrored = keepMirrored(folder, mirror);
        if (json) print({ run: { folder, record: run.record, backend } });
        else stdout.write(`${pc.bold(run.record.name)} on ${backend.description}\n${pc.dim(shortPath(folder))}\n\n`);
      },
    });
    const seconds = (performance.now() - started) / 1000;
    if (json) print({ result: { ...result, seconds } });
    else stdout.write(endText(result.folder, seconds / 60));
  } catch (error) {
    const stopped = error instanceof Stopped || (error as Error)?.name === 'AbortError';
    if (!stopped) {
      if (folder && !json) stderr.write(`\n${pc.dim(`The work so far is in ${shortPath(folder)}.`)}\n`);
      throw error;
    }
    process.exitCode = exitCodes.stopped;
    if (json) print({ stopped: { folder } });
    else stdout.write(`\nStopped. Resume with:\n  ${commandLine(`resume ${quoted(shortPath(folder))}`)}\n`);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', terminate).off('SIGHUP', end);
    ignoreOutput();
    mirrored();
  }
}
