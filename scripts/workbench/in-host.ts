/** What the measurements inside an extension host have in common. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { runsOf } from '../../test/workbench/workspace';

/** A workspace with copies of a run, as the tree reads them: without checkpoints and rollouts. */
export function manyRuns(from: string, folder: string, count: number): string {
  const [run] = runsOf(from);
  const files = readdirSync(run).filter((name) => /\.jsonl?$/.test(name));
  for (let i = 0; i < count; i++) {
    const id = `20260101-${100000 + i}-tiny`;
    const copy = join(folder, '.distillery/runs', id);
    mkdirSync(copy, { recursive: true });
    for (const name of files) cpSync(join(run, name), join(copy, name));
    writeFileSync(
      join(copy, 'run.json'),
      JSON.stringify({ ...JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')), id }),
    );
  }
  cpSync(join(from, 'tiny.distillery.json'), join(folder, 'tiny.distillery.json'));
  return folder;
}

/** Resolves when the module's `run` has ended in a window's extension host. */
export async function runInHost(browser: Browser, url: string): Promise<void> {
  const page = await browser.newPage();
  const ended = new Promise<number>((resolve) => {
    page.exposeFunction('codeAutomationExit', (code: number) => resolve(code));
  });
  await page.exposeFunction('codeAutomationLog', () => {});
  await page.goto(url, { timeout: 300_000 });
  if ((await ended) !== 0) throw new Error('The measurements failed in the extension host');
  await page.close();
}
