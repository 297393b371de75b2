import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { bridgeRow as row } from '../../../src/cases/testing/bridge-row';
import { ShownCases } from '../../../src/extension/failures/shown-cases';
import type { RunIndex } from '../../../src/extension/workspace/run-index';
import { decisionsOf, readDecisions } from '../../../src/runs/decisions';
import { listRuns, readFailures, readRewrites } from '../../../src/runs/reading';
import type { FailureRecord } from '../../../src/runs/records';
import { ending } from '../ending';
import { until } from '../until';

const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;
const runs = () => join(root(), '.distillery', 'runs');

/** What hovers say, without the signs that keep it from being Markdown. */
async function hoverText(uri: vscode.Uri, at: vscode.Position): Promise<string> {
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', uri, at);
  const texts = hovers.flatMap(({ contents }) => contents.map((one) => (one as vscode.MarkdownString).value));
  return texts.join('\n').replaceAll('&nbsp;', ' ').replaceAll('\\', '');
}

/** A slip, a departure, a cut-off answer. */
const rows = [
  row(1, 'Step 1: 6 * 4 = 26 pens.\nStep 2: 26 - 5 = 21.\nAnswer: 21', 30),
  row(2, 'Step 1: 6 + 4 = 10.\nStep 2: 10 - 5 = 5.\nAnswer: 5', 31),
  row(3, 'Step 1: 6 * 4 = 24 and then', 400),
];

async function openCase(reference: object): Promise<vscode.TextDocument> {
  await vscode.commands.executeCommand('distillery.openCase', reference);
  const { document } = vscode.window.activeTextEditor!;
  assert.equal(document.uri.scheme, 'distillery-case');
  return document;
}

const lenses = async ({ uri }: vscode.TextDocument) =>
  ((await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri)) ?? []).map(
    ({ command, range }) => ({ title: command!.title, command: command!, line: range.start.line }),
  );

const ofProblem = (run: string, problemId: string) =>
  readRewrites(run).filter((rewrite) => rewrite.problemId === problemId);

