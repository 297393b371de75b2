/**
 * Takes pictures of the views of a finished run with the packaged extension in a real VS Code:
 *   npm run screenshots [-- --run <run folder> --themes light,dark,hc-dark,hc-light --out media]
 * Without --run, it uses the newest run of the built-in experiment (`npm start` creates one). The README shows the dark
 * ones.
 */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { UserError } from '../../src/errors';
import { packageRoot } from '../../src/paths';
import { findRun, listRuns, readFailures, readSummary } from '../../src/runs/reading';
import { launchBrowser } from './browser';
import { buildPackage } from './build';
import { installWorkbench } from './install';
import {
  closeEditors,
  editor,
  expand,
  openFile,
  openWorkbench,
  runCommand,
  showContainer,
  treeItems,
  webview,
} from './page';
import { startServer } from './server';

const themes: Record<string, string> = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'hc-dark': 'Default High Contrast',
  'hc-light': 'Default High Contrast Light',
};

const example = join(packageRoot(), 'examples/arithmetic');
const { values } = parseArgs({
  options: {
    run: { type: 'string' },
    themes: { type: 'string', default: 'dark' },
    out: { type: 'string', default: join(packageRoot(), 'media') },
  },
});

/** The experiment with one run, in a folder of its own. */
function workspace(scratch: string): { folder: string; run: string } {
  const made = () => listRuns(join(example, '.distillery/runs'));
  const run = values.run ? resolve(values.run) : findRun('latest', made, 'Make one with `npm start`.').folder;
  const folder = join(scratch, 'arithmetic');
  cpSync(example, folder, { recursive: true, filter: (path) => basename(path) !== '.distillery' });
  const copy = join(folder, '.distillery/runs', basename(run));
  cpSync(run, copy, { recursive: true });
  return { folder, run: copy };
}

async function take(page: Page, name: string): Promise<void> {
  await page.mouse.move(720, 0);
  await page.waitForTimeout(1200); // views are drawn some time after they appear
  const path = join(values.out, `${name}.png`);
  await page.screenshot({ path });
  console.log(path);
}

async function takeAll(page: Page, run: string, suffix: string): Promise<void> {
  await showContainer(page, 'Distillery');
  // In the order of the tree, which renders only visible rows.
  const cases = readFailures(run).sort((a, b) => a.category.localeCompare(b.category));
  const shown = cases.find(({ firstWrongStep, teacherChain }) => firstWrongStep && teacherChain) ?? cases[0];
  if (!shown) throw new UserError('the run has no failure cases to show', { file: run });
  await expand(page, 'Failure Cases', /./);
  await expand(page, 'Failure Cases', shown.category.replaceAll('-', ' '));
  await treeItems(page, 'Failure Cases').filter({ hasText: shown.problemId }).first().click();
  await editor(page).locator('.view-lines', { hasText: 'Student' }).waitFor();
  const compare = page.locator('.codelens-decoration a', { hasText: 'Compare with Teacher' }).first();
  await compare.waitFor();
  await take(page, `failure${suffix}`);
  await compare.click();
  await webview(page).getByText('Teacher', { exact: true }).first().waitFor();
  await take(page, `chain-diff${suffix}`);
  await closeEditors(page);
  await runCommand(page, 'Distillery: Open Dashboard');
  await webview(page).locator('canvas').first().waitFor();
  // The paired differences arrive after the table.
  if (readSummary(run).length > 1)
    await webview(page)
      .getByText(/\[.+, .+\]/)
      .first()
      .waitFor();
  await take(page, `dashboard${suffix}`);
  await closeEditors(page);
  await openFile(page, 'brevity.reward.json');
  await take(page, `reward${suffix}`);
  await closeEditors(page);
}

async function main(): Promise<void> {
  const workbench = await installWorkbench();
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'distillery-pictures-')));
  mkdirSync(values.out, { recursive: true });
  const { folder, run } = workspace(scratch);
  const vsix = buildPackage(join(scratch, 'distillery.vsix'));
  const browser = await launchBrowser(workbench);
  try {
    for (const name of values.themes.split(',')) {
      const theme = themes[name];
      if (!theme) throw new UserError(`there is no theme "${name}"`, { remedy: Object.keys(themes).join(', ') });
      const server = await startServer(workbench, { vsix, settings: { 'workbench.colorTheme': theme } });
      try {
        const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
        page.setDefaultTimeout(60_000);
        await openWorkbench(page, server.url(folder));
        await takeAll(page, run, name === 'dark' ? '' : `-${name}`);
        await page.close();
      } finally {
        await server.close();
      }
    }
  } finally {
    await browser.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(error instanceof UserError ? error.toString() : error);
  process.exit(1);
});
