import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { listRuns } from '../../../src/runs/reading';
import { until } from '../until';

const runsFolder = () => join(vscode.workspace.workspaceFolders![0].uri.fsPath, '.distillery', 'runs');

const dashboards = () =>
  vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith('distillery.dashboard'));

suite('Dashboard', () => {
  let run = '';
  let copy = '';
  suiteSetup(async () => {
    await vscode.extensions.getExtension('distillery.distillery')!.activate();
    run = listRuns(runsFolder()).find((listing) => 'run' in listing && listing.run.record.state === 'finished')!.folder;
    copy = join(runsFolder(), 'copy-of-a-run');
    cpSync(run, copy, { recursive: true });
  });
  setup(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));
  suiteTeardown(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(copy, { recursive: true, force: true });
  });

  test('opens on a run, by its folder or a node of a tree, once', async () => {
    await vscode.commands.executeCommand('distillery.openDashboard', run);
    const tab = await until('a dashboard', () => dashboards()[0]);
    assert.match(tab.label, /^Dashboard: .*tiny/);
    await vscode.commands.executeCommand('distillery.openDashboard', { kind: 'run', run }, undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(dashboards().length, 1);
  });

  test('compares runs that are named or selected', async () => {
    await vscode.commands.executeCommand('distillery.compareRuns', [run, copy]);
    const tab = await until('a comparison', () => dashboards()[0]);
    assert.match(tab.label, /^Compare: tiny, .+; tiny, copy-of-a-run$/);
    await vscode.commands.executeCommand('distillery.compareRuns', { run: copy }, [{ run: copy }, { run }]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(dashboards().length, 1, 'the same runs are the same page');
  });

  test('means over seeds are a page of tables, which says which runs do not count', async () => {
    await vscode.commands.executeCommand('distillery.compareSeeds', [run, copy]);
    const uri = vscode.Uri.parse('distillery-comparison:/Runs over Seeds.md');
    const text = (await vscode.workspace.openTextDocument(uri)).getText();
    assert.match(text, /^\| A \| tiny \| \d+ \| 1 \|$/m);
    assert.match(text, /^\*\*Test results on \d+ problems\*\*$/m);
    assert.match(text, /^- .*: same settings and seed as .*, which counts$/m);
  });

  test('opens on a run that cannot be read, to say why', async () => {
    const broken = join(runsFolder(), 'broken-run');
    mkdirSync(broken);
    try {
      writeFileSync(join(broken, 'run.json'), '{"format": 99');
      await vscode.commands.executeCommand('distillery.openDashboard', broken);
      assert.match((await until('a dashboard', () => dashboards()[0])).label, /broken-run/);
    } finally {
      rmSync(broken, { recursive: true });
    }
  });
});
