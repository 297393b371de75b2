import * as vscode from 'vscode';
import { stageTitles, trainedStages } from '../../stages';
import { parseExperiment } from '../experiment-file';
import { kindOf } from './kinds';
import { keyOffset } from './names';

/** What can be done with a config, above the settings that it is about. */
export class ConfigLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;
  private readonly trust = vscode.workspace.onDidGrantWorkspaceTrust(() => this.changed.fire());

  dispose(): void {
    this.trust.dispose();
    this.changed.dispose();
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const kind = kindOf(document.fileName);
    if (kind === 'reward') return rewardLenses(document);
    return kind === 'experiment' ? experimentLenses(document) : [];
  }
}

function lens(document: vscode.TextDocument, offset: number, title: string, command: string, ...args: unknown[]) {
  const at = document.positionAt(offset);
  return new vscode.CodeLens(new vscode.Range(at, at), { title, command, arguments: args });
}

function rewardLenses(document: vscode.TextDocument): vscode.CodeLens[] {
  return [
    lens(document, 0, vscode.l10n.t('$(law) Score last rollouts'), 'distillery.scoreRollouts', document.uri),
    lens(document, 0, vscode.l10n.t('Choose rollouts…'), 'distillery.chooseRollouts', document.uri),
  ];
}

function experimentLenses(document: vscode.TextDocument): vscode.CodeLens[] {
  const text = document.getText();
  const { stages } = parseExperiment(document.fileName, text);
  const argument = { experiment: document.fileName };
  const preview = lens(document, 0, vscode.l10n.t('Preview Masking'), 'distillery.previewMasking', argument);
  if (!vscode.workspace.isTrusted) return [preview];
  const runs = trainedStages.flatMap((stage, i) => {
    if (!stages.includes(stage)) return [];
    const offset = keyOffset(text, ['stages', stage]) ?? 0;
    return [
      lens(
        document,
        offset,
        vscode.l10n.t('$(play) Run {0}', stageTitles[stage]),
        `distillery.runStage${i + 1}`,
        argument,
      ),
    ];
  });
  const run = lens(document, 0, vscode.l10n.t('$(run-all) Run'), 'distillery.runCurriculum', argument);
  return [run, preview, ...runs];
}
