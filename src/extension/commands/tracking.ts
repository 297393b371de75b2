import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { UserError } from '../../errors';
import type { Services } from '../services';
import { commandLine, parseOutput, variablesLike } from '../shared/command-line';
import { setting } from '../shared/settings';
import type * as vscode from '../vscode';
import { distilleryOf } from '../workspace/run-paths';
import { report } from './report';

/**
 * The setting `distillery.trackers`: each training run is followed by a `distillery track` process, which continues
 * when the window closes. A run is followed once for each start; measurements sent before are not sent again.
 */
export function registerTracking({ hosts, log }: Services): vscode.Disposable {
  const followed = new Set<string>();
  return hosts.onDidReceive(({ host, kind }) => {
    const run = host.status?.run;
    const trackers = setting('trackers', []);
    if (!run || trackers.length === 0 || kind === 'event' || kind === 'crash') return;
    const start = `${run.folder} ${run.since}`;
    if (followed.has(start)) return;
    followed.add(start);
    follow(run.folder, trackers, log).catch((error) => report(error, log));
  });
}

async function follow(run: string, trackers: readonly string[], log: vscode.LogOutputChannel): Promise<void> {
  const python = setting('trackers.python', '');
  const line = await commandLine([
    ...['track', run, '--follow', '--json', '--to', trackers.join(','), '--out', distilleryOf(run, [], '')],
    ...(python ? ['--python', python] : []),
    ...(setting('trackers.online', false) ? ['--online'] : []),
  ]);
  log.info(`${line.command} ${line.args.join(' ')}`);
  const env = { ...variablesLike(clientVariables), ...line.env };
  const child = spawn(line.command, line.args, {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
    windowsHide: true,
  });
  child.unref();
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  await new Promise<void>((done, fail) => child.once('error', fail).once('close', () => done()));
  if (output.trim() === '')
    throw new UserError(`the process that sends the run to ${trackers.join(', ')} was ended before it was done`, {
      code: 'tracker',
      remedy: `What arrived is kept. Continue with: distillery track ${basename(run)} --to ${trackers.join(',')}.`,
    });
  for (const { tracker, arrived } of parseOutput<{ tracker: string; arrived?: number }[]>(output))
    log.info(arrived === undefined ? `${run} is sent to ${tracker}` : `${arrived} measurements sent to ${tracker}`);
}

/**
 * Environment variables for the clients of trackers, beyond those of a training host: their settings and keys, and the
 * user's Python.
 */
const clientVariables = /^((wandb|trackio|hf)_\w+|virtual_env|conda_prefix|https?_proxy|no_proxy|netrc|xdg_\w+)$/i;
