/** User actions in VS Code's window, for Playwright. */
import { errors, type FrameLocator, type Locator, type Page } from 'playwright-core';

export async function openWorkbench(page: Page, url: string): Promise<void> {
  await page.goto(url, { timeout: 300_000 });
  await workbenchReady(page);
}

export async function workbenchReady(page: Page): Promise<void> {
  await page.locator('.monaco-workbench').waitFor();
  await page.locator('.statusbar-item').first().waitFor();
}

/** Runs a command by its title ("Distillery: Run Curriculum") from the palette. */
export async function runCommand(page: Page, title: string): Promise<void> {
  // The palette lists commands when it opens: if a command is enabled a moment later, the palette must be reopened.
  if (!(await openAndPick(page, 'F1', { typed: `>${title}`, text: title, timeout: 5000 })))
    throw new Error(`The palette does not offer "${title}"`);
}

/** The text to type, and the text of the row to pick if it appears within `timeout` ms. */
interface QuickPickEntry {
  typed: string;
  text: string;
  timeout: number;
}

/**
 * Opens the quick input by a key and picks the entry with the text; opens it again if the entry does not appear in
 * time.
 */
async function openAndPick(page: Page, key: string, wanted: QuickPickEntry): Promise<boolean> {
  for (let looks = 0; looks < 10; looks++) {
    await page.keyboard.press(key);
    if (await choose(page, wanted)) return true;
    await page.keyboard.press('Escape');
  }
  return false;
}

/** Picks the entry with the text in an open quick pick. */
export async function pick(page: Page, text: string): Promise<void> {
  if (!(await choose(page, { typed: text, text, timeout: 60_000 }))) throw new Error(`There is no "${text}" to pick`);
}

/**
 * Runs a command and picks an entry of its list. Repeats this if the list does not appear, as it closes when another
 * part of the window takes the focus.
 */
export async function runAndPick(page: Page, title: string, text: string): Promise<void> {
  for (let tries = 0; tries < 4; tries++) {
    await runCommand(page, title);
    if (await choose(page, { typed: text, text, timeout: 20_000 })) return;
    await page.keyboard.press('Escape');
  }
  throw new Error(`"${title}" does not show "${text}"`);
}

/**
 * Types into the quick input and picks the first row once it has the text. By keyboard, because hovers of rows cover
 * other rows.
 */
async function choose(page: Page, { typed, text, timeout }: QuickPickEntry): Promise<boolean> {
  const input = quickInput(page);
  const row = page.locator('.quick-input-widget .monaco-list-row.focused', { hasText: text });
  const wait = { timeout: Math.min(timeout, 5000) };
  const find = async () => {
    await input.waitFor(wait);
    if ((await input.inputValue(wait)) !== typed) await input.fill(typed, wait);
    await row.waitFor(wait);
  };
  // A closing list may have received the text.
  for (const end = Date.now() + timeout; Date.now() < end; )
    if (await inTime(find)) {
      await page.keyboard.press('Enter');
      return true;
    }
  return false;
}

export const quickInput = (page: Page): Locator => page.locator('.quick-input-widget input.input');
export const option = (page: Page, text: string | RegExp): Locator =>
  page.locator('.quick-input-widget .monaco-list-row', { hasText: text });

/**
 * Enters the file name in the dialog that `open` shows, and waits until the dialog is closed. The dialog inserts its
 * own proposal some time after it opens, and may take a while to read the folder, so the name is typed until it stays.
 * `next` is an entry of the list that follows the dialog, if one does.
 */
export async function saveAs(page: Page, file: string, open: () => Promise<void>, next?: Locator): Promise<void> {
  const path = quickInput(page);
  // The field still has the text of the previous dialog.
  await path.waitFor({ state: 'hidden' });
  await open();
  await path.waitFor();
  const closes = () => (next ? next.waitFor({ timeout: 20_000 }) : path.waitFor({ state: 'hidden', timeout: 5000 }));
  for (let tries = 0; tries < 20; tries++) {
    await inTime(() => path.fill(file, { timeout: 5000 }));
    await page.waitForTimeout(500);
    if ((await path.inputValue()) !== file) continue;
    if (await presses(page, 'Enter', closes)) return;
  }
  throw new Error(`The dialog does not take ${file}`);
}

