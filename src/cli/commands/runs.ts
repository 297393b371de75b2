import type { Command } from 'commander';
import { UserError } from '../../errors';
import { runsFolderName } from '../../runs/layout';
import { type RunListing, readMetrics, readStart, readSummary } from '../../runs/reading';
import type { StageRow } from '../../runs/records';
import { type Start, studentTitle } from '../../start';
import { allRuns, commandLine, quoted, runsFolders, type ShownState, shortPath, stateOf } from '../inputs/places';
import { printDocument } from '../terminal/exit';
import { percent, table } from '../terminal/format';
import { pc, stdout } from '../terminal/terminal';

export function addRunsCommand(program: Command): void {
  program
    .command('runs')
    .description('list the runs, newest first')
    .option('--runs <folder>', `folder of the runs (default: ${runsFolderName} here, below or above)`)
    .option('--json', 'an array of runs')
    .addHelpText(
      'after',
      `\nExamples:\n  distillery runs\n  distillery runs --json | jq '.[] | select(.state == "interrupted").id'`,
    )
    .action((options: { runs?: string; json?: boolean }) => {
      const runs = allRuns(runsFolders(options.runs)).map(describe);
      if (options.json) printDocument(runs);
      else stdout.write(`${listing(runs)}\n`);
    });
}

/** A line of the list: a run, or the reason why it cannot be read. */
interface ListedRun {
  id: string;
  folder: string;
  state: ShownState | 'unreadable';
  name?: string;
  stage?: string;
  step?: number;
  created?: string;
  updated?: string;
  /** The last row of its summary. */
  result?: StageRow;
  /** The checkpoint of another run that it began with. */
  start?: Start;
  problem?: { message: string; file?: string; line?: number };
}

function describe(listed: RunListing): ListedRun {
  const { id, folder } = listed;
  try {
    if ('problem' in listed) throw listed.problem;
    const { name, stage, created, updated } = listed.run.record;
    const last = readMetrics(folder, () => {}).at(-1);
    return {
      id,
      folder,
      state: stateOf(listed.run),
      name,
      stage,
      step: last && last.stage === stage ? last.step : undefined,
      created,
      updated,
      result: readSummary(folder, () => {}).at(-1),
      start: readStart(folder),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, file, line } = error;
    return { id, folder, state: 'unreadable', problem: { message, file, line } };
  }
}

function training({ stage, step, problem }: Pick<ListedRun, 'stage' | 'step' | 'problem'>): string {
  if (problem) return pc.red(place(problem));
  if (!stage) return '';
  return step === undefined ? stage : `${stage} ${step}`;
}

function listing(runs: readonly ListedRun[]): string {
  if (runs.length === 0) return `No runs here yet. Start one with:\n  ${commandLine('run <experiment>')}`;
  const body = runs.map(({ id, state, stage, step, result, start, problem }) => [
    id,
    colours[state](state),
    training({ stage, step, problem }),
    result ? studentTitle(result.stage, start) : '',
    result ? percent(result.accuracy) : '',
    result?.truncated === undefined ? '' : percent(result.truncated),
    result ? result.meanTokens.toFixed(1) : '',
  ]);
  const folders = [...new Set(runs.map(({ folder, id }) => shortPath(folder.slice(0, -id.length - 1))))];
  const open = runs.find(({ state }) => state === 'interrupted' || state === 'stopped');
  return [
    table(['run', 'state', 'training', 'last tested', 'accuracy', 'cut off', 'tokens'], body, 4),
    '',
    pc.dim(`in ${folders.join(', ')}`),
    ...(open ? [pc.dim(`resume with: ${commandLine(`resume ${quoted(shortPath(open.folder))}`)}`)] : []),
  ].join('\n');
}

const place = ({ message, file, line }: NonNullable<ListedRun['problem']>) =>
  `${file ? `${shortPath(file)}${line === undefined ? '' : `:${line}`}: ` : ''}${message}`;

const colours: Record<ListedRun['state'], (text: string) => string> = {
  created: pc.cyan,
  running: pc.cyan,
  paused: pc.yellow,
  stopped: pc.yellow,
  interrupted: pc.yellow,
  finished: pc.green,
  failed: pc.red,
  unreadable: pc.red,
};
