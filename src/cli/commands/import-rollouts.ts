import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type RolloutColumns, rolloutRoles } from '../../imports/columns';
import { type ImportedRollouts, importRollouts } from '../../imports/import';
import { runsFolderName } from '../../runs/layout';
import { pairsOf } from '../inputs/options';
import { commandLine, locateRun, quoted, shortPath } from '../inputs/places';
import { printDocument } from '../terminal/exit';
import { percent, plural } from '../terminal/format';
import { clipLine, inOneLine, pc, stderr, stdout } from '../terminal/terminal';

interface Options {
  runs?: string;
  into?: string;
  tokenizer?: string;
  columns?: RolloutColumns;
  weights?: Record<string, number>;
  follow?: boolean;
  json?: boolean;
}

export function addRolloutsImport(command: Command): void {
  command
    .command('rollouts')
    .description('import rollouts of TRL, verl, NeMo-RL, OpenRLHF, Trackio or Inspect as a run that every view opens')
    .argument('<path>', 'the folder or file that the trainer logs to (docs/other-trainers.md)')
    .option('--follow', 'follow it as it grows, until Ctrl-C')
    .option('--into <run>', 'add new records to this run of an earlier import')
    .option(
      '--tokenizer <folder>',
      "the student's folder, for counting in its tokens (default: a checkpoint beside the rollouts)",
    )
    .option(
      '--columns <list>',
      `role of each column, such as prompt=q,gold=ref; roles: ${rolloutRoles.join(', ')}`,
      columnsOf,
    )
    .option(
      '--weights <list>',
      'weights of reward functions that are logged one by one, such as accuracy=1,format=0.2',
      weightsOf,
    )
    .option('--runs <folder>', `folder for the run (default: ${runsFolderName} here)`)
    .option('--json', 'the run as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  distillery import rollouts trl-output\n  distillery import ' +
        'rollouts verl-rollouts --follow\n  distillery show latest',
    )
    .showHelpAfterError('See `distillery import rollouts --help`.')
    .action(importAsked);
}

async function importAsked(path: string, options: Options): Promise<void> {
  const runsFolder = resolve(options.runs ?? runsFolderName);
  const into = options.into === undefined ? undefined : locateRun(options.into, options.runs).folder;
  const stop = new AbortController();
  const abort = () => stop.abort();
  if (options.follow) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, abort);
  const progress = statusLine(options);
  try {
    const imported = await importRollouts(resolve(path), {
      runsFolder,
      into,
      tokenizer: options.tokenizer,
      columns: options.columns,
      weights: options.weights,
      ...(options.follow && { follow: stop.signal }),
      progress: progress.tell,
    });
    progress.clear();
    if (options.json) printDocument(imported.length === 1 ? imported[0] : imported);
    else stdout.write(imported.map(textOf).join('\n'));
  } finally {
    progress.clear();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, abort);
  }
}

/** One progress line on a terminal, at most ten times a second. */
function statusLine({ follow, json }: Options) {
  const shows = stderr.isTTY && !json;
  let [drawn, last] = [false, 0];
  const clear = () => {
    if (drawn) stderr.clearLine();
    drawn = false;
  };
  const tell = ({ completions, share }: { completions: number; share: number }) => {
    if (!shows || performance.now() - last < 100) return;
    last = performance.now();
    const place = follow && share === 1 ? 'following; Ctrl-C ends' : percent(share, 0);
    clear();
    stderr.write(clipLine(`${plural(completions, 'completion')}, ${place}`, (stderr.columns ?? 80) - 1));
    drawn = true;
  };
  return { tell, clear };
}

function textOf({ folder, format, updates, completions, tests, notes }: ImportedRollouts): string {
  const counts = [
    plural(completions, 'completion'),
    plural(updates, 'update'),
    ...(tests > 0 ? [plural(tests, 'test')] : []),
  ];
  return [
    `${pc.bold(counts.join(', '))} from ${format}`,
    ...notes.map((note) => pc.yellow(inOneLine(note))),
    `\nThey are in ${shortPath(folder)}. Show them with:\n  ${commandLine(`show ${quoted(shortPath(folder))}`)}\n`,
  ].join('\n');
}

function columnsOf(text: string, before: RolloutColumns = {}): RolloutColumns {
  const isRole = (name: string) => (rolloutRoles as readonly string[]).includes(name);
  const what = `one of ${rolloutRoles.map((one) => `${one}=NAME`).join(', ')}`;
  return { ...before, ...(Object.fromEntries(pairsOf(text, isRole, what)) as RolloutColumns) };
}

function weightsOf(text: string, before: Record<string, number> = {}): Record<string, number> {
  const weights = pairsOf(text, (name, value) => name !== '' && Number.isFinite(Number(value)), 'NAME=NUMBER');
  return { ...before, ...Object.fromEntries(weights.map(([name, value]) => [name, Number(value)])) };
}
