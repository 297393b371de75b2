import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { until } from '../until';

const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;
const file = (name: string) => vscode.Uri.file(join(root(), name));

async function open(name: string, marked: string): Promise<{ document: vscode.TextDocument; at: vscode.Position }> {
  const offset = marked.indexOf('|');
  writeFileSync(file(name).fsPath, marked.replace('|', ''));
  const document = await vscode.workspace.openTextDocument(file(name));
  if (document.getText() !== marked.replace('|', '')) await replaceAll(document, marked.replace('|', ''));
  await vscode.window.showTextDocument(document);
  return { document, at: document.positionAt(Math.max(0, offset)) };
}

async function replaceAll(document: vscode.TextDocument, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(0, 0, document.lineCount, 0), text);
  await vscode.workspace.applyEdit(edit);
}

async function labelsAt({ document, at }: { document: vscode.TextDocument; at: vscode.Position }): Promise<string[]> {
  const { items } = await vscode.commands.executeCommand<vscode.CompletionList>(
    'vscode.executeCompletionItemProvider',
    document.uri,
    at,
  );
  return items.map(({ label }) => (typeof label === 'string' ? label : label.label));
}

const problems = (uri: vscode.Uri, source?: string) =>
  vscode.languages.getDiagnostics(uri).filter((one) => source === undefined || one.source === source);

async function fixes(document: vscode.TextDocument, range: vscode.Range): Promise<vscode.CodeAction[]> {
  return vscode.commands.executeCommand('vscode.executeCodeActionProvider', document.uri, range, 'quickfix');
}

async function apply(action: vscode.CodeAction): Promise<void> {
  if (action.edit) await vscode.workspace.applyEdit(action.edit);
  if (action.command) await vscode.commands.executeCommand(action.command.command, ...(action.command.arguments ?? []));
}

