import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Command } from 'commander';
import type { Crash } from '../../client/api';
import { HostClient } from '../../client/host-client';
import { errorOfFault } from '../../client/link';
import { UserError } from '../../errors';
import type { HostEvent, Status } from '../../protocol/control';
import { lockHolder } from '../../runs/lock';
import { readStart, readSummary } from '../../runs/reading';
import { allRuns, commandLine, quoted, runsFolders, shortPath } from '../inputs/places';
import { exitCodes, print } from '../terminal/exit';
import { onBrokenOutput, pc, stdout } from '../terminal/terminal';
import { showProgress } from '../text/progress';
import { endText } from '../text/summary';

const verbs = ['pause', 'resume', 'stop', 'cancel'] as const;
type AttachVerb = (typeof verbs)[number];

export function addAttachCommand(program: Command, version: string): void {
  program
    .command('attach')
    .description('follow a run that the editor started, with the same display as `run`, or pause, resume or stop it')
    .argument('[folder]', 'a workspace or a run (default: the run in progress below or above this folder)')
    .option('--pause', 'finish the current update, write a checkpoint, and wait')
    .option('--resume', 'continue after a pause')
    .option('--stop', 'finish the current update, write a checkpoint, and end the run')
    .option('--cancel', 'end the run at once, without a checkpoint')
    .option('--json', 'one JSON object per line: the run, its events, its end')
    .addHelpText(
      'after',
      `
Ctrl-C ends only this display: the run continues. --pause and --resume do not follow the run.

Examples:
  distillery attach
  distillery attach ./my-experiment --stop`,
    )
    .action(async (folder: string | undefined, options: Partial<Record<AttachVerb | 'json', boolean>>) => {
      const asked = verbs.filter((verb) => options[verb]);
      if (asked.length > 1)
        throw new UserError(`--${asked[0]} and --${asked[1]} exclude each other`, {
          code: 'usage',
          remedy: 'Give one.',
        });
      const client = await findBusyHost(folder, version);
      try {
        await (asked[0] ? carryOut(client, asked[0], options.json ?? false) : follow(client, options.json ?? false));
      } finally {
        client.dispose();
      }
    });
}

/** Connects to the only host here with a run in progress. */
async function findBusyHost(folder: string | undefined, version: string): Promise<HostClient> {
  const places = folder === undefined ? runsFolders().map((runs) => dirname(runs)) : [distilleryOf(folder)];
  const busy: HostClient[] = [];
  for (const place of places) {
    const client = new HostClient({
      folder: place,
      client: { name: 'terminal', version },
      node: () => process.execPath,
    });
    if ((await client.attach()) && client.status?.run) busy.push(client);
    else client.dispose();
  }
  if (busy.length === 1) return busy[0];
  for (const client of busy) client.dispose();
  if (busy.length > 1)
    throw new UserError('several runs are in progress here', {
      code: 'usage',
      remedy: `Give one of them: ${busy.map((client) => shortPath(dirname(client.folder))).join(', ')}.`,
    });
  throw noRunInProgress(places);
}

/**
 * The error that no host here has a run in progress. It names a run in a terminal, which cannot be followed from here.
 */
function noRunInProgress(places: readonly string[]): UserError {
  for (const { folder } of allRuns(places.map((place) => join(place, 'runs')))) {
    const holder = lockHolder(folder);
    if (holder)
      return new UserError(
        `the run in progress, ${shortPath(folder)}, was started in a terminal (process ${holder.pid})`,
        {
          code: 'run',
          remedy:
            'Follow it there, or stop it with Ctrl-C. From here, see its curves with ' +
            `\`${commandLine(`show ${quoted(shortPath(folder))}`)}\`.`,
        },
      );
  }
  return new UserError('no run is in progress here', {
    code: 'run',
    remedy: `Start one in the editor, or here with \`${commandLine('run <experiment>')}\`.`,
  });
}

/** The `.distillery` folder of a workspace or of a run in it, or the folder itself. */
function distilleryOf(path: string): string {
  const full = resolve(path);
  if (!existsSync(full))
    throw new UserError('no such folder', { file: path, code: 'missing', remedy: 'Check the path.' });
  const at = full.lastIndexOf(`${sep}.distillery${sep}`);
  if (at >= 0) return full.slice(0, at + sep.length + '.distillery'.length);
  return basename(full) === '.distillery' ? full : join(full, '.distillery');
}

