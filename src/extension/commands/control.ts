import { hostname } from 'node:os';
import type { Host } from '../../client/api';
import { UserError } from '../../errors';
import { lockHolder } from '../../runs/lock';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { isLive } from '../workspace/run-cache';
import { named } from './arguments';
import { pickRun } from './pick';
import { trustedCommand } from './report';
import { showStartedRun } from './start';

/** Pause, Resume, Stop, and Cancel without a checkpoint. */
export function registerControl(services: Services): vscode.Disposable {
  return vscode.Disposable.from(
    trustedCommand(services, 'distillery.resume', async (argument: unknown) => {
      const run = await pickRun(services, named(argument), {
        title: 'Resume',
        fits: (state) => !['created', 'running', 'finished'].includes(state),
        none: { message: 'no run is waiting to be resumed' },
      });
      if (!run) return;
      const name = run.split(/[\\/]/).at(-1)!;
      const title = `Distillery: resuming ${name}`;
      const known = services.hosts.running(run) !== undefined;
      await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
        services.hosts.of(run).request('resume', { run }),
      );
      services.runs.refresh(run);
      if (!known) await showStartedRun(run);
    }),
    trustedCommand(services, 'distillery.pause', async (argument: unknown) => {
      const run = await liveRun(services, argument, 'Pause');
      if (run) await hostOf(services, run).control('pause');
    }),
    trustedCommand(services, 'distillery.stop', async (argument: unknown) => {
      const run = await liveRun(services, argument, 'Stop');
      if (!run) return;
      if (services.hosts.running(run)) await hostOf(services, run).control('stop');
      else stopElsewhere(run);
    }),
    trustedCommand(services, 'distillery.cancel', async (argument: unknown) => {
      const run = await liveRun(services, argument, 'Cancel');
      if (!run) return;
      const [cancel, stop] = ['Cancel the Run', 'Stop After a Checkpoint'];
      const detail = 'Progress since its last checkpoint is lost. The run can be resumed from that checkpoint.';
      const answer = await vscode.window.showWarningMessage(
        'Cancel the run at once?',
        { modal: true, detail },
        cancel,
        stop,
      );
      if (answer === cancel) await hostOf(services, run).control('cancel');
      else if (answer === stop) await hostOf(services, run).control('stop');
    }),
  );
}

function liveRun(services: Services, argument: unknown, title: string): Promise<string | undefined> {
  return pickRun(services, named(argument), {
    title,
    fits: (_, run) => isLive(run),
    none: { message: 'no run is in progress' },
  });
}

function hostOf({ hosts }: Services, run: string): Host {
  const host = hosts.running(run);
  if (host) return host;
  const holder = lockHolder(run);
  throw new UserError(
    holder
      ? `process ${holder.pid} on ${holder.host}, not this window's host, works on this run`
      : 'this run is not in progress',
    { file: run, code: 'host', remedy: holder ? 'It can be stopped from here, or where it was started.' : undefined },
  );
}

/** A run in a terminal is ended as by Ctrl-C: after a checkpoint. */
function stopElsewhere(run: string): void {
  const holder = lockHolder(run);
  if (!holder) throw new UserError('this run is not in progress', { file: run, code: 'host' });
  if (holder.host !== hostname() || process.platform === 'win32')
    throw new UserError(`process ${holder.pid} on ${holder.host} works on this run`, {
      file: run,
      code: 'host',
      remedy: 'Stop it where it was started.',
    });
  process.kill(holder.pid, 'SIGINT');
}
