/** A form for a new experiment on some data: columns, student and name, to accept as suggested or change one by one. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cellText } from '../../data/cells';
import { type Columns, columnsText, type SettledColumns } from '../../data/columns';
import { guessFormat } from '../../data/guess';
import { peek } from '../../data/read';
import type { Row } from '../../data/rows';
import { pickStudent } from '../runs/students';
import type { Services } from '../services';
import { clipLine } from '../shared/words';
import * as vscode from '../vscode';
import { type ColumnsLook, firstRowsText, optionOf, readFirstRow } from './first-row';

/** Dataset file extensions, for dialogs. */
export const datasetEndings = ['jsonl', 'json', 'csv', 'tsv', 'parquet', 'arrow', 'feather', 'gz', 'zst'];

export interface ExperimentForm {
  name: string;
  /** The value of `--columns`; undefined where the format itself names its columns. */
  columns?: string;
  /** Absolute; undefined for a copy of the built-in one. */
  student?: string;
}

const asked = ['question', 'choices', 'answer', 'chain'] as const;
type FormField = (typeof asked)[number];

interface FormInput {
  /** Folder of the data. */
  file: string;
  student?: string;
  /** The folder that the experiment's own folder is created in. */
  parent: string;
  name: string;
}

/** Undefined when dismissed. */
export async function fillForm(
  services: Services,
  title: string,
  given: FormInput,
): Promise<ExperimentForm | undefined> {
  const { file, parent } = given;
  const byColumns = guessFormat(file) === 'rows';
  let columns: Columns = {};
  let { name, student } = given;
  let look: ColumnsLook = byColumns ? readFirstRow(file, columns) : {};
  for (;;) {
    const items = [
      ...(look.fault === undefined ? [makeItem(look.columns)] : []),
      ...(byColumns ? [...asked.map((role) => roleItem(role, look)), rowsItem] : []),
      studentItem(student),
      { label: `name: ${name}`, detail: join(parent, name), change: 'name' as const },
    ];
    const placeHolder = look.fault ?? 'Read from the first row of the data. Choose an entry to change it.';
    const chosen = await vscode.window.showQuickPick(items, { title, placeHolder, ignoreFocusOut: true });
    if (!chosen) return undefined;
    const { change } = chosen;
    if (change === 'make') return { name, student, columns: look.columns && optionOf(look.columns) };
    if (change === 'rows') await showRows(file, columns);
    else if (change === 'student') student = await chooseStudent(services, title, student);
    else if (change === 'name') name = (await askName(title, parent, name)) ?? name;
    else {
      columns = { ...columns, ...(await chooseColumn(file, title, change)) };
      look = readFirstRow(file, columns);
    }
  }
}

const makeItem = (columns: SettledColumns | undefined) => ({
  icon: 'check',
  label: 'Create the Experiment',
  detail: columns ? columnsText(columns) : 'The columns are named in the data.',
  change: 'make' as const,
});

const roleItem = (role: FormField, { columns, first, choices }: ColumnsLook) => ({
  label: `${role}: ${[columns?.[role] ?? '–'].flat().join(' + ')}`,
  detail: clipLine((role === 'choices' ? choices : first?.[role]) ?? '–', 160),
  change: role,
});

const rowsItem = {
  icon: 'eye',
  label: 'Show the First Rows',
  detail: 'Read with these columns',
  change: 'rows' as const,
};

function studentItem(student: string | undefined) {
  return {
    label: `student: ${student === undefined ? 'the built-in one' : basename(student)}`,
    detail: student ?? 'Tiny: only checks that the pipeline works on your data; its results mean little',
    change: 'student' as const,
  };
}

async function showRows(file: string, columns: Columns): Promise<void> {
  const content = firstRowsText(file, columns);
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content }), { preview: true });
}

async function chooseColumn(file: string, title: string, role: FormField): Promise<Columns> {
  const { names, rows } = peek(file);
  const items = columnItems(names, rows[0]);
  if (role === 'choices') return chooseChoices(items, title);
  const column = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: `Which column is the ${role}?`,
    ignoreFocusOut: true,
  });
  return column ? { [role]: column.label } : {};
}

/** None: they are guessed again. */
async function chooseChoices(items: readonly vscode.QuickPickItem[], title: string): Promise<Columns> {
  const columns = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: 'Which column holds the choices? Or which columns, one for each choice?',
    ignoreFocusOut: true,
    canPickMany: true,
  });
  if (!columns) return {};
  const [first, ...others] = columns.map(({ label }) => label);
  return { choices: others.length > 0 ? [first, ...others] : first };
}

const columnItems = (names: readonly string[], row: Row | undefined) =>
  names.map((label) => ({ label, detail: clipLine(cellText(row?.[label], 'user') ?? '', 160) }));

async function chooseStudent(
  services: Services,
  title: string,
  before: string | undefined,
): Promise<string | undefined> {
  const builtIn = {
    label: 'The Built-in Student',
    detail: 'Tiny: only checks that the pipeline works; its results mean little',
  };
  const other = {
    label: 'Another Student…',
    detail: 'A folder, a GGUF file, a checkpoint, or a model of the Hub',
  };
  const picked = await vscode.window.showQuickPick([builtIn, other], {
    title,
    placeHolder: 'Which student?',
    ignoreFocusOut: true,
  });
  if (picked === builtIn) return undefined;
  return picked === other ? ((await pickStudent(services, title)) ?? before) : before;
}

export function askName(title: string, parent: string, value: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title,
    prompt: `Name of the experiment and of its folder in ${parent}`,
    value,
    ignoreFocusOut: true,
    validateInput: (name) => {
      if (!/^[^\\/:*?"<>|.][^\\/:*?"<>|]*$/.test(name)) return 'Not a valid folder name';
      return existsSync(join(parent, name)) ? 'A folder with this name exists' : undefined;
    },
  });
}
