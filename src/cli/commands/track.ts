import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UserError } from '../../errors';
import type { Damage } from '../../lines';
import { metricsFile, runsFolderName } from '../../runs/layout';
import { writeEventFiles } from '../../tracking/event-files';
import { pythonWith } from '../../tracking/python';
import { pythonTrackers, type SendOptions, sendRun } from '../../tracking/send';
import { checkInside } from '../../writing';
import { namesOf } from '../inputs/options';
import { locateRun, quoted, shortPath } from '../inputs/places';
import { printDocument } from '../terminal/exit';
import { untilStopped, waitForNextPoll } from '../terminal/following';
import { plural } from '../terminal/format';
import { pc, stderr, stdout } from '../terminal/terminal';
import { Damaged } from '../text/damaged';

const trackers = ['tensorboard', ...pythonTrackers] as const;
export type Tracker = (typeof trackers)[number];

interface Options {
  to: Tracker[];
  out: string;
  project?: string;
  online?: boolean;
  python?: string;
  runs?: string;
  follow?: boolean;
  json?: boolean;
}

/** Milliseconds between two polls of a followed run. */
const pollMs = 2000;
const list = trackers.join(', ');

export function addTrackCommand(program: Command): void {
  program
    .command('track')
    .description('send the metrics of a run to TensorBoard, Trackio or Weights & Biases')
    .argument('<run>', 'a run folder, a run name or a unique part of it, or `latest`')
    .requiredOption('--to <trackers>', `one or more of ${list}`, namesOf(trackers))
    .option('--follow', 'continue as long as the run does, until Ctrl-C')
    .option('--out <folder>', 'folder for the folders `tensorboard` and `wandb` (Trackio: TRACKIO_DIR)', '.')
    .option('--project <name>', 'project in Trackio or W&B (default: the run’s name)')
    .option(
      '--online',
      'send to W&B’s server, or to the Space named by TRACKIO_SPACE_ID; otherwise nothing leaves this machine',
    )
    .option('--python <path>', 'the Python with `trackio` or `wandb` (default: the first one found that has it)')
    .option('--runs <folder>', `folder to search for runs (default: ${runsFolderName} here, below or above)`)
    .option('--json', 'what was sent where, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  distillery track latest --to tensorboard --follow\n  distillery track latest --to trackio,wandb',
    )
    .action(async (name: string, options: Options) => {
      const { folder } = locateRun(name, options.runs);
      const damaged = new Damaged();
      const all = await untilStopped((stop) => {
        const sending = { stop, damage: damaged.tell };
        return Promise.all([...new Set(options.to)].map((tracker) => send(folder, tracker, options, sending)));
      });
      if (options.json) printDocument(all.map(({ text: _, ...one }) => one));
      else for (const { text } of all) stdout.write(`${text}\n`);
      if (damaged.text()) stderr.write(`${damaged.text()}\n`);
    });
}

interface Sending {
  stop: AbortController;
  damage: Damage;
}

async function send(run: string, tracker: Tracker, options: Options, { stop, damage }: Sending) {
  const { project, python, online = false, follow = false } = options;
  const next = () => waitForNextPoll(run, follow, stop.signal, pollMs);
  if (!existsSync(metricsFile(run)) && !(await next()))
    throw new UserError('the run has no metrics yet', {
      file: run,
      code: 'run',
      remedy: 'The first update writes some.',
    });
  const out = resolve(options.out);
  try {
    if (tracker === 'tensorboard') return await toTensorboard(run, out, { follow, next, damage });
    if (tracker === 'wandb') checkInside(out, join(out, 'wandb'));
    const arrived = await sendRun(run, tracker, { project, python, online, folder: out, follow, next, damage });
    return {
      tracker,
      arrived,
      text: `${plural(arrived, 'measurement')} sent to ${tracker}. ${hints[tracker](options)}`,
    };
  } catch (error) {
    stop.abort();
    throw error;
  }
}

const hints = {
  trackio: () => `Show them with:\n  trackio show`,
  wandb: ({ online, out }: Options) =>
    online
      ? ''
      : `They are on this machine; this uploads them:\n  wandb sync ${quoted(join(out, 'wandb'))}/offline-run-*`,
};

type SendCallbacks = Pick<SendOptions, 'follow' | 'next' | 'damage'>;

async function toTensorboard(run: string, out: string, { follow, next, damage }: SendCallbacks) {
  const target = join(out, 'tensorboard', basename(run));
  const place = { root: out, target };
  if (follow) {
    do writeEventFiles(run, place, { results: false, damage });
    while (await next());
  }
  const files = writeEventFiles(run, place, { damage });
  const text =
    `${plural(files.length, 'event file')} in ${shortPath(target)}. Show them ` +
    `with:\n  tensorboard --logdir ${quoted(shortPath(dirname(target)))}`;
  return { tracker: 'tensorboard' as const, files, text };
}

/** `--track`, for commands that train. */
export const trackOption = () =>
  new Option('--track <trackers>', `send the metrics of the run to one or more of ${list}`)
    .env('DISTILLERY_TRACK')
    .argParser(namesOf(trackers));

/**
 * Prepares a process that follows the run and outlives this one; its errors do not stop training.
 * @throws UserError when a client is not installed
 */
export async function followBeside(to: readonly Tracker[] = []): Promise<(run: string) => void> {
  for (const tracker of pythonTrackers) if (to.includes(tracker)) await pythonWith(tracker, undefined);
  return (run) => {
    if (to.length === 0) return;
    const args = [process.argv[1], 'track', run, '--to', to.join(','), '--follow', '--out', dirname(dirname(run))];
    const child = spawn(process.execPath, [...process.execArgv, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
      windowsHide: true,
    });
    child.on('error', (error) => stderr.write(`${pc.yellow('warning')} nothing is tracked: ${error.message}\n`));
    child.unref();
  };
}
