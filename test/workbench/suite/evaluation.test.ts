import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { evaluationNames, listRuns, readEvaluation } from '../../../src/runs/reading';

const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;

/** Waits until a look finds what it is after. */
async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>, ms = 60_000): Promise<T> {
  for (const end = Date.now() + ms; ; ) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The records that were not there before. */
function records(before: ReadonlySet<string>): { run: string; name: string }[] {
  return listRuns(join(root(), '.distillery', 'runs')).flatMap(({ folder }) =>
    evaluationNames(folder)
      .filter((name) => !before.has(`${folder} ${name}`))
      .map((name) => ({ run: folder, name })),
  );
}

suite('Evaluation as tests', function () {
  this.timeout(120_000); // the host loads a student first
  const before = new Set<string>();
  suiteSetup(async () => {
    await vscode.extensions.getExtension('distillery.distillery')!.activate();
    for (const { run, name } of records(before)) before.add(`${run} ${name}`);
  });

  test('a dataset is run from its editor, by the newest student, at its lines', async () => {
    const document = await vscode.workspace.openTextDocument(join(root(), 'data/sums.chains.jsonl'));
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await vscode.commands.executeCommand('testing.refreshTests');
    await vscode.commands.executeCommand('testing.runCurrentFile');
    const { run, name } = await until('a record', () => records(before).find((one) => one.name.endsWith('-sums')));
    const answers = readEvaluation(run, name);
    assert.deepEqual(
      answers.map(({ problemId, gold }) => [problemId, gold]),
      [
        ['sum-1', '5'],
        ['sum-2', '13'],
        ['sum-3', '15'],
      ],
    );
    assert.ok(answers.every(({ tokens }) => tokens > 0));
  });

  test('generated problems have a document with a line for each', async () => {
    const source = { format: 'arithmetic', seed: 2, count: 4, start: 0, operations: [2, 2], maxValue: 60 };
    const query = JSON.stringify({ source, split: 'test' });
    const uri = vscode.Uri.from({ scheme: 'distillery-data', path: '/arithmetic-test.chains.jsonl', query });
    const document = await vscode.workspace.openTextDocument(uri);
    const rows = document
      .getText()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string });
    assert.deepEqual(
      rows.map(({ id }) => id),
      [0, 1, 2, 3].map((i) => `test-2-${i}`),
    );
  });

  test('a whole experiment is run: test, validation and training problems', async () => {
    await vscode.commands.executeCommand('testing.runAll');
    const names = await until('three records of each experiment', () => {
      const found = records(before).map(({ name }) => name.replace(/^.*-\d+-/, ''));
      return ['test', 'validation', 'train'].every((part) => found.includes(part)) ? found : undefined;
    });
    assert.ok(names.length >= 4);
  });
});
