import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { editor, runAndPick, webview } from '../../../scripts/workbench/page';
import { readFailures, readRollouts, rolloutSteps } from '../../../src/runs/reading';
import { until } from '../until';
import { runsOf } from '../workspace';
import { openSession, type Session, sharedSession, skipAfterFailure } from './session';

suite('Chain diff', () => {
  let session: Session;
  const violations: string[] = [];
  sharedSession(async () => (session = await openSession()));
  suiteSetup(async () => {
    session.page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text()) && /webview|chain-diff/.test(message.location().url))
        violations.push(message.text());
    });
  });
  skipAfterFailure(() => session);

  const run = () => runsOf(session.folder)[0];
  const failures = () => readFailures(run());
  const page = () => webview(session.page);
  const grid = () => page().getByRole('grid');
  const focused = (): Locator => page().locator('[role=gridcell]:focus');
  const press = (key: string) => session.page.keyboard.press(key);

  test('asks for a problem, and shows its chains aligned', async () => {
    const { problemId, question, samples } = failures()[0];
    await runAndPick(session.page, 'Distillery: Compare Chains', problemId);
    await page().getByTestId('question').filter({ hasText: question }).waitFor();
    await grid()
      .getByRole('columnheader', { name: /Teacher/ })
      .waitFor();
    await grid()
      .getByRole('columnheader', { name: /Student.*wrong/s })
      .waitFor();
    assert.equal(await page().getByTestId('group').getByRole('option').count(), samples.length);
    const text = (await page().locator('[data-column="0"]').allInnerTexts()).join(' ').replace(/\s+/g, ' ');
    assert.ok(text.includes(failures()[0].teacherChain!.split(/\s+/).slice(0, 3).join(' ')), text);
  });

  test('moves through rows, columns and differences by keyboard, and announces what differs', async () => {
    await page().locator('[role=gridcell][tabindex="0"]').focus();
    await press('ArrowRight');
    assert.equal(await focused().getAttribute('data-column'), '1');
    await press('n');
    const said = async (name: string) => (await focused().getAttribute(name)) ?? '';
    assert.match((await said('aria-description')) || (await said('aria-label')), /^(Against the teacher|Gap in|Only)/);
    const row = await focused().getAttribute('data-row');
    await press('n');
    assert.notEqual(
      `${await focused().getAttribute('data-row')} ${await focused().getAttribute('data-column')}`,
      `${row} 1`,
    );
    await page().locator('[role=gridcell]:has([data-token])').first().focus();
    await press('Alt+ArrowRight');
    await page()
      .getByRole('tooltip')
      .getByText(/token \d+ of \d+/)
      .waitFor();
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
    await page()
      .getByRole('status')
      .filter({ hasText: /^1 of \d+/ })
      .waitFor();
    await press('Enter');
    await page()
      .getByRole('status')
      .filter({ hasText: /^2 of \d+/ })
      .waitFor();
    assert.equal(await page().locator('.found.current').first().isVisible(), true);
    await press('Escape');
    await page().getByRole('status').waitFor({ state: 'detached' });
  });

  test('an update’s completion brings log-probs, reward parts and its group', async () => {
    const { stage, step } = rolloutSteps(run()).findLast((one) => one.stage === 'complete')!;
    const { problemId } = readRollouts(run(), stage, step)[0];
    await runAndPick(session.page, 'Distillery: Compare Chains', problemId);
    await page().locator('.case-name', { hasText: problemId }).waitFor();
    const origin = page().locator('.head.student .origin', { hasText: `update ${step}` });
    const moments = page().getByTestId('moments');
    const place = page().getByText(/^\d+ of \d+ moments$/);
    for (let i = 0; i < 10 && (await origin.count()) === 0; i++) {
      const before = await place.innerText();
      await moments.focus();
      await press('ArrowLeft');
      await until('another moment', async () => (await place.innerText()) !== before);
    }
    await origin.waitFor();
    assert.ok((await page().getByTestId('group').getByRole('option').count()) > 1);
    await page().getByTestId('overlay-logProb').click();
    await until('levels', async () => (await page().locator('[class*="level-"][data-token]').count()) > 0);
    await page().getByTestId('reward-student').hover();
    await page().getByRole('tooltip').getByText('advantage').waitFor();
  });

  test('a click in the group shows another completion', async () => {
    const chosen = page().getByTestId('group').locator('[aria-selected=true]');
    const before = await chosen.getAttribute('aria-label');
    await page().getByTestId('group').locator('[aria-selected=false]').first().click();
    await until('another completion', async () => (await chosen.getAttribute('aria-label')) !== before);
  });

  test('opens the record that a number came from', async () => {
    await page().getByTestId('reward-student').click();
    await editor(session.page).locator('.view-lines').filter({ hasText: '"logProbs"' }).waitFor();
    await session.page.locator('.tab.active', { hasText: /line \d+\.json/ }).waitFor();
    await press('Control+w');
  });

  test('is restored with the window', async () => {
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
