/**
 * Names and texts of datasets, runs, rewards and files, through the extension's own providers: none becomes a link, an
 * icon or a control character.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Services } from '../../../src/extension/services';
import * as door from '../../../src/extension/vscode';
import { md } from '../../../src/extension/vscode/markdown';
import { tinyFile } from '../../cli/distillery';
import { until } from '../until';

const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;
const execute = vscode.commands.executeCommand;

const evil =
  '[Repair](command:workbench.action.files.newUntitledFile) $(bug) \u202e\u001b[2J\u009b![i](http://127.0.0.1:9/x)';
const evilName = '[Open](command:evil) $(bug)';

/** A line for people in which nothing acts; an icon of ours may stand before it. */
function assertInert(text: string | undefined): void {
  assert.ok(text);
  assertVisible(text);
  assert.doesNotMatch(text.replace(/^\$\([a-z-]+\)\s/, ''), /\]\(|\$\(|\n/);
}

function assertVisible(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them
  assert.doesNotMatch(text, /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
}

/** Markdown in which only the extension's own links are links. */
function assertPlain({ value, isTrusted, supportHtml }: vscode.MarkdownString): void {
  assertVisible(value);
  assert.ok(!supportHtml);
  const outsideCode = value.replace(/^(`{3,})[^\n]*\n[\s\S]*?\n\1$/gm, '');
  const links = outsideCode.match(/\]\([^)]*\)/g) ?? [];
  for (const link of links) assert.match(link, /^\]\(command:distillery\.openCase\?[^()]+\)$/);
  if (isTrusted) assert.deepEqual(isTrusted, { enabledCommands: ['distillery.openCase'] });
}

const lensesOf = async (uri: vscode.Uri) =>
  (await execute<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri)).map(({ command }) => command!.title);

suite('Hostile text', () => {
  let services: Services;
  let run: string;
  const problemId = `id ${evil} 0`;
  const data = () => join(root(), 'data', `${evilName}.chains.jsonl`);
  const experiment = () => join(root(), `${evilName}.distillery.json`);
  const reward = () => join(root(), `${evilName}.reward.json`);

  suiteSetup(async () => {
    services = await vscode.extensions.getExtension<Services>('distillery.distillery')!.activate();
    await services.runs.ready;
    const rows = [0, 1, 2].map((i) => ({
      id: `id ${evil} ${i}`,
      question: `What is ${i} + 3? ${evil}`,
      answer: `${i + 3}`,
      chain: `Step 1: ${i} + 3 = ${i + 3} ${evil}\nAnswer: ${i + 3}`,
    }));
    writeFileSync(data(), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    writeFileSync(reward(), JSON.stringify({ components: [{ use: evil }] }));
    const missing = { format: 'chains', path: `missing ${evil}` };
    const file = tinyFile({ student: { path: evilName }, data: { train: missing, test: missing } } as object);
    writeFileSync(experiment(), JSON.stringify(file, null, 2));
    const [{ folder: first }] = services.runs.list();
    run = join(first, '..', `20200101-000000-${evilName.replace('/', '')}`);
    cpSync(first, run, { recursive: true });
    const rewrite = (name: string, change: (text: string) => string) =>
      writeFileSync(join(run, name), change(readFileSync(join(run, name), 'utf8')));
    const text = `Step 1: 0 + 3 = 4 ${evil}\nAnswer: 4 ${evil}`;
    const sample = { text, answer: `4 ${evil}`, correct: false, finished: true, tokens: 12 };
    const failure = {
      seq: 1,
      problemId,
      question: rows[0].question,
      answer: '3',
      samples: [sample],
      source: evil,
      category: evil,
      firstWrongStep: { sample: 0, step: 0, text: `0 + 3 = 4 ${evil}`, reason: evil },
      teacherChain: rows[0].chain,
    };
    rewrite('failures.jsonl', () => `${JSON.stringify(failure)}\n`);
    rewrite('run.json', (json) => JSON.stringify({ ...JSON.parse(json), name: evil, reason: evil, state: 'failed' }));
    rewrite('config.json', (json) => {
      const config = JSON.parse(json);
      config.experiment.data.train = { format: 'chains', path: data(), start: 0 };
      return JSON.stringify(config);
    });
    services.runs.refresh();
    await until('the run', () => services.runs.list().find(({ folder }) => folder === run));
  });
  suiteTeardown(async () => {
    await execute('workbench.action.closeAllEditors');
    for (const path of [data(), experiment(), reward(), run]) rmSync(path, { recursive: true, force: true });
    services.runs.refresh();
  });

  test('a case: its name, lenses, hovers, outline and problems', async () => {
    await execute('distillery.openCase', { run, problemId });
    const { document } = vscode.window.activeTextEditor!;
    assert.equal(document.uri.scheme, 'distillery-case');
    assertVisible(document.uri.path);
    const lenses = await lensesOf(document.uri);
    assert.ok(lenses.length > 2);
    lenses.forEach(assertInert);
    const symbols = await execute<vscode.DocumentSymbol[]>('vscode.executeDocumentSymbolProvider', document.uri);
    const all = symbols.flatMap((one) => [one, ...one.children]);
    assert.ok(all.some(({ name, detail }) => `${name} ${detail}`.includes('[Repair] (command')));
    for (const { name, detail } of all) for (const text of [name, detail]) if (text) assertInert(text);
    let seen = 0;
    for (let i = 0; i < document.getText().length; i += 5) {
      const at = document.positionAt(i);
      for (const { contents } of await execute<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, at))
        for (const content of contents) {
          seen++;
          assertPlain(content as vscode.MarkdownString);
        }
    }
    assert.ok(seen > 0);
    const problems = await until('problems', () => {
      const found = vscode.languages.getDiagnostics(document.uri);
      return found.length > 0 ? found : undefined;
    });
    for (const { message } of problems) assertVisible(message);
  });

  test('a dataset: lenses at its lines', async () => {
    const document = await vscode.workspace.openTextDocument(data());
    await vscode.window.showTextDocument(document);
    const lenses = await until('the lens of a case', async () => {
      const found = await lensesOf(document.uri);
      return found.some((title) => title.includes('Open case')) ? found : undefined;
    });
    lenses.forEach(assertInert);
    assert.ok(
      lenses.some((title) => title.startsWith('$(error)\u00a0Open case id [Repair] (command:')),
      lenses.join('\n'),
    );
  });

  test('an experiment and a reward: problems, fixes, proposals', async () => {
    const fixesOf = async ({ uri }: vscode.TextDocument, range: vscode.Range) =>
      (await execute<vscode.CodeAction[]>('vscode.executeCodeActionProvider', uri, range)).map(({ title }) => title);
    const document = await vscode.workspace.openTextDocument(experiment());
    await vscode.window.showTextDocument(document);
    const own = () => vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === 'Distillery');
    const problems = await until('problems', () => (own().length > 0 ? own() : undefined));
    assert.ok(
      problems.some(({ message }) => message.includes('[Open](command')),
      problems.map(({ message }) => message).join('; '),
    );
    for (const { message, range } of problems) {
      assertVisible(message);
      (await fixesOf(document, range)).forEach(assertInert);
    }
    const at = document.positionAt(document.getText().indexOf('"missing') + 1);
    const { items } = await execute<vscode.CompletionList>('vscode.executeCompletionItemProvider', document.uri, at);
    const labels = items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    assertInert(labels.find((label) => label.includes('[Open]')));
    const config = await vscode.workspace.openTextDocument(reward());
    (await fixesOf(config, new vscode.Range(0, 0, 1, 0))).forEach(assertInert);
  });

  test('reports text that the editor cannot show, safely', async () => {
    mkdirSync(join(run, 'broken'));
    const gone = JSON.stringify({ run: join(run, 'broken'), problemId });
    const uri = vscode.Uri.from({ scheme: 'distillery-case', path: '/x.chain', query: gone });
    await assert.rejects(
      async () => vscode.workspace.fs.readFile(uri),
      ({ message }: Error) => {
        assertVisible(message);
        assert.doesNotMatch(message, /\]\(/);
        return true;
      },
    );
  });

  test('objects of the editor contain only inert text, whatever they are made from', () => {
    const range = new vscode.Range(0, 0, 0, 1);
    const item = new door.TreeItem(evil);
    door.setTexts(item, { description: evil, accessibilityInformation: { label: evil } });
    door.setTexts(item, { tooltip: door.markdown(md`**${evil}**`) });
    const lens = new door.CodeLens(0, { icon: 'bug', title: evil, command: 'x' });
    const controller = new door.TestController(`hostile.${Date.now()}`, evil);
    const test = controller.createTestItem('a', evil);
    door.setTexts(test, { description: evil, error: evil });
    const named = { name: evil, detail: evil, kind: vscode.SymbolKind.Array };
    const symbol = new door.DocumentSymbol(named, range, range);
    const proposal = new door.CompletionItem(evil, vscode.CompletionItemKind.File, evil);
    for (const text of [
      ...[item.label, item.description, lens.command?.title, test.label, test.description, String(test.error)],
      ...[symbol.name, symbol.detail, proposal.label, proposal.detail],
      new door.CodeAction(evil, vscode.CodeActionKind.QuickFix).title,
      new door.InlayHint(range.start, evil).label,
      new door.DocumentLink(range, vscode.Uri.file('/x'), evil).tooltip,
    ])
      assertInert(text);
    assertVisible(item.accessibilityInformation!.label);
    assertVisible(new door.Diagnostic(range, evil, vscode.DiagnosticSeverity.Error).message);
    assertVisible(new door.TestMessage(evil).message);
    assertPlain(item.tooltip!);
    for (const content of new door.Hover(md`${evil}`).contents) assertPlain(content);
    controller.dispose();
  });
});