suite('Rewards and experiments in the editor', () => {
  suiteSetup(() => vscode.extensions.getExtension('distillery.distillery')!.activate());
  suiteTeardown(async () => {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    for (const name of ['tried.reward.json', 'short.reward.json', 'tried.distillery.json', 'made.reward.json'])
      rmSync(file(name).fsPath, { force: true });
  });

  test('completion in a reward offers the components', async () => {
    const place = await open('tried.reward.json', '{ "components": [{ "use": "|" }] }');
    const labels = await until('components', async () => {
      const found = await labelsAt(place);
      return found.some((label) => label.includes('brevity')) ? found : undefined;
    });
    for (const name of ['correctness', 'format', 'brevity', 'stepValidity', 'softOverlong'])
      assert.ok(labels.includes(`"${name}"`), `${name} in ${labels}`);
  });

  test('completion in a gate offers the other components of the file', async () => {
    const text =
      '{ "components": [{ "use": "correctness" }, { "use": "format", "name": "form" }, { "use": "brevity", "gate": "|" }] }';
    const labels = await labelsAt(await open('tried.reward.json', text));
    assert.ok(labels.includes('correctness') && labels.includes('form'), String(labels));
    assert.ok(!labels.includes('brevity'));
  });

  test('hovers say what a setting means, and its default', async () => {
    const { document, at } = await open(
      'tried.reward.json',
      '{ "components": [{ "use": "correctness", "we|ight": 1 }] }',
    );
    const text = await until('a hover', async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        at,
      );
      const said = hovers.flatMap(({ contents }) => contents.map((one) => (typeof one === 'string' ? one : one.value)));
      return said.length > 0 ? said.join('\n') : undefined;
    });
    assert.match(text, /Factor of the value in the sum/);
    assert.match(text, /Default: `1`/);
  });

  test('weights that are all zero are a problem with a fix', async () => {
    const components = '{ "use": "correctness", "weight": 0 }, { "use": "grounded", "weight": 0 }';
    const { document } = await open('tried.reward.json', `{ "components": [${components}] }`);
    // The file may be open with the text of an earlier test, whose problems are replaced soon.
    const problem = await until('the problem', () =>
      problems(document.uri, 'Distillery').find(({ message }) => message.includes('All weights are 0')),
    );
    const [fix] = await fixes(document, problem.range);
    assert.equal(fix.title, 'Give "correctness" the weight 1');
    await apply(fix);
    assert.match(document.getText(), /"weight": 1 /);
    await until('no problem', () => (problems(document.uri).length === 0 ? true : undefined));
  });

  test('a finding of the JSON schema is reported once, with a fix', async () => {
    const { document } = await open('tried.reward.json', '{ "components": [{ "use": "correctness", "wieght": 2 }] }');
    const found = await until('a problem', () => {
      const all = problems(document.uri);
      return all.length > 0 ? all : undefined;
    });
    await new Promise((resolve) => setTimeout(resolve, 1000)); // would a second voice join in?
    assert.equal(problems(document.uri).length, 1, found.map(({ message }) => message).join('; '));
    const fix = (await fixes(document, found[0].range)).find(({ title }) => title === 'Change to "weight"');
    await apply(fix!);
    assert.match(document.getText(), /"weight": 2/);
  });

  test('an experiment names files of the workspace; one that is missing can be made', async () => {
    const text = (reward: string) =>
      `{ "name": "tried", "student": { "path": "student" }, "data": { "validation": 1,
        "train": { "format": "chains", "path": "data/sums.chains.jsonl", "count": 2 },
        "test": { "format": "chains", "path": "data/sums.chains.jsonl", "start": 2 } },
        "stages": { "complete": { "reward": "${reward}" } } }`;
    const place = await open('tried.distillery.json', text('|'));
    const labels = await labelsAt(place);
    assert.ok(labels.includes('accuracy.reward.json'), String(labels));
    assert.ok(labels.includes('"bridge-stage2"'), String(labels));

    const { document } = await open('tried.distillery.json', text('made.reward.json'));
    await replaceAll(document, text('made.reward.json'));
    const problem = await until('a missing file', () =>
      problems(document.uri, 'Distillery').find(({ message }) => message.includes('made.reward.json')),
    );
    assert.equal(document.getText(problem.range), '"made.reward.json"');
    await apply((await fixes(document, problem.range)).find(({ title }) => title === 'Create made.reward.json')!);
    const left = await until('one problem less', () => {
      const found = problems(document.uri, 'Distillery').map(({ message }) => message);
      return found.some((message) => message.includes('made.reward.json')) ? undefined : found;
    });
    assert.equal(left.length, 1);
    assert.match(left[0], /^This student has only [\d,]+ parameters/);

    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      document.uri,
    );
    const targets = links.map(({ target }) => vscode.workspace.asRelativePath(target!));
    assert.deepEqual(targets.sort(), [
      'data/sums.chains.jsonl',
      'data/sums.chains.jsonl',
      'made.reward.json',
      'student/config.json',
    ]);
  });

  test('lenses of an experiment run it and its stages', async () => {
    const [uri] = await vscode.workspace.findFiles('tiny.distillery.json');
    await vscode.workspace.openTextDocument(uri);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri);
    const commands = lenses.map(({ command }) => command!.command);
    for (const name of ['runCurriculum', 'runStage1', 'runStage2', 'runStage3', 'previewMasking'])
      assert.ok(commands.includes(`distillery.${name}`), name);
  });

  test('a reward is tried on recorded completions, again as it is edited', async () => {
    const { document } = await open('short.reward.json', '{ "components": [{ "use": "correctness" }] }');
    await vscode.commands.executeCommand('distillery.scoreRollouts', document.uri);
    const scores = await until('scores', () =>
      vscode.workspace.textDocuments.find(({ uri }) => uri.scheme === 'distillery-scores'),
    );
    assert.match(scores.getText(), /^short\.reward\.json: \d+ completions, \d+ groups?\n/);
    assert.match(scores.getText(), /\n {2}total .*100 %/);
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>('vscode.executeLinkProvider', scores.uri);
    assert.ok(links.length > 0);
    assert.match(links[0].target!.toString(true), /^command:distillery\.compareChains\?/);

    await replaceAll(document, '{ "components": [{ "use": "correctness" }, { "use": "repetition", "weight": 3 }] }');
    await until('the new component', () => (/\n {2}repetition /.test(scores.getText()) ? true : undefined));
    await replaceAll(document, '{ "components": [{ "use": "correctness" }, { "use": "repetition", "weight": "3" }] }');
    await until('why it stays', () =>
      /! line 1: .*Showing the last valid version/.test(scores.getText()) ? true : undefined,
    );
    const module = vscode.Uri.joinPath(document.uri, '../length.mjs');
    await vscode.workspace.fs.writeFile(module, Buffer.from('export default ({ text }) => text.length;'));
    await replaceAll(document, '{ "components": [{ "use": "correctness" }, { "use": "./length.mjs" }] }');
    await until('values of a reward in code', () => (/\n {2}length .* new /.test(scores.getText()) ? true : undefined));
    await vscode.workspace.fs.delete(module);
    await replaceAll(document, '{ "components": [{ "use": "correctness" }] }');
  });
});
