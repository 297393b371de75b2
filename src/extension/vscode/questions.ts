/** Quick picks and input boxes. VS Code renders icons in the former, and links that run commands in the latter. */
import * as editor from 'vscode';
import { inertLine } from '../../foreign-text';

/** An entry of a quick pick. `icon` is a codicon before its label. */
export interface QuickPickItem {
  label: string;
  icon?: string;
  description?: string;
  detail?: string;
  kind?: editor.QuickPickItemKind;
  picked?: boolean;
  alwaysShow?: boolean;
}

type ListOptions = Pick<
  editor.QuickPickOptions,
  'title' | 'placeHolder' | 'matchOnDescription' | 'matchOnDetail' | 'ignoreFocusOut'
>;

/** A promise: the list is shown, as busy, until they are found. */
type Choices<T> = readonly T[] | Promise<readonly T[]>;

export async function showQuickPick<T extends QuickPickItem>(
  choices: readonly T[],
  options: ListOptions & { canPickMany: true },
): Promise<T[] | undefined>;
export async function showQuickPick<T extends QuickPickItem>(
  choices: Choices<T>,
  options?: ListOptions,
): Promise<T | undefined>;
export async function showQuickPick<T extends QuickPickItem>(choices: Choices<T>, options: ListOptions = {}) {
  let [known, items]: [readonly T[], editor.QuickPickItem[]] = [[], []];
  const shown = (all: readonly T[]) => {
    [known, items] = [all, all.map(itemOf)];
    return items;
  };
  const { title, placeHolder } = options;
  const given = choices instanceof Promise ? choices.then(shown) : shown(choices);
  const chosen: editor.QuickPickItem | editor.QuickPickItem[] | undefined = await editor.window.showQuickPick(given, {
    ...options,
    title: title && inertLine(title),
    placeHolder: placeHolder && inertLine(placeHolder),
  });
  const back = (item: editor.QuickPickItem) => known[items.indexOf(item)];
  return Array.isArray(chosen) ? chosen.map(back) : chosen && back(chosen);
}

function itemOf({ label, icon, description, detail, kind, picked, alwaysShow }: QuickPickItem): editor.QuickPickItem {
  return {
    label: inertLine(label),
    description: description && inertLine(description),
    detail: detail && inertLine(detail),
    iconPath: icon === undefined ? undefined : new editor.ThemeIcon(icon),
    kind,
    picked,
    alwaysShow,
  };
}

/** A quick pick that grows while it is open. */
export class GrowingList<T extends QuickPickItem> {
  private readonly pick = editor.window.createQuickPick<editor.QuickPickItem & { choice: T }>();

  constructor({ title, placeHolder }: { title: string; placeHolder: string }) {
    this.setTitle(title);
    Object.assign(this.pick, {
      placeholder: inertLine(placeHolder),
      matchOnDescription: true,
      matchOnDetail: true,
      busy: true,
    });
  }

  /** Changes the title. */
  setTitle(title: string): void {
    this.pick.title = inertLine(title);
  }

  add(choices: readonly T[]): void {
    this.pick.items = [...this.pick.items, ...choices.map((choice) => ({ ...itemOf(choice), choice }))];
  }

  /** Marks the list as complete. */
  complete(): void {
    this.pick.busy = false;
  }

  /** Shows it; resolves to the choice, or undefined when dismissed. */
  async choose(): Promise<T | undefined> {
    this.pick.show();
    try {
      return await new Promise((resolve) => {
        this.pick.onDidAccept(() => resolve(this.pick.selectedItems[0]?.choice));
        this.pick.onDidHide(() => resolve(undefined));
      });
    } finally {
      this.pick.dispose();
    }
  }
}

/** `value` is for the user to edit, so it is not changed. */
type BoxOptions = Pick<
  editor.InputBoxOptions,
  'title' | 'prompt' | 'placeHolder' | 'value' | 'password' | 'ignoreFocusOut'
> & { validateInput?: (value: string) => string | undefined | Promise<string | undefined> };

export function showInputBox({ title, prompt, placeHolder, validateInput, ...options }: BoxOptions) {
  return editor.window.showInputBox({
    ...options,
    title: title && inertLine(title),
    prompt: prompt && inertLine(prompt),
    placeHolder: placeHolder && inertLine(placeHolder),
    validateInput: validateInput && (async (value) => inertLine((await validateInput(value)) ?? '')),
  });
}

/** The path of the chosen file; undefined when dismissed. */
export async function showSaveDialog({ title, saveLabel, ...options }: editor.SaveDialogOptions) {
  const chosen = await editor.window.showSaveDialog({
    ...options,
    title: title && inertLine(title),
    saveLabel: saveLabel && inertLine(saveLabel),
  });
  return chosen?.fsPath;
}

/** The path of the chosen file or folder; undefined when dismissed. */
export async function showOpenDialog({ title, openLabel, ...options }: editor.OpenDialogOptions) {
  const chosen = await editor.window.showOpenDialog({
    ...options,
    title: title && inertLine(title),
    openLabel: openLabel && inertLine(openLabel),
  });
  return chosen?.[0]?.fsPath;
}
