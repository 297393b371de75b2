import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { readFailures } from '../../../src/runs/reading';
import { ending } from '../ending';
import { until } from '../until';

suite('Chain diff', () => {
  const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;
  const runs = () => join(root(), '.distillery', 'runs');
  const run = () => {
    const name = readdirSync(runs()).find((one) => /-tiny$/.test(one));
    assert.ok(name, 'the workspace has a run of the tiny experiment');
    return join(runs(), name);
  };
  const tabs = () =>
    vscode.window.tabGroups.all
      .flatMap((group) => group.tabs)
      .filter(
        ({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith('distillery.chain-diff'),
      );

  teardown(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  test('opens a problem of a run, and reuses the page', async () => {
    const [first, second] = readFailures(run());
    await vscode.commands.executeCommand('distillery.compareChains', { run: run(), problemId: first.problemId });
    await until('the page', () => tabs().length === 1);
    assert.match(tabs()[0].label, new RegExp(first.problemId));
    await vscode.commands.executeCommand('distillery.compareChains', { run: run(), problemId: second.problemId });
    await until('its other title', () => tabs()[0]?.label.includes(second.problemId) ?? false);
    assert.equal(tabs().length, 1);
  });

  test('accepts the arguments of trees and of the dashboard', async () => {
    const { problemId } = readFailures(run())[0];
    const node = { run: run(), problemId, stage: 'complete', step: 1, sample: 0, label: 'a node of a tree' };
    await vscode.commands.executeCommand('distillery.compareChains', node);
    await until('the page', () => tabs().length === 1);
  });

  test('does not open when its question is dismissed', async () => {
    const asked = vscode.commands.executeCommand('distillery.compareChains', { run: run() });
    await ending(asked, 'workbench.action.closeQuickOpen');
    assert.equal(tabs().length, 0);
  });
});