async function carryOut(client: HostClient, verb: AttachVerb, json: boolean): Promise<void> {
  const { folder } = client.status!.run!;
  if (verb === 'stop' || verb === 'cancel') {
    const over = follow(client, json);
    await client.control(verb);
    return over;
  }
  if (verb === 'pause') {
    await client.control('pause');
    await waitForState(client, (state) => state !== 'running' && state !== 'pausing');
  } else {
    await client.request('resume', { run: folder });
    await waitForState(client, (state) => state !== 'paused' && state !== 'pausing');
  }
  if (json) print({ state: client.state, run: folder });
  else stdout.write(`${shortPath(folder)} is ${client.state}.\n`);
}

function waitForState(client: HostClient, test: (state: string) => boolean): Promise<void> {
  if (test(client.state)) return Promise.resolve();
  return new Promise((resolve) => client.on('state', (state) => test(state) && resolve()));
}

/** Shows the run until it ends or the user interrupts. */
async function follow(client: HostClient, json: boolean): Promise<void> {
  const status = client.status!;
  const { folder, name, backend } = status.run!;
  const show = showProgress(stdout, { start: () => readStart(folder) });
  // Listens before printing anything, as the user may interrupt at once.
  const ending = new Promise<Extract<HostEvent, { type: 'ended' }> | Crash | 'left'>((resolve) => {
    const leave = () => resolve('left');
    process.once('SIGINT', leave);
    onBrokenOutput(leave);
    client.on('crash', resolve);
    client.on('state', (state) => {
      if (state === 'absent') resolve({ reason: 'the training host has ended', cause: 'unknown', log: [] });
    });
    client.on('event', (event) => {
      if (event.type === 'curriculum' && event.run === folder)
        if (json) print({ event: event.event });
        else show(event.event);
      if (event.type === 'ended' && event.run === folder) resolve(event);
    });
    // The end was among missed events.
    client.on('snapshot', ({ run, last }) => {
      if (run?.folder !== folder && last?.folder === folder)
        resolve({ type: 'ended', seq: 0, time: '', run: folder, outcome: last.outcome, fault: last.fault });
    });
  });
  if (json) print({ run: status.run, state: status.state });
  else stdout.write(`${pc.bold(name)} on ${backend}\n${pc.dim(shortPath(folder))}\n\n`);
  if (!json) showCurrentPhase(status, show);
  if (!json && status.state !== 'running') stdout.write(`${pc.yellow(status.state)}\n`);
  const ended = await ending;
  if (ended === 'left') {
    if (!json) stdout.write(`\nThe run continues. Stop it with:\n  ${commandLine('attach --stop')}\n`);
    return;
  }
  if (!('outcome' in ended))
    throw new UserError(ended.reason, {
      file: folder,
      code: 'host',
      remedy: `The run was interrupted; resume it with \`${commandLine(`resume ${quoted(shortPath(folder))}`)}\`.`,
    });
  reportEnd(folder, ended, json);
}

/** Shows the current phase at once, not only after the next update. */
function showCurrentPhase({ progress }: Status, show: ReturnType<typeof showProgress>): void {
  const { phase, update, validation } = progress;
  if (phase) show({ ...phase, done: update?.update ?? phase.done });
  if (validation) show(validation);
}

function reportEnd(folder: string, { outcome, fault }: Extract<HostEvent, { type: 'ended' }>, json: boolean): void {
  const rows = readSummary(folder);
  if (outcome !== 'finished') process.exitCode = outcome === 'failed' ? exitCodes.input : exitCodes.stopped;
  if (json) print({ ended: { folder, outcome, fault, rows } });
  else if (outcome === 'finished') stdout.write(endText(folder));
  else if (fault) throw errorOfFault(fault);
  else {
    const how = outcome === 'cancelled' ? 'Cancelled' : 'Stopped';
    stdout.write(`\n${how}. Resume with:\n  ${commandLine(`resume ${quoted(shortPath(folder))}`)}\n`);
  }
}
