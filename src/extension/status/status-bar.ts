import * as vscode from 'vscode';
import type { Host } from '../../client/api';
import { setContext } from '../contexts';
import type { Services } from '../services';
import { mostUrgent, type Standing, statusText } from './texts';

/** The item in the status bar: what the busiest host is at. It is there while there is something to say. */
export function registerStatusBar({ hosts }: Services): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('distillery.status', vscode.StatusBarAlignment.Left, 10);
  item.name = vscode.l10n.t('Distillery Training');
  item.command = 'distillery.showActions';
  const draw = () => {
    const host = mostUrgent(hosts.all());
    setContext('distillery.hostState', host?.state ?? 'absent');
    const said = host && statusText(standingOf(host, hosts));
    if (!said) return item.hide();
    item.text = said.text;
    item.tooltip = new vscode.MarkdownString(said.tooltip);
    item.accessibilityInformation = { label: said.spoken, role: 'button' };
    item.backgroundColor = said.alarm && new vscode.ThemeColor(`statusBarItem.${said.alarm}Background`);
    item.show();
  };
  return vscode.Disposable.from(
    item,
    hosts.onDidProgress(draw),
    hosts.onDidTell((told) => {
      if (told.kind !== 'event' || told.event.type === 'job' || told.event.type === 'run') draw();
    }),
  );
}

function standingOf({ state, status }: Host, hosts: Services['hosts']): Standing {
  const { run, jobs } = status ?? {};
  return {
    state,
    name: run?.name,
    backend: run?.backend,
    progress: run && hosts.progress(run.folder),
    jobs: jobs?.length ?? 0,
  };
}
