import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  closeEditors,
  drag,
  editor,
  expand,
  lens,
  openFile,
  openQuickFixes,
  runCommand,
  showContainer,
  treeItems,
  webview,
} from '../../../scripts/workbench/page';
import { decisionsOf, readDecisions } from '../../../src/runs/decisions';
import { readFailures } from '../../../src/runs/reading';
import { runsOf } from '../workspace';
import { openSession, type Session, sharedSession } from './session';

suite('Views of a finished run', () => {
  let session: Session;
  const violations: string[] = [];
  sharedSession(async () => (session = await openSession()));
  suiteSetup(async () => {
    session.page.on('console', (message) => {
      if (/Content Security Policy|Refused to/i.test(message.text())) violations.push(message.text());
    });
    await showContainer(session.page, 'Distillery');
  });

  const firstFailure = () => readFailures(runsOf(session.folder)[0])[0];

  test('a failure case opens as a document, with the question, the chains and what can be done', async () => {
    const { page } = session;
    const group = await expand(page, 'Failure Cases', /./);
    await group.waitFor();
    await treeItems(page, 'Failure Cases').filter({ hasText: firstFailure().problemId }).first().click();
    const text = editor(page).locator('.view-lines');
    await text.filter({ hasText: 'Student' }).waitFor();
    const shown = (await text.innerText()).replace(/\u00a0/g, ' ');
    assert.ok(shown.includes(firstFailure().question.slice(0, 30)), shown);
    assert.match(shown, /## Teacher/);
    await page.locator('.statusbar-item', { hasText: 'Reasoning Chain' }).waitFor();
    await lens(page, 'Add to Stage 3').waitFor();
  });

  test('a case that is dragged onto its run is added to Stage 3', async () => {
    const { page, folder } = session;
    const [run] = runsOf(folder);
    await expand(page, 'Runs', /^tiny/);
    const target = page.getByRole('tree', { name: 'Runs' }).locator('[role=treeitem][aria-level="2"]').first();
    await target.waitFor();
    const dragged = treeItems(page, 'Failure Cases').filter({ hasText: firstFailure().problemId }).first();
    await drag(page, dragged, target);
    await dragged.filter({ hasText: 'added to Stage 3' }).waitFor();
    assert.ok(decisionsOf(readDecisions(run)).picked.has(firstFailure().problemId));
  });

  test('its lens opens the chain diff on the same problem', async () => {
    const { page } = session;
    await lens(page, 'Compare with Teacher').first().click();
    const view = webview(page);
    await view.getByText('Teacher', { exact: true }).first().waitFor();
    await view.getByText('Student', { exact: true }).first().waitFor();
    await page.locator('.tab.active', { hasText: firstFailure().problemId }).waitFor();
    const words = firstFailure().question.split(/\s+/).slice(0, 4).join(' ');
    await view.getByText(words).first().waitFor();
  });

  test('its page may load nothing but its own script and style', async () => {
    const policy = await webview(session.page)
      .locator('meta[http-equiv="Content-Security-Policy"]')
      .getAttribute('content');
    // The fonts' source is VS Code's own `cspSource`.
    const fonts = "font-src 'self' https://*.vscode-cdn.net";
    const nonce = "'nonce-[\\w-]{32}'";
    const own = `script-src ${nonce}; style-src ${nonce}`;
    assert.match(
      policy!,
      new RegExp(`^default-src 'none'; ${own}; ${literally(fonts)}; base-uri 'none'; form-action 'none'$`),
    );
    const loaded = await webview(session.page)
      .locator('body')
      .evaluate(`new Promise((resolve) => {
      const image = document.createElement('img');
      image.onload = () => resolve('loaded');
      image.onerror = () => resolve('refused');
      image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
    })`);
    assert.equal(loaded, 'refused');
    violations.length = 0;
  });

  test('the chain diff is there again after a reload', async () => {
    await session.reload();
    await webview(session.page).getByText('Teacher', { exact: true }).first().waitFor();
    await closeEditors(session.page);
  });

  test('the dashboard shows the stages and their results', async () => {
    const { page } = session;
    await runCommand(page, 'Distillery: Open Dashboard');
    const view = webview(page);
    for (const words of ['Base student', 'Stage 1', 'Stage 2', 'Stage 3', 'Reward', 'Accuracy']) {
      await view.getByText(words).locator('visible=true').first().waitFor();
    }
    await closeEditors(page);
  });

  test('a mistake in a reward is marked, and its quick fix corrects it', async () => {
    const { page, folder } = session;
    const components = [
      { use: 'correctness', weight: 0 },
      { use: 'grounded', weight: 0 },
    ];
    writeFileSync(join(folder, 'zero.reward.json'), `${JSON.stringify({ components }, null, 1)}\n`);
    await openFile(page, 'zero.reward.json');
    const mark = editor(page).locator('.squiggly-error, .squiggly-warning').first();
    await mark.waitFor();
    await openQuickFixes(page);
    await page.keyboard.press('Enter');
    await editor(page)
      .locator('.view-lines', { hasText: /"weight":\s1/ })
      .waitFor();
    await mark.waitFor({ state: 'hidden' });
    await page.keyboard.press('Control+S');
  });

  test('a dataset is a test suite: wrong answers are failed tests', async () => {
    const { page } = session;
    await showContainer(page, 'Testing');
    const suite = treeItems(page, 'Test Explorer').filter({ hasText: 'sums.chains.jsonl' });
    await suite.hover();
    await suite.getByRole('button', { name: 'Run Test', exact: true }).click();
    await page.locator('.test-explorer', { hasText: /0\/3/ }).waitFor({ timeout: 120_000 });
    await suite.click();
    await page.keyboard.press('ArrowRight');
    await treeItems(page, 'Test Explorer')
      .filter({ hasText: 'sum-1' })
      .and(page.locator('[aria-label*="Failed"]'))
      .waitFor();
    await closeEditors(page);
  });

  test('a page of questions is asked, and a dataset given to a teacher, from the title of its editor', async () => {
    const { page, folder } = session;
    writeFileSync(join(folder, 'mine.chain'), 'Question: What is 2 + 3?\n');
    await openFile(page, 'mine.chain');
    await page.locator('.editor-actions').getByRole('button', { name: 'Ask This Question' }).waitFor();
    await lens(page, 'Ask').first().waitFor();
    await openFile(page, 'sums.chains.jsonl');
    await page.locator('.editor-actions').getByRole('button', { name: 'More Actions...' }).click();
    await page.getByRole('menuitem', { name: 'Generate Teacher Chains' }).waitFor();
    await page.keyboard.press('Escape');
    await closeEditors(page);
  });

  test('the walkthrough opens, and its first step works', async () => {
    const { page } = session;
    await runCommand(page, 'Welcome: Open Walkthrough...');
    await page.keyboard.type('Your First Curriculum');
    await page.locator('.quick-input-list .focused', { hasText: 'Your First Curriculum' }).waitFor();
    await page.keyboard.press('Enter');
    const step = page.locator('.gettingStartedContainer', { hasText: 'Open the built-in experiment' });
    await step.getByRole('button', { name: 'Open the Experiment' }).waitFor();
    await closeEditors(page);
  });

  test('a run folder that cannot be read is shown with its reason, beside those that can', async () => {
    const { page, folder } = session;
    const broken = join(folder, '.distillery/runs/20990101-000000-torn');
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, 'run.json'), '{ "state": ');
    await showContainer(page, 'Distillery');
    await expand(page, 'Runs', /^torn/);
    await treeItems(page, 'Runs')
      .filter({ hasText: /2099.*JSON/ })
      .waitFor();
    await treeItems(page, 'Runs').filter({ hasText: 'tiny' }).first().waitFor();
  });

  test('no page broke its policy, and the browser asked no outside host', () => {
    assert.deepEqual(violations, []);
    assert.deepEqual(session.outside, []);
  });
});

const literally = (text: string) => text.replace(/[.*]/g, '\\$&');
