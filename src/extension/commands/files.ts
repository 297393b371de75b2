import { existsSync } from 'node:fs';
import { UserError } from '../../errors';
import { configFile, evaluationFile, summaryFile } from '../../runs/layout';
import type { RunsNode } from '../runs/nodes';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { named } from './arguments';
import { pickRun } from './pick';
import { command } from './report';

/** Commands that open the files of a run, a checkpoint or an evaluation. */
export function registerFiles(services: Services): vscode.Disposable {
  const opener = (id: `distillery.${string}`, title: string, fileOf: (run: string) => string) =>
    command(services, id, async (argument: unknown) => {
      const run = await pickRun(services, named(argument), { title, none: { message: 'there are no runs yet' } });
      if (run) await open(fileOf(run));
    });
  return vscode.Disposable.from(
    opener('distillery.openConfig', 'Open Config', configFile),
    opener('distillery.openSummary', 'Open Summary', summaryFile),
    command(services, 'distillery.openAnswers', ({ run, evaluation }: { run: string; evaluation: string }) =>
      open(evaluationFile(run, evaluation)),
    ),
    command(services, 'distillery.openExperiment', (argument: unknown) => {
      const { experiment } = named(argument, 'experiment');
      return experiment && open(experiment);
    }),
    command(services, 'distillery.copyPath', (node: RunsNode) => vscode.env.clipboard.writeText(pathOf(node))),
    command(services, 'distillery.reveal', (node: RunsNode) =>
      vscode.commands.executeCommand(
        canRevealInSystem() ? 'revealFileInOS' : 'revealInExplorer',
        vscode.Uri.file(pathOf(node)),
      ),
    ),
  );
}

async function open(file: string): Promise<void> {
  if (!existsSync(file))
    throw new UserError('the file does not exist yet', {
      file,
      code: 'missing',
      remedy: 'The run has not written it yet.',
    });
  await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file));
}

function pathOf(node: RunsNode): string {
  if (node.kind === 'experiment') return node.experiment ?? node.runs;
  if (node.kind === 'checkpoint') return node.checkpoint;
  if (node.kind === 'evaluation') return evaluationFile(node.run, node.evaluation);
  return 'run' in node ? node.run : '';
}

/** On a remote machine or in a browser there is no file manager, so the Explorer view is used. */
const canRevealInSystem = () => vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
