import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import { readAddress } from '../../../src/protocol/host-folder';
import { listRuns } from '../../../src/runs/reading';
import { until } from '../until';

const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;

const openDocument = (scheme: string) => vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === scheme);

async function lensesOf(uri: vscode.Uri): Promise<vscode.Command[]> {
  const found = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri);
  return found.map(({ command }) => command!);
}

suite('The student: prompts, answers, backends', function () {
  this.timeout(120_000); // the host loads a student first
  suiteSetup(() => vscode.extensions.getExtension('distillery.distillery')!.activate());
  suiteTeardown(async () => {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  test('Preview Masking shows the prompts of every stage, follows the experiment, and turns pages', async () => {
    const experiment = await vscode.workspace.openTextDocument(join(root(), 'tiny.distillery.json'));
    await vscode.window.showTextDocument(experiment);
    await vscode.commands.executeCommand('distillery.previewMasking', experiment.uri);
    const preview = await until('the preview', () => openDocument('distillery-preview'));
    assert.equal(preview.languageId, 'reasoning-chain');
    assert.match(preview.getText(), /^## Problem 1 of \d+: train-/);
    assert.match(preview.getText(), /\n## Stage 1 \(Reconstruct\): prompt(?:, \d+ tokens)?\n\(.*\)\nQuestion: /);
    assert.match(preview.getText(), /\n## Stage 2 \(Complete\): prompt(?:, \d+ tokens)?\n\(.*\)\nQuestion: /);

    await vscode.commands.executeCommand('distillery.previewNext', preview.uri);
    await until('the second problem', () => (/^## Problem 2 of/.test(preview.getText()) ? true : undefined));
    // Counted by the host as soon as it can be.
    await until('lengths', () => (/: prompt, \d+ tokens\n/.test(preview.getText()) ? true : undefined));
    assert.match(
      preview.getText(),
      /\n## Lengths of \d+ teacher chains, in tokens\n[\s\S]*█ \d+\nBudgets: \d+ % fit in \d+/,
    );
    await vscode.commands.executeCommand('distillery.previewTokens', preview.uri);

    const text = experiment.getText();
    const edit = new vscode.WorkspaceEdit();
    edit.replace(experiment.uri, new vscode.Range(0, 0, experiment.lineCount, 0), text.replace('"name"', '"nome"'));
    await vscode.workspace.applyEdit(edit);
    await until('why it stays', () =>
      /^! line \d+: .*Showing the last valid version/.test(preview.getText()) ? true : undefined,
    );
    await vscode.window.showTextDocument(experiment);
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await until('the preview again', () => (/^## Problem 2 of/.test(preview.getText()) ? true : undefined));
  });

  test('Ask Student writes answers below the question, as many as are wanted', async () => {
    const [listing] = listRuns(join(root(), '.distillery/runs')).filter(
      (one) => 'run' in one && one.run.record.checkpoints.length > 0,
    );
    assert.ok('run' in listing);
    const name = listing.run.record.checkpoints.at(-1)!.name;
    await vscode.commands.executeCommand('distillery.askStudent', {
      checkpoint: join(listing.folder, 'checkpoints', name),
    });
    const editor = vscode.window.activeTextEditor!;
    const page = editor.document;
    assert.equal(page.languageId, 'reasoning-chain');
    await editor.edit((edit) => edit.insert(editor.selection.active, 'What is 2 + 3?\nReference answer: 5'));
    const lenses = await until('the lenses', async () => {
      const found = (await lensesOf(page.uri)).filter(({ command }) => command.startsWith('distillery.ask'));
      return found.length === 2 ? found : undefined;
    });
    await vscode.commands.executeCommand(lenses[0].command, ...lenses[0].arguments!);
    assert.match(
      page.getText(),
      new RegExp(`\\n## Asked 1: ${name} of .*, greedy: .* tokens/s\\n\\n## Answer: .*, \\d+ tokens`),
    );
    await vscode.commands.executeCommand(lenses[1].command, ...lenses[1].arguments!);
    assert.equal(page.getText().match(/\n## Sample \d of 4: .*, mean log-prob −?\d/g)?.length, 4);
    assert.equal(page.getText().match(/\n## Asked \d: /g)?.length, 2);

    const begun = new Promise<void>((resolve) => {
      const listener = vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document !== page) return;
        listener.dispose();
        resolve();
      });
    });
    const { pid } = readAddress(join(root(), '.distillery'))!;
    // A student of this size would have answered before the lens is found: its host waits (Windows has no such signal).
    if (process.platform !== 'win32') process.kill(pid, 'SIGSTOP');
    const third = vscode.commands.executeCommand(lenses[1].command, ...lenses[1].arguments!);
    try {
      await begun;
      const stop = (await lensesOf(page.uri)).find(({ command }) => command === 'distillery.stopAsking')!;
      await vscode.commands.executeCommand(stop.command, ...stop.arguments!);
    } finally {
      if (process.platform !== 'win32') process.kill(pid, 'SIGCONT');
    }
    await third;
    assert.match(page.getText(), /\n## Asked 3: .*: stopped\n\n## Sample 1 of 4: \d+ tokens?, stopped\n/);
    assert.ok(!(await lensesOf(page.uri)).some(({ command }) => command === 'distillery.stopAsking'));
  });

  test('Ask Student does not change text below a question', async () => {
    const page = vscode.window.activeTextEditor!.document;
    const own = "# My notes\n\n## Kept\nnot the student's\n";
    const replaced = await vscode.window.activeTextEditor!.edit((edit) =>
      edit.replace(new vscode.Range(0, 0, page.lineCount, 0), `Question: What is 2 + 3?\n\n${own}`),
    );
    assert.ok(replaced);
    // Someone types while the answers grow, and then pauses: on a slow machine an edit of the answers may not get in
    // between two keystrokes.
    const type = async () => {
      for (let key = 0; key < 40; key++) {
        const end = page.lineAt(page.lineCount - 1).range.end;
        const options = { undoStopBefore: false, undoStopAfter: false };
        await vscode.window.activeTextEditor!.edit((edit) => edit.insert(end, 'more '), options);
        await sleep(60);
      }
    };
    await Promise.all([
      vscode.commands.executeCommand('distillery.askSamples', 0),
      vscode.commands.executeCommand('distillery.askSamples', 0),
      type(),
    ]);
    const text = page.getText();
    assert.equal(text.match(/^## Sample \d of 4: .*, mean log-prob −?\d/gm)?.length, 8, text);
    assert.deepEqual([...text.matchAll(/^## Asked (\d): .* tokens\/s$/gm)].map(([, number]) => number).sort(), [
      '1',
      '2',
    ]);
    assert.ok(text.includes(own), text);
  });

  test('Doctor lists what works on this machine', async () => {
    await vscode.commands.executeCommand('distillery.doctor');
    const report = await vscode.workspace.openTextDocument(vscode.Uri.parse('distillery-doctor:/Doctor.md'));
    assert.match(report.getText(), /\| ✓ embedded \| \d+ GFLOP\/s \|/);
    assert.match(report.getText(), /\| Node \| v\d+/);
  });
});
