import { findNode } from '../../client/find-node';
import { UserError } from '../../errors';
import { command } from '../commands/report';
import type { Services } from '../services';
import { cancellable } from '../shared/cancellable';
import { MarkdownPage } from '../shared/markdown-page';
import { setting } from '../shared/settings';
import * as vscode from '../vscode';
import { doctorText, type Findings } from './text';

/**
 * `distillery.doctor`: shows what works on this machine and what is missing.
 * It matters most when the training host does not start.
 */
export function registerDoctor(services: Services): vscode.Disposable {
  const page = new MarkdownPage(vscode.Uri.from({ scheme: 'distillery-doctor', path: '/Doctor.md' }));
  return vscode.Disposable.from(
    page,
    command(services, 'distillery.doctor', async () => page.show(`${doctorText(await examine(services)).text}\n`)),
  );
}

function examine(services: Services): Thenable<Findings> {
  const title = 'Distillery: measuring every backend';
  return cancellable(title, async (signal) => {
    const { version } = services.context.extension.packageJSON as { version: string };
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
    return {
      editor: {
        version,
        name: `${vscode.env.appName} ${vscode.version}`,
        remote: vscode.env.remoteName ?? '',
        trusted: vscode.workspace.isTrusted,
      },
      node: await orProblem(() => findNode(setting('node', ''))),
      machine: await orProblem(async () => services.hosts.of(folder).request('doctor', {}, { signal })),
    };
  });
}

async function orProblem<T>(look: () => Promise<T>): Promise<T | UserError> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}
