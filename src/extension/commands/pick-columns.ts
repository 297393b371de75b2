/** Which column of a dataset holds what, with a look at its first row: agreed to before an experiment is made of it. */
import { textOf } from '../../data/cells';
import { type Columns, columnsText } from '../../data/columns';
import { guessFormat } from '../../data/guess';
import { peek } from '../../data/read';
import type { Row } from '../../data/rows';
import * as vscode from '../vscode';
import { clip } from '../words';
import { type Look, lookAt, optionOf } from './columns-look';

/** File endings of datasets, for dialogs. */
export const datasetEndings = ['jsonl', 'json', 'csv', 'tsv', 'parquet', 'arrow', 'feather', 'gz', 'zst'];

const asked = ['question', 'answer', 'chain'] as const;
type Asked = (typeof asked)[number];

/** What `--columns` is to say; '' where the format says what its columns are; undefined where nothing was chosen. */
export async function pickColumns(file: string, title: string): Promise<string | undefined> {
  if (guessFormat(file) !== 'rows') return '';
  const { t } = vscode.l10n;
  const { names, rows } = peek(file);
  let told: Columns = {};
  for (;;) {
    const look = lookAt(file, told);
    const use = { label: t('Use These Columns'), detail: look.columns && columnsText(look.columns), role: null };
    const items = asked.map((role) => ({ ...itemOf(role, look), role }));
    const placeHolder = look.fault ?? t('As in the first row of the file. Choose one to change it.');
    const chosen = await vscode.window.showQuickPick<(typeof items)[number] | typeof use>(
      look.columns ? [use, ...items] : items,
      { title, placeHolder, ignoreFocusOut: true },
    );
    if (!chosen) return undefined;
    if (chosen.role === null) return optionOf(look.columns!);
    const column = await vscode.window.showQuickPick(columnItems(names, rows[0]), { title, placeHolder: chosen.label });
    if (column) told = { ...told, [chosen.role]: column.label };
  }
}

const itemOf = (role: Asked, { columns, first }: Look) => ({
  label: `${role}: ${[columns?.[role] ?? '–'].flat().join(' + ')}`,
  detail: clip((first?.[role] ?? '–').replace(/\s+/g, ' '), 160),
});

const columnItems = (names: readonly string[], row: Row | undefined) =>
  names.map((label) => ({ label, detail: clip((textOf(row?.[label], 'user') ?? '').replace(/\s+/g, ' '), 160) }));
