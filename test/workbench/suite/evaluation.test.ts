import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Services } from '../../../src/extension/services';
import { evaluationNames, listRuns, readEvaluation } from '../../../src/runs/reading';
import { tinyFile } from '../../cli/distillery';
import { until } from '../until';

const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;

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
  let services: Services;
  suiteSetup(async () => {
    services = await vscode.extensions.getExtension<Services>('distillery.distillery')!.activate();
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

  test('a dataset of any name is read again when its file has changed', async () => {
    const rows = (answers: number[]) =>
      answers.map(
        (answer, i) => `${JSON.stringify({ question: `What is ${answer} + 0?`, answer: `${answer}`, id: `${i}` })}\n`,
      );
    const file = join(root(), 'data/plain.jsonl');
    const experiment = join(root(), 'plain.distillery.json');
    writeFileSync(file, rows([4, 5]).join(''));
    writeFileSync(
      experiment,
      JSON.stringify(tinyFile({ name: 'plain', data: { ...tinyFile().data, test: { format: 'chains', path: file } } })),
    );
    const all = () => records(before).filter(({ name }) => /-test(-\d+)?$/.test(name));
    const golds = async (known: number) => {
      // The window may not know the tests yet that were just found.
      await until('a record', async () => {
        await vscode.commands.executeCommand('testing.runCurrentFile');
        return until('it', () => all().length > known || undefined, 3000).catch(() => undefined);
      });
      return all().map(({ run, name }) => readEvaluation(run, name).map(({ gold }) => gold));
    };
    try {
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file));
      await until(
        'the experiment',
        () => services.runs.experiments().some((one) => one.file === experiment) || undefined,
      );
      await vscode.commands.executeCommand('testing.refreshTests');
      assert.deepEqual(await golds(0), [['4', '5']]);
      writeFileSync(file, rows([7, 8, 9]).join(''));
      assert.deepEqual((await golds(1)).at(-1), ['7', '8', '9']);
    } finally {
      for (const each of [experiment, file]) rmSync(each);
      for (const { run, name } of records(before)) before.add(`${run} ${name}`);
    }
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
      const found = records(before).map(({ name }) => name.replace(/^\w+-\d+-/, '').replace(/-\d+$/, ''));
      return ['test', 'validation', 'train'].every((part) => found.includes(part)) ? found : undefined;
    });
    assert.ok(names.length >= 4);
  });
});
