import assert from 'node:assert/strict';
import * as vscode from 'vscode';

suite('Activation', () => {
  test('the extension activates by itself in a folder with an experiment', async () => {
    const extension = vscode.extensions.getExtension('distillery.distillery');
    assert.ok(extension);
    for (let waited = 0; !extension.isActive && waited < 10_000; waited += 50) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(extension.isActive, true);
  });

  test('experiments and rewards are JSON with comments', async () => {
    for (const name of ['tiny.distillery.json', 'accuracy.reward.json']) {
      const [file] = await vscode.workspace.findFiles(name);
      assert.equal((await vscode.workspace.openTextDocument(file)).languageId, 'jsonc');
    }
  });
});
