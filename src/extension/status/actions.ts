import { command } from '../commands/report';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { mostUrgent } from './texts';

interface Action extends vscode.QuickPickItem {
  command: string;
  args?: unknown[];
}

/** The actions offered by a click on the status bar, by current state. */
export function registerActions(services: Services): vscode.Disposable {
  return command(services, 'distillery.showActions', async () => {
    const host = mostUrgent(services.hosts.all());
    const run = host?.status?.run?.folder ?? host?.status?.last?.folder;
    const picked = await vscode.window.showQuickPick(actionsFor(host?.state, run), {
      title: 'Distillery',
      placeHolder: run?.split(/[\\/]/).at(-1),
    });
    if (picked) await vscode.commands.executeCommand(picked.command, ...(picked.args ?? []));
  });
}

function actionsFor(state: string | undefined, run: string | undefined): Action[] {
  const of = (icon: string, label: string, id: string): Action => ({
    icon,
    label,
    command: `distillery.${id}`,
    args: run ? [{ run }] : [],
  });
  const [pause, stop] = [of('debug-pause', 'Pause', 'pause'), of('debug-stop', 'Stop After a Checkpoint', 'stop')];
  const cancel = of('circle-slash', 'Cancel Without a Checkpoint', 'cancel');
  const resume = of('debug-continue', 'Resume', 'resume');
  const control: Record<string, Action[]> = {
    running: [pause, stop, cancel],
    pausing: [stop, cancel],
    paused: [resume, stop],
    stopping: [cancel],
    crashed: [resume],
    lost: [{ icon: 'circle-slash', label: 'End the Training Host', command: 'distillery.killHost' }],
  };
  const trusted = vscode.workspace.isTrusted;
  return [
    ...(trusted
      ? (control[state ?? ''] ?? [{ icon: 'play', label: 'Run Curriculum', command: 'distillery.runCurriculum' }])
      : []),
    ...(run ? [{ icon: 'graph-line', label: 'Open Dashboard', command: 'distillery.openDashboard', args: [run] }] : []),
    { icon: 'bug', label: 'Show Failure Cases', command: 'distillery.showFailures' },
    { icon: 'output', label: 'Show Log', command: 'distillery.showLog' },
  ];
}
