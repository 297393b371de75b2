import type { Host } from '../../client/api';
import type { Services } from '../services';
import { setContext } from '../shared/contexts';
import * as vscode from '../vscode';
import { mostUrgent, type StatusInput, statusText } from './texts';

/** The status bar item with the state of the busiest host. Hidden when there is nothing to show. */
export function registerStatusBar({ hosts }: Services): vscode.Disposable {
  const name = 'Distillery Training';
  const item = vscode.window.createStatusItem('distillery.status', name, 'distillery.showActions');
  const draw = () => {
    const host = mostUrgent(hosts.all());
    setContext('distillery.hostState', host?.state ?? 'absent');
    const said = host && statusText(statusInput(host, hosts));
    if (said) item.show(said);
    else item.hide();
  };
  return vscode.Disposable.from(
    item,
    hosts.onDidProgress(draw),
    hosts.onDidReceive((message) => {
      if (message.kind !== 'event' || message.event.type === 'job' || message.event.type === 'run') draw();
    }),
  );
}

function statusInput({ state, status }: Host, hosts: Services['hosts']): StatusInput {
  const { run, jobs } = status ?? {};
  return {
    state,
    name: run?.name,
    backend: run?.backend,
    progress: run && hosts.progress(run.folder),
    jobs: jobs?.length ?? 0,
  };
}
