import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expand, lens, option, quickInput, showContainer, toast, treeItems } from '../../../scripts/workbench/page';
import { livingIn } from '../../../scripts/workbench/server';
import { readFailures } from '../../../src/runs/reading';
import { keepPictures, openSession, type Session } from './session';

suite('Restricted Mode', () => {
  let session: Session;
  suiteSetup(async () => {
    session = await openSession({ trust: true, settings: { 'security.workspace.trust.startupPrompt': 'never' } });
  });
  teardown(function () {
    return keepPictures(session, this.currentTest);
  });
  suiteTeardown(() => session?.close());

  test('runs and failure cases can be read', async () => {
    const { page } = session;
    await page.locator('.statusbar-item', { hasText: 'Restricted Mode' }).waitFor();
    await showContainer(page, 'Distillery');
    await expand(page, 'Runs', /^tiny/);
    await treeItems(page, 'Runs')
      .filter({ hasText: /Stage 3|Stage 2|ago|just now/ })
      .first()
      .waitFor();
    await treeItems(page, 'Failure Cases').first().waitFor();
  });

  test('nothing that starts a host is offered, and none runs', async () => {
    const { page } = session;
    await page.keyboard.press('F1');
    for (const title of ['Run Stage 2', 'Run Curriculum', 'Evaluate Checkpoint', 'Ask Student']) {
      await quickInput(page).fill(`>Distillery: ${title}`);
      await option(page, /./).first().waitFor();
      assert.equal(await option(page, `Distillery: ${title}`).count(), 0, title);
    }
    await page.keyboard.press('Escape');
    assert.deepEqual(livingIn(session.server.home, '/dist/host.js'), []);
  });

  test('a decision is refused, with the way to trust, and nothing is written', async () => {
    const { page, folder } = session;
    const victim = join(folder, '..', 'victim');
    const [run] = readdirSync(join(folder, '.distillery', 'runs')).map((id) => join(folder, '.distillery', 'runs', id));
    rmSync(join(run, 'decisions.jsonl'), { force: true });
    symlinkSync(victim, join(run, 'decisions.jsonl'));
    await expand(page, 'Failure Cases', /./);
    await treeItems(page, 'Failure Cases')
      .filter({ hasText: readFailures(run)[0].problemId })
      .first()
      .click();
    await lens(page, 'Add to Stage 3').click();
    const refusal = toast(page, 'does not start or write anything in Restricted Mode');
    await refusal.getByRole('button', { name: 'Manage Workspace Trust' }).click();
    await page.getByText('You are in Restricted Mode').waitFor();
    assert.ok(!existsSync(victim));
  });

  test('the browser asked no outside host', () => assert.deepEqual(session.outside, []));
});
