import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import {
  closeEditors,
  editor,
  lens,
  runCommand,
  showContainer,
  treeItems,
  webview,
} from '../../../scripts/workbench/page';
import { decisionsOf, readDecisions } from '../../../src/runs/decisions';
import { runsOf } from '../workspace';
import { openSession, type Session, sharedSession } from './session';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What axe-core finds in the page's own frame, a line a node. */
async function violations(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const frame of page.frames()) {
    if ((await frame.locator('#page').count()) === 0) continue;
    await frame.evaluate(axe);
    const { violations: all } = (await frame.evaluate('axe.run()')) as { violations: Violation[] };
    for (const { id, nodes } of all)
      found.push(...nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`));
  }
  return found;
}

/** Themes, and the class that the window has under each. */
const themes = [
  ['Default Light Modern', 'vs'],
  ['Default Dark Modern', 'vs-dark'],
  ['Default High Contrast', 'hc-black'],
  ['Default High Contrast Light', 'hc-light'],
] as const;

suite('Accessible pages', () => {
  let session: Session;
  sharedSession(async () => (session = await openSession()));

  async function useTheme(theme: string, kind: string): Promise<void> {
    const inUse = session.page.locator(`.monaco-workbench.${kind}`);
    if ((await inUse.count()) > 0) return;
    const file = join(session.server.home, 'data/User/settings.json');
    const settings = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...settings, 'workbench.colorTheme': theme }));
    await session.reload();
    await inUse.waitFor();
  }

  for (const [theme, kind] of themes) {
    test(`${theme}: the dashboard and its rollouts have no violation, and do not move under the pointer`, async () => {
      const { page } = session;
      await useTheme(theme, kind);
      await runCommand(page, 'Distillery: Open Dashboard');
      const plot = webview(page).getByRole('slider', { name: 'Length by update' });
      await plot.locator('canvas').waitFor();
      assert.deepEqual(await violations(page), []);
      const before = await plot.boundingBox();
      await plot.hover({ position: { x: 200, y: 60 } });
      await webview(page)
        .getByText(/, update \d+/)
        .first()
        .waitFor();
      assert.deepEqual(await plot.boundingBox(), before);
      await plot.click({ position: { x: 200, y: 60 } });
      await webview(page).getByRole('complementary', { name: 'Rollouts' }).waitFor();
      assert.deepEqual(await violations(page), []);
      await closeEditors(page);
    });

    test(`${theme}: the chain diff has no violation, and shows chains in a window of 720 x 450`, async () => {
      const { page, folder } = session;
      assert.ok(readdirSync(join(folder, '.distillery/runs')).length > 0);
      await showContainer(page, 'Distillery');
      await treeItems(page, 'Failure Cases').first().click();
      await treeItems(page, 'Failure Cases').nth(1).click();
      await lens(page, 'Compare with Teacher').first().click();
      const table = webview(page).getByRole('grid');
      await table.getByRole('gridcell').first().waitFor();
      assert.deepEqual(await violations(page), []);
      const before = await table.boundingBox();
      await page.keyboard.press('5');
      assert.deepEqual(await table.boundingBox(), before);
      await page.setViewportSize({ width: 720, height: 450 });
      assert.ok((await table.boundingBox())!.height > 200);
      await page.setViewportSize({ width: 1440, height: 900 });
      await closeEditors(page);
    });

    // Keys are the same in all themes.
    if (theme === 'Default Light Modern')
      test('without a mouse, in a narrow window: from the list through cases, one marked as read', async () => {
        const { page, folder } = session;
        await page.setViewportSize({ width: 760, height: 700 });
        await runCommand(page, 'Distillery: Focus on Failure Cases View');
        const focused = page.getByRole('tree', { name: 'Failure Cases' }).locator('.monaco-list-row.focused');
        const walk = async (key: string, level: number) => {
          await page.keyboard.press(key);
          await focused.and(page.locator(`[aria-level="${level}"]`)).waitFor();
        };
        await walk('Home', 1);
        if ((await focused.getAttribute('aria-expanded')) === 'false') await page.keyboard.press('ArrowRight');
        await walk('ArrowDown', 2);
        const heading = editor(page).locator('.view-line', { hasText: 'Case ' }).first();
        await page.keyboard.press('Enter');
        await heading.waitFor();
        const first = await heading.innerText();
        // The focus is still in the list: the next case is two keys away.
        await walk('ArrowDown', 2);
        await page.keyboard.press('Enter');
        await heading.filter({ hasNotText: first }).waitFor();
        await page.keyboard.press('Control+1');
        await page.keyboard.press('[');
        await heading.filter({ hasText: first }).waitFor();
        await page.keyboard.press('r');
        await heading.filter({ hasText: /,.read/ }).waitFor();
        const [run] = runsOf(folder);
        assert.equal(decisionsOf(readDecisions(run)).read.size, 1);
        await page.setViewportSize({ width: 1440, height: 900 });
        await closeEditors(page);
      });
  }
});
