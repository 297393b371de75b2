import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Services } from '../services';
import * as vscode from '../vscode';

/**
 * Registers the hosts of all folders, so that a running one is found again. In Restricted Mode this waits for trust.
 */
export function attachHosts({ hosts, runs, log }: Services): vscode.Disposable {
  const attach = () => {
    if (!vscode.workspace.isTrusted) return;
    for (const folder of runs.folders()) {
      if (!existsSync(dirname(folder))) continue;
      const known = hosts.all().length;
      const host = hosts.of(join(folder, 'run'));
      if (hosts.all().length > known) host.attach().catch((error: Error) => log.warn(error.message));
    }
  };
  void runs.ready.then(attach);
  return vscode.Disposable.from(runs.onDidChange(attach), vscode.workspace.onDidGrantWorkspaceTrust(attach));
}
