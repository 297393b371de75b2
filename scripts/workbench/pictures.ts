/**
 * Renders SVGs of media/ as PNGs, because the marketplace does not accept SVGs. `npx tsx
 * scripts/workbench/pictures.ts`
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { packageRoot } from '../../src/paths';
import { launchBrowser } from './browser';
import { installBrowser } from './install';

/** Width in CSS pixels, and pixels per CSS pixel. */
const pictures = [
  { name: 'icon', width: 256, height: 256, scale: 1, transparent: true },
  { name: 'run', width: 920, height: 552, scale: 2, transparent: false },
];

async function render(browser: Browser, { name, width, height, scale, transparent }: (typeof pictures)[number]) {
  const media = join(packageRoot(), 'media');
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale, colorScheme: 'light' });
  const svg = readFileSync(join(media, `${name}.svg`), 'utf8');
  await page.setContent(`<style>body{margin:0}svg{display:block;width:${width}px;height:${height}px}</style>${svg}`);
  await page.screenshot({ path: join(media, `${name}.png`), omitBackground: transparent });
  await page.close();
  console.log(`media/${name}.png`);
}

async function main() {
  const browser = await launchBrowser({ browser: await installBrowser() });
  for (const picture of pictures) await render(browser, picture);
  await browser.close();
}

main();
