import * as vscode from 'vscode';
import { command } from '../commands/report';
import type { Services } from '../services';
import { mostUrgent } from './texts';

interface Action extends vscode.QuickPickItem {
  command: string;
  args?: unknown[];
}

/** What a click on the status bar offers: whatever can be done as things stand. */
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
  const { t } = vscode.l10n;
  const of = (label: string, id: string): Action => ({
    label,
    command: `distillery.${id}`,
    args: run ? [{ run }] : [],
  });
  const [pause, stop] = [
    of(t('$(debug-pause) Pause'), 'pause'),
    of(t('$(debug-stop) Stop After a Checkpoint'), 'stop'),
  ];
  const cancel = of(t('$(circle-slash) Cancel Without a Checkpoint'), 'cancel');
  const resume = of(t('$(debug-continue) Resume'), 'resume');
  const control: Record<string, Action[]> = {
    running: [pause, stop, cancel],
    pausing: [stop, cancel],
    paused: [resume, stop],
    stopping: [cancel],
    crashed: [resume],
    lost: [{ label: t('$(circle-slash) End the Training Host'), command: 'distillery.killHost' }],
  };
  const trusted = vscode.workspace.isTrusted;
  return [
    ...(trusted
      ? (control[state ?? ''] ?? [{ label: t('$(play) Run Curriculum'), command: 'distillery.runCurriculum' }])
      : []),
    ...(run ? [{ label: t('$(graph-line) Open Dashboard'), command: 'distillery.openDashboard', args: [run] }] : []),
    { label: t('$(bug) Show Failure Cases'), command: 'distillery.showFailures' },
    { label: t('$(output) Show Log'), command: 'distillery.showLog' },
  ];
}
