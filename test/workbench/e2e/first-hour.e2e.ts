/** From common datasets to a running Stage 1, as a user does it in the window. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { peer } from '../../../scripts/peers/peers';
import {
  editor,
  openFile,
  openQuickFixes,
  option,
  pick,
  quickInput,
  runAndPick,
  saveAs,
  toast,
  webview,
} from '../../../scripts/workbench/page';
import { exportStudent } from '../../../src/model/export';
import { tinyConfig, writeTinyFolder } from '../../../src/model/gguf/testing/tiny';
import { livelyModel } from '../../../src/model/testing/naive';
import { packageRoot } from '../../../src/paths';
import { repliesFile } from '../../../src/teachers/journal';
import { journalOf } from '../../../src/teachers/output';
import { runsOf } from '../workspace';
import { openSession, type Session, sharedSession } from './session';

/** R1 chains as messages, and questions with other columns. */
function writeData(folder: string): void {
  const think = (n: number) =>
    `<think>\n${n} and 1, so ${n + 1}.\n</think>\n\nStep 1: ${n} + 1 = ${n + 1}.\nAnswer: ${n + 1}`;
  const rows = Array.from({ length: 12 }, (_, n) => ({
    messages: [
      { role: 'user', content: `What is ${n} + 1?` },
      { role: 'assistant', content: think(n) },
    ],
  }));
  writeFileSync(join(folder, 'own.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  copyFileSync(join(packageRoot(), 'test/fixtures/data/metamath.jsonl'), join(folder, 'meta.jsonl'));
}

suite('The first hour', () => {
  let session: Session;
  let llama: string | null | undefined;
  sharedSession(async () => {
    llama = await peer('node-llama-cpp');
    session = await openSession({
      withRun: false,
      prepare: writeData,
      settings: { 'distillery.teacher.samples': 1, 'distillery.teacher.maxTokens': 16 },
      env: llama ? { DISTILLERY_LLAMA: llama } : {},
    });
    return session;
  });

  /** New Experiment in the menu of a file in the Explorer. */
  const newExperimentOn = async (page: Page, name: string) => {
    await page.keyboard.press('Escape'); // left open by an earlier try
    await page.keyboard.press('Control+Shift+E');
    const file = page.locator('.explorer-folders-view .monaco-list-row', { hasText: name });
    const item = page.locator('.monaco-menu .action-item', { hasText: /^New Experiment/ });
    // The extension's items may not be in the menu yet.
    for (let tries = 0; tries < 20 && !(await item.isVisible()); tries++) {
      await page.keyboard.press('Escape');
      await file.click({ button: 'right' });
      await item.waitFor({ timeout: 3000 }).catch(() => {});
    }
    await item.hover();
    await page.keyboard.press('Enter'); // a menu that has just opened does not react to clicks yet
    await option(page, 'Create the Experiment').waitFor();
  };
  const experiment = (name: string) => readFileSync(join(session.folder, name, `${name}.distillery.json`), 'utf8');

  test('the columns are shown with the first rows, and others can be picked', async () => {
    const { page } = session;
    await newExperimentOn(page, 'meta.jsonl');
    await option(page, /question: query\s*A kiosk sells 18 postcards/).waitFor();
    await option(page, /answer: –\s*180/).waitFor();
    await option(page, /^chain: response/).waitFor();

    await pick(page, 'question: query');
    await option(page, /^original_question\s*A kiosk/).waitFor(); // every column with its first row
    await pick(page, 'original_question');
    await option(page, /^question: original_question\s*A kiosk/).waitFor();

    await pick(page, 'Show the First Rows');
    await editor(page).getByText('## question').first().waitFor();
    await editor(page).getByText('A kiosk sells 18').first().waitFor();

    await pick(page, 'answer: –');
    await pick(page, 'original_question');
    await quickInput(page)
      .and(page.getByPlaceholder(/the reference answers in "original_question" are the questions/))
      .waitFor();
    assert.equal(await option(page, 'Create the Experiment').count(), 0, 'unreadable columns cannot be accepted');
    await pick(page, 'answer: –');
    await pick(page, 'type');
    await option(page, /^answer: type/).waitFor();
    await page.keyboard.press('Escape');
    assert.equal(existsSync(join(session.folder, 'meta')), false);
  });

  test('R1 chains as messages: four clicks to a running Stage 1, each naming the next', async () => {
    const { page, folder } = session;
    await newExperimentOn(page, 'own.jsonl'); // 1
    await option(page, /question: messages\s*What is 0 \+ 1\?/).waitFor();
    await pick(page, 'Create the Experiment'); // 2
    const ready = toast(page, /own is ready\. Next: preview the student's prompts, or run Stage 1/);
    await ready.waitFor({ timeout: 120_000 });
    assert.match(experiment('own'), /"columns": \{ "question": "messages", "chain": "messages" \}/);
    assert.match(experiment('own'), /"thinking": "cut"/);
    await ready.getByRole('button', { name: 'Run Stage 1' }).click(); // 3
    await pick(page, 'Quick Budget'); // 4
    await page.locator('.statusbar-item', { hasText: /Stage 1/ }).waitFor({ timeout: 120_000 });
    await toast(page, /own.* is finished\./).waitFor({ timeout: 240_000 });
    assert.equal(runsOf(join(folder, 'own')).length, 1);
  });

  test('a GGUF file is a teacher: picked as a file, and what it says is kept', async function () {
    if (!llama) this.skip();
    const { page, folder } = session;
    const file = join(dirname(folder), 'tutor.gguf'); // a random model, which solves nothing
    const student = writeTinyFolder(join(dirname(folder), 'tutor'), livelyModel(tinyConfig('llama'), 3));
    exportStudent(student, file, { format: 'gguf', dtype: 'F32', force: true });
    await openFile(page, 'sums.chains.jsonl');
    const chooseTeacher = () => runAndPick(page, 'Distillery: Generate Teacher Chains', 'A GGUF File');
    await saveAs(page, file, chooseTeacher, option(page, /^Send 3 requests\s*to tutor, this machine/));
    await pick(page, 'Send 3 requests');
    await toast(page, /0 of 3 questions solved/).waitFor({ timeout: 120_000 });
    const journal = repliesFile(journalOf(join(folder, 'data/sums.tutor.chains.jsonl')));
    const replies = readFileSync(journal, 'utf8').trim().split('\n');
    const lengths = replies.map((line) => JSON.parse(line)).map(({ model, usage }) => [model, usage.completion > 0]);
    assert.deepEqual(lengths, Array(3).fill(['tutor', true]));
  });

  test('rollouts that TRL logged become a run: from the palette to the chain diff of a completion', async () => {
    const { page, folder } = session;
    await saveAs(page, join(packageRoot(), 'test/fixtures/rollouts/trl/'), () =>
      runAndPick(page, 'Distillery: Import Rollouts', 'Folder'),
    );
    await toast(page, /Imported 24 completions of 3 updates/).waitFor({ timeout: 120_000 });
    await page.locator('.tab.active', { hasText: 'trl' }).waitFor();
    const dashboard = webview(page);
    const plot = dashboard.getByRole('slider', { name: 'Reward by update' });
    await plot.locator('canvas').waitFor();
    await plot.focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    const rollouts = dashboard.getByRole('complementary', { name: 'Rollouts' });
    await rollouts.getByText('Training, update 3').waitFor();
    await rollouts
      .getByRole('button', { name: /^Compare/ })
      .first()
      .click();
    await webview(page).getByRole('gridcell').first().waitFor();
    assert.equal(runsOf(folder).length, 1);
  });

  test('a dataset of the Hub that an experiment names but that is not here is offered for download', async () => {
    const { page, folder } = session;
    writeFileSync(
      join(folder, 'hub.distillery.json'),
      experiment('own')
        .replace(/"path": "\.\.\/own\.jsonl"/g, '"path": "school/sums/main"')
        .replace('"path": "student"', '"path": "own/student"'),
    );
    await openFile(page, 'hub.distillery.json');
    await editor(page).locator('.squiggly-error').first().waitFor();
    await openQuickFixes(page);
    await page.locator('.action-widget .monaco-list-row', { hasText: 'Download school/sums/main' }).waitFor();
  });
});