suite('Failure cases', () => {
  let imported = '';
  suiteSetup(async () => {
    await vscode.extensions.getExtension('distillery.distillery')!.activate();
    const file = join(root(), 'errors.json');
    writeFileSync(file, JSON.stringify(rows));
    imported = (await vscode.commands.executeCommand<string>('distillery.importCases', vscode.Uri.file(file)))!;
  });
  suiteTeardown(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(imported, { recursive: true, force: true });
  });

  test('an imported case is a read-only document, with its first wrong step in the Problems panel', async () => {
    const document = await openCase({ run: imported, problemId: 'bridge-1' });
    assert.equal(document.languageId, 'reasoning-chain');
    assert.match(document.getText(), /^## Case bridge-1: arithmetic slip\nQuestion: Six boxes/);
    const [found] = await until('a diagnostic', () => {
      const all = vscode.languages.getDiagnostics(document.uri);
      return all.length > 0 ? all : undefined;
    });
    assert.equal(found.message, '6 * 4 is 24, not 26');
    assert.equal(document.getText(found.range), '6 * 4 = 26');
    await vscode.commands.executeCommand('type', { text: 'x' });
    assert.equal(document.isDirty, false);
  });

  test("an open case's finding is there once, whether the run's cases are listed or not", async () => {
    const { uri } = await openCase({ run: imported, problemId: 'bridge-1' });
    const listed = () =>
      vscode.languages.getDiagnostics().filter(([one, found]) => one.query.includes(imported) && found.length > 0)
        .length;
    const findings = () => vscode.languages.getDiagnostics(uri).length;
    const settings = vscode.workspace.getConfiguration('distillery');
    try {
      await until('all cases', () => (listed() === 3 && findings() === 1 ? true : undefined));
      await settings.update('cases.inProblems', 'none', vscode.ConfigurationTarget.Workspace);
      await until('the open one alone', () => (listed() === 1 && findings() === 1 ? true : undefined));
      await settings.update('cases.inProblems', 'all', vscode.ConfigurationTarget.Workspace);
      await until('all cases again', () => (listed() === 3 && findings() === 1 ? true : undefined));
    } finally {
      await settings.update('cases.inProblems', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  test('every case of the run is in the Problems panel, and goes with the run', async () => {
    const named = () =>
      vscode.languages
        .getDiagnostics()
        .filter(
          ([{ scheme, query }, found]) => scheme === 'distillery-case' && query.includes(imported) && found.length > 0,
        );
    await until('three cases', () => (named().length === 3 ? true : undefined));
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    const aside = join(root(), 'aside');
    renameSync(imported, aside);
    await until('no case of a deleted run', () => (named().length === 0 ? true : undefined));
    renameSync(aside, imported);
    await until('the cases again', () => (named().length === 3 ? true : undefined), 20_000);
  });

  test('a newer run replaces one that is not being read, and never one that was chosen', async () => {
    const known: Record<string, number> = { older: 2 };
    const changed = new vscode.EventEmitter<ReadonlySet<string>>();
    const index = {
      list: () =>
        Object.keys(known)
          .reverse()
          .map((folder) => ({ folder })),
      cache: { failureCount: (run: string) => known[run] ?? 0 },
      onDidChange: changed.event,
    } as unknown as RunIndex;
    const kept = new Map<string, unknown>();
    const state = {
      get: (key: string) => kept.get(key),
      update: async (key: string, value: unknown) => void kept.set(key, value),
    } as unknown as vscode.Memento;
    const shown = new ShownCases(state, index);
    let told = 0;
    shown.onDidChange(() => told++);
    const now = () => [shown.run, shown.newer, told];

    shown.hold('older');
    assert.deepEqual(now(), ['older', undefined, 0]);
    known.newer = 1;
    changed.fire(new Set(['newer']));
    assert.deepEqual(now(), ['older', 'newer', 1]);
    shown.hold(undefined);
    assert.deepEqual(now(), ['newer', undefined, 2]);
    await shown.choose('older');
    assert.deepEqual(now(), ['older', undefined, 3]);
    delete known.older;
    changed.fire(new Set());
    assert.deepEqual(now(), ['newer', undefined, 4]);
    shown.dispose();
    changed.dispose();
  });

  test('steps are folded and listed', async () => {
    const { uri } = await openCase({ run: imported, problemId: 'bridge-2' });
    const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>(
      'vscode.executeDocumentSymbolProvider',
      uri,
    );
    assert.deepEqual(
      symbols.map(({ name, children }) => [name, children.length]),
      [
        ['Case bridge-2', 2],
        ['Student', 3],
        ['Teacher', 4],
      ],
    );
    const folds = await vscode.commands.executeCommand<vscode.FoldingRange[]>(
      'vscode.executeFoldingRangeProvider',
      uri,
    );
    assert.ok(folds.length >= 3);
  });

  test('the hover on a wrong step has the whole step of the teacher', async () => {
    const document = await openCase({ run: imported, problemId: 'bridge-2' });
    const at = document.positionAt(document.getText().indexOf('6 + 4') + 2);
    const text = await hoverText(document.uri, at);
    assert.match(text, /The teacher at this step/);
    assert.match(text, /Step 1: 6 \* 4 = 24 pens\./);
  });

  test('a rewrite is written, refused while wrong, accepted when saved, rejected, and the case follows', async () => {
    const reference = { run: imported, problemId: 'bridge-2' };
    const shown = await openCase(reference);
    assert.ok((await lenses(shown)).some(({ title }) => title.includes('Compare with Teacher')));
    await vscode.commands.executeCommand('distillery.editRewrite', reference);
    const editor = vscode.window.activeTextEditor!;
    const { document } = editor;
    assert.match(document.uri.path, /bridge-2\.rewrite\.chain$/);
    const back = (await lenses(document)).find(({ title }) => title.includes('Back to the Case'))!;
    await vscode.commands.executeCommand(back.command.command, ...back.command.arguments!);
    const open = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ input }) => input));
    const copies = open.filter((one) => one instanceof vscode.TabInputText && one.uri.toString() === `${shown.uri}`);
    assert.equal(copies.length, 1, 'the case is shown where it was');
    await vscode.window.showTextDocument(document, editor.viewColumn);
    const write = (text: string) =>
      editor.edit((edit) => edit.replace(new vscode.Range(0, 0, document.lineCount, 0), text));
    await write('Step 1: 6 * 4 - 5 = 18\nAnswer: 18\n');
    await until('what is wrong with it', () =>
      vscode.languages.getDiagnostics(document.uri).some(({ message }) => message === '18 is wrong: the answer is 19'),
    );
    assert.equal(await document.save(), false);
    assert.equal(decisionsOf(readDecisions(imported)).rewrites.size, 0);

    const text = 'Step 1: 6 * 4 - 5 = 19\nAnswer: 19';
    await write(`${text}\n`);
    assert.equal(await document.save(), true);
    const [decided] = decisionsOf(readDecisions(imported)).rewrites.get('bridge-2')!;
    assert.deepEqual([decided.verdict, decided.text, decided.provenance.from], ['edited', text, 'person']);
    await until('the rewrite in the case', () => shown.getText().includes('## Rewrite: written by hand, accepted'));

    const reject = (await lenses(shown)).find(({ title }) => title.includes('Reject'))!;
    await vscode.commands.executeCommand(reject.command.command, ...reject.command.arguments!);
    assert.equal(decisionsOf(readDecisions(imported)).rewrites.get('bridge-2')![0].verdict, 'rejected');
    await until('the verdict in the case', () => shown.getText().includes('## Rewrite: rejected by hand'));
  });

  test('cases are added to Stage 3, and removed again', async () => {
    await vscode.commands.executeCommand('distillery.addToStage3', {
      run: imported,
      problemIds: ['bridge-1', 'bridge-3'],
    });
    assert.deepEqual([...decisionsOf(readDecisions(imported)).picked.keys()], ['bridge-1', 'bridge-3']);
    const document = await openCase({ run: imported, problemId: 'bridge-3' });
    await until('the addition in the case', () => document.getText().includes('truncated, added to Stage 3'));
    await vscode.commands.executeCommand('distillery.removeFromStage3', { run: imported, problemId: 'bridge-3' });
    assert.deepEqual([...decisionsOf(readDecisions(imported)).picked.keys()], ['bridge-1']);
  });

  test('a list of cases is walked, marked, noted, read and exported', async () => {
    const call = vscode.commands.executeCommand;
    await call('distillery.showFailures', { run: imported });
    const first = { run: imported, problemId: 'bridge-1' };
    await openCase(first);
    const active = () => JSON.parse(vscode.window.activeTextEditor!.document.uri.query).problemId as string;
    await call('distillery.nextCase', first);
    const next = active();
    assert.notEqual(next, 'bridge-1');
    await call('distillery.previousCase');
    assert.equal(active(), 'bridge-1');

    const document = await openCase({ run: imported, problemId: 'bridge-2' });
    await call('distillery.markFirstWrongStep', { run: imported, problemId: 'bridge-2' }, 0);
    await call('distillery.noteCase', { run: imported, problemId: 'bridge-2' }, 'odd wording');
    await call('distillery.markRead', { run: imported, problemId: 'bridge-2' });
    await until('the note in the case', () => document.getText().includes('Note: odd wording'));
    const { steps, notes, read } = decisionsOf(readDecisions(imported));
    const question = 'Six boxes hold 4 pens each. Ann takes 5 pens. How many are left?';
    assert.deepEqual(steps.get('bridge-2'), { question, sample: 0, step: 0, text: '6 + 4 = 10.' });
    assert.deepEqual([notes.get('bridge-2'), read.has('bridge-2')], ['odd wording', true]);
    await call('distillery.markFirstWrongStep', { run: imported, problemId: 'bridge-2' }, null);
    assert.equal(decisionsOf(readDecisions(imported)).steps.size, 0);

    await call('distillery.filterFailures', 'is:read');
    const file = join(root(), 'exported.jsonl');
    await call('distillery.exportCases', file);
    await call('distillery.clearFailuresFilter');
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)).map(({ problemId, decisions: { note, read } }) => [problemId, note, read]),
      [['bridge-2', 'odd wording', true]],
    );
    await call('distillery.exportCases', join(root(), 'exported.md'));
    assert.match(readFileSync(join(root(), 'exported.md'), 'utf8'), /^## bridge-1\n[\s\S]*^Note: odd wording$/m);
  });

  test("a run's own cases open, each of its answers, and a completion with its tokens' facts", async () => {
    const run = listRuns(runs()).find((one) => one.folder !== imported)!.folder;
    const failure: FailureRecord = readFailures(run)[0];
    const { problemId } = failure;
    const first = await openCase({ run, problemId });
    assert.match(first.getText(), /## Student: sample \d of \d/);
    const rollouts = join(run, 'rollouts', 'rewrite', '1.jsonl');
    const rollout = JSON.parse(readFileSync(rollouts, 'utf8').split('\n', 1)[0]);
    const document = await openCase({
      run,
      problemId: rollout.problemId,
      stage: 'rewrite',
      step: 1,
      sample: rollout.sample,
    });
    assert.match(document.getText(), /## Student: Stage 3, update 1, completion \d/);
    const lines = document.getText().split('\n');
    const heading = lines.findIndex((line) => line.startsWith('## Student'));
    const ask = (line: number) => hoverText(document.uri, new vscode.Position(line, 0));
    assert.match(await ask(heading + 1), /log-prob -\d+\.\d{3}/);
    const reward = await ask(heading);
    assert.match(reward, /reward.*advantage/);
    assert.match(reward, /correctness +-?\d.* = 1 × /);
  });

  test('commands from the palette mean the rewrite at the cursor, and ask where there is none', async () => {
    const run = listRuns(runs()).find((one) => one.folder !== imported)!.folder;
    const { problemId } = readFailures(run).find(
      (failure) => new Set(ofProblem(run, failure.problemId).map(({ text }) => text)).size > 2,
    )!;
    const document = await openCase({ run, problemId });
    const editor = vscode.window.activeTextEditor!;
    const placeOf = (n: number) => document.positionAt(document.getText().indexOf(`## Rewrite ${n} of`));
    const put = (at: vscode.Position) => {
      editor.selection = new vscode.Selection(at, at);
    };
    const decided = () => decisionsOf(readDecisions(run)).rewrites.get(problemId) ?? [];
    const edits = (await lenses(document)).filter(({ command }) => command.command === 'distillery.editRewrite');
    const textOf = (n: number): string =>
      edits.find(({ line, command }) => line === placeOf(n).line && command.arguments!.length > 1)!.command
        .arguments![1];
    const [second, third] = [textOf(2), textOf(3)];
    try {
      put(placeOf(3).translate(1));
      await vscode.commands.executeCommand('distillery.editRewrite');
      const edited = vscode.window.activeTextEditor!.document;
      assert.match(edited.uri.path, /\.rewrite\.chain$/);
      assert.equal(edited.getText().trimEnd(), third.trimEnd());
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');

      await vscode.window.showTextDocument(document, editor.viewColumn);
      put(placeOf(2));
      await vscode.commands.executeCommand('distillery.rejectRewrite');
      assert.deepEqual(
        decided().map(({ text, verdict }) => [text, verdict]),
        [[second, 'rejected']],
      );
      await until('the verdict in the case', () => document.getText().includes('rejected by hand'));

      put(new vscode.Position(0, 0));
      const asked = vscode.commands.executeCommand('distillery.rejectRewrite');
      await ending(asked, 'workbench.action.closeQuickOpen');
      assert.equal(decided().length, 1);
    } finally {
      rmSync(join(run, 'decisions.jsonl'), { force: true });
      await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    }
  });

  test('a case of a problem that is in no run reports it', async () => {
    const uri = vscode.Uri.from({
      scheme: 'distillery-case',
      path: '/x/none.chain',
      query: JSON.stringify({ run: imported, problemId: 'none' }),
    });
    await assert.rejects(async () => vscode.workspace.openTextDocument(uri), /does not have a problem "none"/);
  });

  test("a dataset's lines show the student's results", async () => {
    const file = join(root(), 'data', 'sums.chains.jsonl');
    const [start] = await lenses(await vscode.workspace.openTextDocument(file));
    assert.match(start.title, /New Experiment With These Chains/);
    assert.equal((start.command.arguments![0] as vscode.Uri).fsPath, file);
    const run = join(runs(), '20990101-000000-sums');
    mkdirSync(join(run, 'evaluations'), { recursive: true });
    try {
      const record = { ...JSON.parse(readFileSync(join(imported, 'run.json'), 'utf8')), id: 'sums', name: 'sums' };
      const data = { train: { format: 'chains', path: file }, test: { format: 'chains', path: file } };
      const answer = { text: 'Answer: 6', finished: true, tokens: 4, lenientCorrect: false };
      const answers = [
        { seq: 1, problemId: 'sum-1', gold: '5', answer: '6', correct: false, ...answer },
        { seq: 2, problemId: 'sum-2', gold: '13', answer: '13', correct: true, ...answer },
      ];
      writeFileSync(join(run, 'config.json'), JSON.stringify({ experiment: { data } }));
      writeFileSync(join(run, 'evaluations', 'base.jsonl'), answers.map((one) => `${JSON.stringify(one)}\n`).join(''));
      writeFileSync(join(run, 'run.json'), JSON.stringify(record));
      const document = await vscode.workspace.openTextDocument(file);
      await vscode.window.showTextDocument(document);
      const found = await until('a lens', async () => {
        const all = (await lenses(document)).filter(({ title }) => title.includes('Open case'));
        return all.length > 0 ? all : undefined;
      });
      assert.deepEqual(
        found.map(({ title, line }) => [title, line]),
        [['$(error)\u00a0Open case sum-1', 0]],
      );
      const { command } = found[0];
      await vscode.commands.executeCommand(command.command, ...command.arguments!);
      const text = vscode.window.activeTextEditor!.document.getText();
      assert.match(text, /Question: What is 2 \+ 3\?/);
      assert.match(text, /## Student: sample 1, 4 tokens, 6 is wrong/);
    } finally {
      rmSync(run, { recursive: true, force: true });
    }
  });
});
