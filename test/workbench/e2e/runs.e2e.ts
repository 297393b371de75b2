import assert from 'node:assert/strict';
import { basename } from 'node:path';
import type { Page } from 'playwright-core';
import {
  expand,
  option,
  pick,
  runCommand,
  showContainer,
  toast,
  treeItems,
  webview,
} from '../../../scripts/workbench/page';
import { processesUsing } from '../../../scripts/workbench/server';
import { runsOf } from '../workspace';
import { openSession, type Session, sharedSession, skipAfterFailure } from './session';

suite('Runs from the window', () => {
  let session: Session;
  sharedSession(async () => (session = await openSession()));
  skipAfterFailure(() => session);

  /** Process ids of the session's training hosts. */
  const hosts = () => processesUsing(session.server.home, '/dist/host.js');
  const status = (page: Page) => page.locator('.statusbar-item', { hasText: /Stage 2 \d+\/100000/ });
  const update = async (page: Page) => Number(/(\d+)\/100000/.exec(await status(page).innerText())![1]);
  const startLong = async () => {
    await runCommand(session.page, 'Distillery: Run Stage 2');
    await pick(session.page, 'long');
  };

  test('Run Stage 2 from the palette trains to the end, and the tree shows it', async () => {
    const { page } = session;
    await showContainer(page, 'Distillery');
    await runCommand(page, 'Distillery: Run Stage 2');
    await pick(page, 'tiny');
    await pick(page, 'Base student');
    await toast(page, /tiny, .* is finished\. .*Stage 2/).waitFor({ timeout: 120_000 });
    await expand(page, 'Runs', /^tiny/);
    const runs = page.getByRole('tree', { name: 'Runs' }).locator('[role=treeitem][aria-level="2"]');
    await runs.nth(1).waitFor();
    assert.equal(await runs.count(), 2, 'the run that was there, and the new one');
    assert.equal(runsOf(session.folder).length, 2);
    assert.equal(hosts().length, 1);
  });

  test('the dashboard has opened on the run', async () => {
    await session.page.locator('.tab.active', { hasText: 'tiny' }).waitFor();
    await webview(session.page).getByText('Stage 2').first().waitFor();
  });

  test('a run continues while the window reloads, and is found again', async () => {
    await startLong();
    await status(session.page).waitFor();
    const [host] = hosts();
    const before = await update(session.page);
    await session.reload();
    await status(session.page).waitFor();
    assert.deepEqual(hosts(), [host]);
    assert.ok((await update(session.page)) >= before);
  });

  test('another window sees the same run', async () => {
    const other = await session.openWindow();
    await status(other).waitFor();
    await other.close();
    assert.equal(hosts().length, 1);
  });

  test('Pause pauses the run, and Resume continues it', async () => {
    const { page } = session;
    await runCommand(page, 'Distillery: Pause');
    const paused = page.locator('.statusbar-item', { hasText: /Stage 2 \d+\/100000 paused/ });
    await paused.waitFor();
    const at = await update(page);
    await runCommand(page, 'Distillery: Resume');
    await paused.waitFor({ state: 'hidden' });
    assert.ok((await update(page)) >= at);
  });

  test('a host that is killed is reported, and its run resumes', async () => {
    const { page } = session;
    const [host] = hosts();
    process.kill(host, 'SIGKILL');
    const told = toast(page, /is interrupted/);
    await told.waitFor();
    await told.getByRole('button', { name: 'Resume' }).click();
    await status(page).waitFor({ timeout: 120_000 });
    assert.notDeepEqual(hosts(), [host]);
  });

  test('Stop ends the run with a checkpoint', async () => {
    const { page } = session;
    await runCommand(page, 'Distillery: Stop');
    await showContainer(page, 'Distillery');
    await expand(page, 'Runs', /^long/);
    await treeItems(page, 'Runs')
      .filter({ hasText: /stopped/ })
      .first()
      .waitFor();
  });

  test('an archived run leaves the tree, and comes back when it is restored', async () => {
    const { page, folder } = session;
    const runs = runsOf(folder);
    const name = basename(runs[0]);
    await runCommand(page, 'Distillery: Archive Run');
    await pick(page, name);
    await toast(page, /Moved to/).waitFor();
    assert.deepEqual(runsOf(folder), runs.slice(1));
    await runCommand(page, 'Distillery: Restore Archived Runs');
    const archived = option(page, name);
    await archived.click();
    await page.locator('.quick-input-widget .monaco-list-row[aria-checked=true]', { hasText: name }).waitFor();
    await page.keyboard.press('Enter');
    await archived.waitFor({ state: 'hidden' });
    assert.deepEqual(runsOf(folder), runs);
  });

  test('the browser asked no outside host', () => assert.deepEqual(session.outside, []));
});
