import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { editor, pick, quickInput, runCommand, webview } from '../../../scripts/workbench/page';
import { readFailures, rolloutSteps } from '../../../src/runs/reading';
import { runsOf } from '../workspace';
import { keepPictures, openSession, type Session } from './session';

suite('Chain diff', () => {
  let session: Session;
  const violations: string[] = [];
  suiteSetup(async () => {
    session = await openSession();
    session.page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text()) && /webview|chain-diff/.test(message.location().url))
        violations.push(message.text());
    });
  });
  setup(function () {
    if (this.currentTest!.parent!.tests.some((test) => test.isFailed())) this.skip();
  });
  teardown(function () {
    return keepPictures(session, this.currentTest);
  });
  suiteTeardown(() => session?.close());

  const run = () => runsOf(session.folder)[0];
  const failures = () => readFailures(run());
  const page = () => webview(session.page);
  const grid = () => page().getByRole('grid');
  const focused = (): Locator => page().locator('[role=gridcell]:focus');
  const press = (key: string) => session.page.keyboard.press(key);
  const until = async (what: string, look: () => Promise<boolean>) => {
    for (const end = Date.now() + 20_000; !(await look()); ) {
      if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
      await session.page.waitForTimeout(100);
    }
  };

  test('asks for a problem, and shows its chains aligned', async () => {
    const { problemId, question, samples } = failures()[0];
    await runCommand(session.page, 'Distillery: Compare Chains');
    await quickInput(session.page).waitFor();
    await pick(session.page, problemId);
    await page().getByTestId('question').filter({ hasText: question }).waitFor();
    await grid().getByRole('columnheader', { name: /Teacher/ }).waitFor();
    await grid().getByRole('columnheader', { name: /Student.*wrong/s }).waitFor();
    assert.equal(await page().getByTestId('group').getByRole('option').count(), samples.length);
    const text = (await page().locator('[data-column="0"]').allInnerTexts()).join(' ').replace(/\s+/g, ' ');
    assert.ok(text.includes(failures()[0].teacherChain!.split(/\s+/).slice(0, 3).join(' ')), text);
  });

  test('goes through rows, columns and differences by keyboard, and says what differs', async () => {
    await page().locator('[role=gridcell][tabindex="0"]').focus();
    await press('ArrowRight');
    assert.equal(await focused().getAttribute('data-column'), '1');
    await press('n');
    const description = (await focused().getAttribute('aria-description')) ?? '';
    assert.match(description, /^(Against the teacher|Gap|The teacher lacks|Only)/);
    const row = await focused().getAttribute('data-row');
    await press('n');
    assert.notEqual(`${await focused().getAttribute('data-row')} ${await focused().getAttribute('data-column')}`, `${row} 1`);
    await press('Alt+ArrowRight');
    await page().getByRole('tooltip').getByText(/token 1? ?\d* ?of|token \d+ of \d+/).waitFor();
    await press('Escape');
  });

  test('folds steps', async () => {
    await press('Shift+F');
    await until('all steps folded', async () => (await page().locator('[aria-expanded=true]').count()) === 0);
    await press('Shift+F');
    await until('all steps unfolded', async () => (await page().locator('[aria-expanded=false]').count()) === 0);
  });

  test('searches in all columns', async () => {
    await press('/');
    const field = page().getByRole('textbox', { name: 'Find in the chains' });
    await field.fill('e');
    await page().getByRole('status').filter({ hasText: /^1 of \d+/ }).waitFor();
    await press('Enter');
    await page().getByRole('status').filter({ hasText: /^2 of \d+/ }).waitFor();
    assert.equal(await page().locator('.found.current').first().isVisible(), true);
    await press('Escape');
    await page().getByRole('status').waitFor({ state: 'detached' });
  });

  test('an update’s completion brings log-probs, reward parts and its group', async () => {
    const { stage, step } = rolloutSteps(run()).at(-1)!;
    const moments = page().getByTestId('moments');
    if ((await moments.count()) === 0) await choose(/./);
    await until('a problem with rollouts', async () => {
      if (/update/.test((await page().getByRole('slider').first().getAttribute('aria-valuetext').catch(() => '')) ?? '')) return true;
      if ((await moments.count()) > 0) {
        await moments.focus();
        await press('Home');
        await session.page.waitForTimeout(500);
        if (/update/.test((await moments.getAttribute('aria-valuetext')) ?? '')) return true;
        await press('End');
        await session.page.waitForTimeout(500);
        if (/update/.test((await moments.getAttribute('aria-valuetext')) ?? '')) return true;
      }
      await page().getByRole('button', { name: /^Next case/ }).click();
      await session.page.waitForTimeout(500);
      return false;
    });
    assert.ok(stage && step > 0);
    await page().getByTestId('overlay-logProb').click();
    await until('levels', async () => (await page().locator('[class*="level-"][data-token]').count()) > 0);
    await page().getByTestId('reward-student').focus();
    await page().getByTestId('reward-student').hover();
    await page().getByRole('tooltip').getByText('advantage').waitFor();
  });

  /** Another problem, by the command that the page's own button runs. */
  async function choose(_: RegExp): Promise<void> {
    await page().getByRole('button', { name: /^Next case/ }).click();
  }

  test('opens the record that a number came from, and the chains in the editor’s diff', async () => {
    await page().getByTestId('reward-student').click();
    await editor(session.page).locator('.view-lines').filter({ hasText: '"logProbs"' }).waitFor();
    await session.page.locator('.tab.active', { hasText: /line \d+\.json/ }).waitFor();
    await press('Control+w');
  });

  test('comes back with the window, as it was', async () => {
    const name = await page().locator('.case-name').innerText();
    await session.reload();
    await page().locator('.case-name', { hasText: name }).waitFor();
    assert.equal(await page().getByTestId('overlay-logProb').getAttribute('aria-checked'), 'true');
  });

  test('no rule of the policy was broken, and no outside host asked', () => {
    assert.deepEqual(violations, []);
    assert.deepEqual(session.outside, []);
  });
});
