/**
 * Names and texts of students, datasets, teachers, files and folders are shown as text, wherever VS Code looks for
 * links and icons.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  expand,
  openFile,
  option,
  pick,
  quickInput,
  runAndPick,
  runCommand,
  showContainer,
  toast,
  treeItems,
} from '../../../scripts/workbench/page';
import { type FakeServer, openServer } from '../../../src/teachers/testing/server';
import { tinyFile } from '../../cli/distillery';
import { runsOf } from '../workspace';
import { keepPictures, openSession, type Session } from './session';

/** Opens an untitled editor, if a link to it works. */
const command = 'command:workbench.action.files.newUntitledFile';
const evil = `[Repair](${command}) $(bug) \u202e\u001b[2J`;
/** The same, as it may be seen. */
const shown = `[Repair] (${command}) $ (bug) U+202EU+001B[2J`;
/** As a person may paste it, and as a part of a file's name. */
const typed = `[Repair](${command}) $(bug)`;
/** What a browser would fetch. */
const pictures = '![x](http://127.0.0.1:9/x.png) <img src="http://127.0.0.1:9/y.png">';
const evilName = `[Open](${command}) $(bug)`;
const shownName = `[Open] (${command}) $ (bug)`;

suite('Hostile text', () => {
  let session: Session;
  let teacher: FakeServer;
  /** Pictures that the window asked for. */
  const fetched: string[] = [];
  suiteSetup(async () => {
    teacher = await openServer(() => ({ status: 400, error: `no: ${evil}` }));
    session = await openSession();
    session.page.context().on('request', (request) => {
      if (request.url().startsWith('http://127.0.0.1:9/')) fetched.push(request.url());
    });
    prepare(session.folder);
    await showContainer(session.page, 'Distillery');
  });
  setup(async () => {
    await runCommand(session.page, 'Notifications: Clear All Notifications');
  });
  teardown(async function () {
    await keepPictures(session, this.currentTest);
    await session.page.keyboard.press('Escape');
  });
  suiteTeardown(async () => {
    await session?.close();
    await teacher?.close();
  });

  /** Nothing in the window runs the command, and nothing has. */
  async function nothingOffered(): Promise<void> {
    const { page } = session;
    const links = page.locator(
      `[href^="command:workbench.action.files"], [data-href^="command:workbench.action.files"]`,
    );
    assert.deepEqual(fetched, []);
    assert.equal(await links.count(), 0);
    assert.equal(await page.locator('.notification-toast .notification-list-item-message a').count(), 0);
    assert.equal(await page.locator('.quick-input-widget a[href]').count(), 0);
    assert.equal(await page.locator('.tab', { hasText: /^Untitled-/ }).count(), 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for it
    assert.doesNotMatch(await page.locator('body').innerText(), /[\u001b\u009b]/);
  }

  /** Types into the input box, reads its message, and accepts. */
  async function answer(asked: string, text: string, accepted = true): Promise<void> {
    const { page } = session;
    const box = page.locator('.quick-input-widget', { hasText: asked });
    await box.waitFor();
    await quickInput(page).fill(text);
    if (!accepted) await page.locator('.quick-input-message', { hasText: '] (command:' }).waitFor();
    await nothingOffered();
    if (accepted) await page.keyboard.press('Enter');
  }

  test('a student whose chat template complains', async () => {
    const { page } = session;
    await runAndPick(page, 'Distillery: Run Stage 2', 'templated');
    const told = toast(page, '[Repair]');
    await told.waitFor({ timeout: 120_000 });
    assert.ok((await told.innerText()).includes(shown), await told.innerText());
    await nothingOffered();
  });

  test('a teacher that refuses', async () => {
    const { page } = session;
    await openFile(page, 'evil.chains.jsonl');
    await runAndPick(page, 'Distillery: Generate Teacher Chains', 'Another Endpoint');
    await answer('Base URL of the endpoint', `not an address ${typed}`, false);
    await answer('Generate Teacher Chains', teacher.baseUrl);
    await answer('Name of the model at the endpoint', typed);
    await option(page, /^Send/).waitFor();
    await nothingOffered();
    await page.keyboard.press('Enter');
    const told = toast(page, 'no: [Repair]');
    await told.waitFor();
    assert.ok((await told.innerText()).includes(shown), await told.innerText());
    await nothingOffered();
  });

  test('tests of a dataset', async () => {
    const { page } = session;
    await runCommand(page, 'Test: Refresh Tests');
    await runCommand(page, 'Testing: Focus on Test Explorer View');
    const row = page.locator('.test-explorer .monaco-list-row', { hasText: '[Open]' }).first();
    await row.waitFor();
    assert.ok((await row.innerText()).includes(shownName), await row.innerText());
    assert.equal(await page.locator('.test-explorer .codicon-bug').count(), 0);
    await nothingOffered();
    await showContainer(page, 'Distillery');
  });

  test('lists of rewards, runs and students', async () => {
    const { page } = session;
    await runCommand(page, 'View: Close All Editors');
    for (const title of [
      'Score Rollouts with This Reward',
      'Open Dashboard',
      'Compare Chains',
      'Choose Student to Test...',
    ]) {
      await runCommand(page, `Distillery: ${title}`);
      if (title.startsWith('Choose')) await pick(page, 'One student');
      await option(page, '[Open]').first().waitFor();
      assert.equal(await page.locator('.quick-input-widget .codicon-bug').count(), 0, title);
      await nothingOffered();
      await page.keyboard.press('Escape');
    }
  });

  test('a folder of a run: tree, lists, dialogs, and the notification when it is archived', async () => {
    const { page } = session;
    await expand(page, 'Runs', /^tiny/);
    await treeItems(page, 'Runs').filter({ hasText: 'Jan 15' }).first().hover();
    await page.locator('.monaco-hover', { hasText: '[Open]' }).first().waitFor();
    await nothingOffered();
    await runCommand(page, 'Distillery: Delete Run');
    await option(page, '[Open]').first().waitFor();
    await nothingOffered();
    await pick(page, '[Open]');
    const dialog = page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    assert.equal(await dialog.locator('a[href]').count(), 0);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await runCommand(page, 'Distillery: Archive Run');
    await pick(page, '[Open]');
    const told = toast(page, /Moved to/);
    await told.waitFor();
    assert.ok((await told.innerText()).includes(shownName), await told.innerText());
    await nothingOffered();
  });

  test('the browser asked no outside host', () => assert.deepEqual(session.outside, []));
});

/** A student, a dataset, experiments, a reward and a run. */
function prepare(folder: string): void {
  const write = (name: string, content: object | string) => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  };
  const student = `student ${evilName}`;
  cpSync(join(folder, 'student'), join(folder, student), { recursive: true });
  write(`${student}/chat_template.jinja`, `{{ raise_exception(${JSON.stringify(evil)}) }}`);
  write('templated.distillery.json', { ...tinyFile(), name: 'templated', student: { path: student, prompt: 'chat' } });
  const rows = Array.from({ length: 6 }, (_, i) => ({
    id: `id ${evil} ${i}`,
    question: `What is ${i} + 3? ${evil} ${pictures}`,
    answer: `${i + 3}`,
    chain: `Step 1: ${i} + 3 = ${i + 3} ${evil}\nAnswer: ${i + 3}`,
  }));
  for (const name of ['evil', evilName])
    write(`data/${name}.chains.jsonl`, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  for (const name of ['a', 'b']) write(`${name} ${evilName}.reward.json`, { components: [{ use: evil }] });
  const [run] = runsOf(folder);
  const copy = join(run, '..', `20260115-120000-${evilName}`);
  cpSync(run, copy, { recursive: true });
}
