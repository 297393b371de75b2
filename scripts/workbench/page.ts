/** What a person does in VS Code's window, for Playwright. */
import type { FrameLocator, Locator, Page } from 'playwright-core';

export async function openWorkbench(page: Page, url: string): Promise<void> {
  await page.goto(url, { timeout: 300_000 });
  await page.locator('.monaco-workbench').waitFor();
  await page.locator('.statusbar-item').first().waitFor();
}

/** Runs a command by its whole title ("Distillery: Run Curriculum") from the palette. */
export async function runCommand(page: Page, title: string): Promise<void> {
  await page.keyboard.press('F1');
  await quickInput(page).fill(`>${title}`);
  // The first row is often another command while the list is being filtered.
  await option(page, title).first().click();
}

/** Takes the entry of an open quick pick that has the text. */
export async function pick(page: Page, text: string | RegExp): Promise<void> {
  await option(page, text).first().click();
}

export const quickInput = (page: Page): Locator => page.locator('.quick-input-widget input.input');
export const option = (page: Page, text: string | RegExp): Locator =>
  page.locator('.quick-input-widget .monaco-list-row', { hasText: text });

export async function openFile(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+P');
  await quickInput(page).fill(name);
  await option(page, name).first().click();
  await page.locator('.tab.active', { hasText: name }).waitFor();
}

/** Shows a view container of the activity bar. */
export async function showContainer(page: Page, title: string): Promise<void> {
  const tab = page.locator('.activitybar').getByRole('tab', { name: title });
  if ((await tab.getAttribute('aria-selected')) !== 'true') await tab.click();
}

/** The rows of a tree view, by its title. */
export const treeItems = (page: Page, view: string): Locator =>
  page.getByRole('tree', { name: view }).getByRole('treeitem');

/** Opens a tree's node, if it is closed, and waits until its text has the words. */
export async function expand(page: Page, view: string, words: string | RegExp): Promise<Locator> {
  const item = treeItems(page, view).filter({ hasText: words }).first();
  await item.waitFor();
  await item.click();
  if ((await item.getAttribute('aria-expanded')) === 'false') await page.keyboard.press('ArrowRight');
  return item;
}

/** The document of the webview in front. VS Code wraps it in two frames. */
export const webview = (page: Page): FrameLocator =>
  page.frameLocator('iframe.webview.ready:visible').frameLocator('#active-frame');

export const editor = (page: Page): Locator => page.locator('.editor-instance .monaco-editor').last();

export const toast = (page: Page, words: string | RegExp): Locator =>
  page.locator('.notifications-toasts .notification-toast', { hasText: words });
