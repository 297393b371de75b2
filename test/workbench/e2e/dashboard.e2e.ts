import assert from 'node:assert/strict';
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { option, quickInput, runCommand, saveAs, webview } from '../../../scripts/workbench/page';
import { until } from '../until';
import { openSession, type Session, sharedSession, skipAfterFailure } from './session';

suite('Dashboard', () => {
  let session: Session;
  let folder: string;
  const violations: string[] = [];
  sharedSession(async () => (session = await openSession()));
  suiteSetup(async () => {
    session.page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text()) && /webview|dashboard/.test(message.location().url))
        violations.push(message.text());
    });
    const runs = join(session.folder, '.distillery/runs');
    const [name] = readdirSync(runs);
    folder = join(runs, name);
    const other = join(runs, `${name}-other`);
    cpSync(folder, other, { recursive: true });
    edit(join(other, 'config.json'), (text) => text.replace('"seed": 1', '"seed": 2'));
    edit(join(other, 'run.json'), (text) => text.replace(`"${name}"`, `"${name}-other"`));
  });
  skipAfterFailure(() => session);

  const edit = (file: string, change: (text: string) => string) =>
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  const page = () => webview(session.page);
  const plot = (title: string): Locator => page().getByRole('slider', { name: `${title} by update` });

  test('shows results and curves of a run', async () => {
    await runCommand(session.page, 'Distillery: Open Dashboard');
    await option(session.page, /-tiny/).last().click();
    await page().getByRole('table', { name: 'Results on the test problems' }).getByText('Stage 2 (Complete)').waitFor();
    await plot('Reward').locator('canvas').waitFor();
    assert.match((await plot('Reward').getAttribute('aria-valuetext')) ?? '', /^latest: mean −?\d/);
  });

  test('the cursor goes by key through the updates, and opens their rollouts', async () => {
    await plot('Reward').focus();
    await session.page.keyboard.press('Home');
    await session.page.keyboard.press('ArrowRight');
    await page()
      .getByText(/update \d+ ·/)
      .waitFor();
    for (let i = 0; i < 50; i++) {
      const text = (await plot('Reward').getAttribute('aria-valuetext')) ?? '';
      if (/^Stage 2 \(Complete\), update \d+: mean −?\d/.test(text)) break;
      await session.page.keyboard.press('ArrowRight');
      await until('the next update', async () => (await plot('Reward').getAttribute('aria-valuetext')) !== text);
    }
    await session.page.keyboard.press('Enter');
    const rollouts = page().getByRole('complementary', { name: 'Rollouts' });
    await rollouts.getByRole('heading', { name: /^Stage 2 \(Complete\), update \d+$/ }).waitFor();
    assert.ok((await rollouts.getByRole('listitem').count()) > 1);
    await session.page.keyboard.press('Escape');
    await rollouts.waitFor({ state: 'hidden' });
  });

  test('exports the charts as shown', async () => {
    for (const [ending, head] of [
      ['svg', Buffer.from('<svg xmlns=')],
      ['png', Buffer.from([0x89, 0x50, 0x4e, 0x47])],
      ['csv', Buffer.from('run,stage,phase,step,time,reward')],
    ] as const) {
      const file = join(session.folder, `charts.${ending}`);
      rmSync(file, { force: true });
      const button = page().getByRole('button', { name: 'Export Charts…' });
      await saveAs(session.page, file, () => button.click());
      await until(`${file} is there`, () => existsSync(file) && readFileSync(file).length >= head.length);
      assert.deepEqual(readFileSync(file).subarray(0, head.length), head);
    }
    const svg = readFileSync(join(session.folder, 'charts.svg'), 'utf8');
    assert.match(svg, /<tspan font-weight="bold">Reward<\/tspan>/);
    assert.doesNotMatch(svg, /NaN|undefined/);
  });

  test('a new update appears in the curves by itself', async () => {
    const last = JSON.parse(readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trim().split('\n').at(-1)!);
    await page().getByRole('button', { name: 'Table' }).click();
    const shown = page().getByText(/^\d+ to \d+ of \d+ updates$/);
    const count = Number(/of (\d+)/.exec(await shown.innerText())![1]);
    const update = { ...last, seq: last.seq + 1, step: last.step + 1 };
    appendFileSync(join(folder, 'metrics.jsonl'), `${JSON.stringify(update)}\n{"seq":`);
    await page()
      .getByText(`1 to ${count + 1} of ${count + 1} updates`)
      .waitFor();
  });

  test('its content and settings are restored with the window', async () => {
    await session.reload();
    await page()
      .getByRole('table', { name: /^Updates of/ })
      .waitFor();
    await page().getByRole('button', { name: 'Charts' }).click();
    await plot('Reward').locator('canvas').waitFor();
  });

  test('compares with another run: both in each curve, and the setting that differs', async () => {
    await page().getByRole('button', { name: 'Compare with Runs…' }).click();
    await quickInput(session.page).fill('-other');
    await option(session.page, '-other').click();
    await session.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
    const settings = page().getByRole('table', { name: 'Settings that differ' });
    await settings.getByRole('rowheader', { name: 'seed' }).waitFor();
    assert.match((await plot('Reward').getAttribute('aria-valuetext')) ?? '', /A −?\d.*, B −?\d/);
  });

  test('no rule of the policy was broken, and no outside host asked', () => {
    assert.deepEqual(violations, []);
    assert.deepEqual(session.outside, []);
  });
});
