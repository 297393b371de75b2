/** The first click of a newcomer who has no folder open. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { showContainer, toast } from '../../../scripts/workbench/page';
import { openSession, type Session, sharedSession } from './session';

suite('A newcomer without a folder', () => {
  let session: Session;
  sharedSession(async () => (session = await openSession({ withRun: false, trust: true })));

  test('one click makes the built-in experiment, opens it, and offers the trust that it needs', async () => {
    const { page, server } = session;
    await page.goto(`http://${server.authority}/?ew=true`);
    await showContainer(page, 'Distillery');
    const first = page.locator('.welcome-view .monaco-button', { hasText: 'Try the Built-in Experiment' });
    await first.waitFor();
    assert.equal(await page.locator('.welcome-view .monaco-button:visible').count(), 1, 'one obvious first step');
    const loaded = page.waitForEvent('load');
    await first.click();
    await loaded;
    await page.locator('.tab', { hasText: 'arithmetic.distillery.json' }).waitFor();
    assert.ok(existsSync(join(server.home, 'distillery/arithmetic/arithmetic.distillery.json')));
    await toast(page, 'trust its folder').getByRole('button', { name: 'Manage Workspace Trust' }).waitFor();
  });
});
