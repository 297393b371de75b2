import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  editor,
  expand,
  lens,
  openFile,
  option,
  quickInput,
  showContainer,
  toast,
  treeItems,
} from '../../../scripts/workbench/page';
import { processesUsing } from '../../../scripts/workbench/server';
import { readFailures } from '../../../src/runs/reading';
import { runsOf } from '../workspace';
import { keepPictures, openSession, type Session } from './session';
import { type Lure, mark, openLure, setTraps, stateOf } from './traps';

/** A hostile folder, opened by a person who does not trust it. */
suite('Restricted Mode', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'distillery-lure-'));
  let lure: Lure;
  let session: Session;
  let before: string[];
  suiteSetup(async () => {
    lure = await openLure(scratch);
    session = await openSession({
      trust: true,
      settings: { 'security.workspace.trust.startupPrompt': 'never' },
      env: { HF_ENDPOINT: lure.url },
      prepare(folder) {
        setTraps(folder, lure);
        // Git carries links: a decision would be written where this one leads.
        const decisions = join(runNamed(folder, 'tiny'), 'decisions.jsonl');
        rmSync(decisions, { force: true });
        symlinkSync(join(folder, '..', 'victim'), decisions);
        before = stateOf(join(folder, '..'));
      },
    });
  });
  teardown(function () {
    return keepPictures(session, this.currentTest);
  });
  suiteTeardown(async () => {
    await session?.close();
    lure?.close();
    rmSync(scratch, { recursive: true });
  });

  test('runs and failure cases can be read, beside those that cannot', async () => {
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
    const offers = ['Run Stage 2', 'Run Curriculum', 'Evaluate Checkpoint', 'Ask Student', 'Download Student'];
    for (const title of offers) {
      await quickInput(page).fill(`>Distillery: ${title}`);
      await option(page, /./).first().waitFor();
      assert.equal(await option(page, `Distillery: ${title}`).count(), 0, title);
    }
    await page.keyboard.press('Escape');
    assert.deepEqual(processesUsing(session.server.home, '/dist/host.js'), []);
  });

  test('a decision is refused, with the way to trust', async () => {
    const { page, folder } = session;
    await expand(page, 'Failure Cases', /./);
    await treeItems(page, 'Failure Cases')
      .filter({ hasText: readFailures(runNamed(folder, 'tiny'))[0].problemId })
      .first()
      .click();
    await lens(page, 'Add to Stage 3').click();
    const refusal = toast(page, 'does not start or write anything in Restricted Mode');
    await refusal.getByRole('button', { name: 'Manage Workspace Trust' }).click();
    await page.getByText('You are in Restricted Mode').waitFor();
    assert.ok(!existsSync(join(folder, '..', 'victim')));
  });

  test('an experiment is shown, and what it names outside of the folder is not read', async () => {
    const { page } = session;
    await openFile(page, 'keys.distillery.json');
    await page.locator('.squiggly-warning').first().waitFor();
    await openFile(page, 'trap.distillery.json');
    await page.locator('.squiggly-warning').first().waitFor();
    await lens(page, 'Preview Masking').click();
    await editor(page).getByText('is not read in Restricted Mode').waitFor();
    assert.equal(await page.getByText('a secret').count(), 0);
  });

  test('of all that, nothing ran, was requested, or was written', () => {
    const { folder, server, outside } = session;
    assert.equal(existsSync(mark(folder)), false);
    assert.deepEqual(lure.asked, []);
    assert.deepEqual(outside, []);
    for (const words of ['/dist/host.js', '/dist/cli.js', 'trap.sh'])
      assert.deepEqual(processesUsing(server.home, words), []);
    assert.deepEqual(stateOf(join(folder, '..')), before);
  });
});

const runNamed = (folder: string, name: string) => runsOf(folder).find((run) => run.endsWith(name))!;