/**
 * Opens a file of the folder. Retries, as a new file may be missing from the first list, and another part may take the
 * focus.
 */
export async function openFile(page: Page, name: string): Promise<void> {
  if (!(await openAndPick(page, 'Control+P', { typed: name, text: name, timeout: 10_000 })))
    throw new Error(`VS Code does not find the file ${name}`);
  await page.locator('.tab.active', { hasText: name }).waitFor();
}

/** Closes all editors; retries if one was still opening. */
export async function closeEditors(page: Page): Promise<void> {
  const tab = page.locator('.tab').first();
  for (let tries = 0; tries < 5; tries++) {
    await runCommand(page, 'View: Close All Editors');
    if (await inTime(() => tab.waitFor({ state: 'detached', timeout: 10_000 }))) return;
  }
  throw new Error(`${await tab.textContent()} does not close`);
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
  for (const deadline = Date.now() + 60_000; (await item.getAttribute('aria-expanded')) === 'false'; ) {
    if (Date.now() > deadline) throw new Error(`${words} in ${view} does not open`);
    await item.click();
    await page.waitForTimeout(500);
  }
  return item;
}

/** Drags with the mouse. In steps: VS Code asks the extension what may be dropped while the mouse moves. */
export async function drag(page: Page, from: Locator, to: Locator): Promise<void> {
  await from.hover();
  await page.mouse.down();
  const box = (await to.boundingBox())!;
  const place = [box.x + box.width / 3, box.y + box.height / 2] as const;
  await page.mouse.move(...place, { steps: 20 });
  await page.waitForTimeout(1000);
  await page.mouse.move(place[0] + 2, place[1], { steps: 2 });
  await page.mouse.up();
}

/**
 * Goes to the next problem of the active editor and opens its quick fixes. F8 shows the problem in a box that takes the
 * focus some time after the key, so the fixes are requested only after it was shown and closed.
 */
export async function openQuickFixes(page: Page): Promise<void> {
  const box = page.locator('.monaco-editor .marker-widget');
  const fixes = page.locator('.action-widget .monaco-list-row');
  for (let look = 0; look < 10; look++) {
    if (!(await presses(page, 'F8', () => box.waitFor({ timeout: 5000 })))) continue;
    await presses(page, 'Escape', () => box.waitFor({ state: 'hidden', timeout: 5000 }));
    if (await presses(page, 'Control+.', () => fixes.first().waitFor({ timeout: 5000 }))) return;
  }
  throw new Error('No quick fix is offered for the next problem');
}

/** Presses a key; returns whether the expected element appeared in time. */
async function presses(page: Page, key: string, comes: () => Promise<void>): Promise<boolean> {
  await page.keyboard.press(key);
  return inTime(comes);
}

async function inTime(comes: () => Promise<void>): Promise<boolean> {
  try {
    await comes();
    return true;
  } catch (error) {
    if (error instanceof errors.TimeoutError) return false;
    throw error;
  }
}

/** The document of the active webview. VS Code wraps it in two frames. */
export const webview = (page: Page): FrameLocator =>
  page.frameLocator('iframe.webview.ready:visible').frameLocator('#active-frame');

export const editor = (page: Page): Locator => page.locator('.editor-instance .monaco-editor').last();

/** The clickable element of a code lens with this text. */
export const lens = (page: Page, title: string): Locator => page.locator('.codelens-decoration a', { hasText: title });

export const toast = (page: Page, words: string | RegExp): Locator =>
  page.locator('.notifications-toasts .notification-toast', { hasText: words });
