import { stageTitles, trainedStages } from '../../stages';
import * as vscode from '../vscode';
import { parseExperiment } from '../workspace/experiment-file';
import { configKind } from './kinds';
import { keyOffset } from './names';

/** Commands for a config, above the settings that they concern. */
export class ConfigLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;
  private readonly trust = vscode.workspace.onDidGrantWorkspaceTrust(() => this.changed.fire());

  dispose(): void {
    this.trust.dispose();
    this.changed.dispose();
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const kind = configKind(document.fileName);
    if (kind === 'reward') return rewardLenses(document);
    return kind === 'experiment' ? experimentLenses(document) : [];
  }
}

const lens = (line: number, [icon, title]: [string | undefined, string], command: string, argument: unknown) =>
  new vscode.CodeLens(line, { icon, title, command, args: [argument] });

function rewardLenses({ uri }: vscode.TextDocument): vscode.CodeLens[] {
  return [
    lens(0, ['law', 'Score Last Rollouts'], 'distillery.scoreRollouts', uri),
    lens(0, [undefined, 'Choose Rollouts…'], 'distillery.chooseRollouts', uri),
  ];
}

function experimentLenses(document: vscode.TextDocument): vscode.CodeLens[] {
  const text = document.getText();
  const { stages } = parseExperiment(document.fileName, text);
  const argument = { experiment: document.fileName };
  const preview = lens(0, [undefined, 'Preview Masking'], 'distillery.previewMasking', argument);
  if (!vscode.workspace.isTrusted) return [preview];
  const runs = trainedStages.flatMap((stage, i) => {
    if (!stages.includes(stage)) return [];
    const { line } = document.positionAt(keyOffset(text, ['stages', stage]) ?? 0);
    const title = `Run ${stageTitles[stage]}`;
    return [lens(line, ['play', title], `distillery.runStage${i + 1}`, argument)];
  });
  const run = lens(0, ['run-all', 'Run'], 'distillery.runCurriculum', argument);
  return [run, preview, ...runs];
}
