/** Stage 3 on cases that were imported: no run trained on them, so that experiment and student have to be asked for. */
import { realpathSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parse } from 'jsonc-parser';
import { readConfig } from '../../runs/reading';
import { textOf } from '../config/texts';
import type { ExperimentFile } from '../experiment-file';
import { attempt } from '../file-cache';
import * as vscode from '../vscode';

/** The file that a run's cases were imported from; undefined for a run that trained. */
export function importedInto(run: string): string | undefined {
  const config = attempt(run, () => readConfig(run)).value as { imported?: { file?: unknown } } | undefined;
  const file = config?.imported?.file;
  return typeof file === 'string' ? file : undefined;
}

/**
 * Whether to go on with this experiment. Stage 3 takes a picked case where it is one of the experiment's training rows:
 * where these come from another file, says so, and offers an experiment that has them.
 */
export async function learnsFrom({ file, name }: ExperimentFile, cases: string): Promise<boolean> {
  if (trainsOn(file, textOf(file) ?? '', cases)) return true;
  const { t } = vscode.l10n;
  const [make, go] = [t('New Experiment on That File'), t('Run All the Same')];
  const answer = await vscode.window.showWarningMessage(
    t('{0} does not learn from {1}, where these cases come from.', name, basename(cases)),
    {
      modal: true,
      detail: t(
        'Stage 3 takes the cases that are among its training rows, with the same id and question, and leaves out the others.',
      ),
    },
    make,
    go,
  );
  if (answer === make) await vscode.commands.executeCommand('distillery.newExperiment', vscode.Uri.file(cases));
  return answer === go;
}

/** Whether the experiment in a file names these problems as its training rows. */
export function trainsOn(experiment: string, text: string, cases: string): boolean {
  const { data } = (parse(text, [], { allowTrailingComma: true }) ?? {}) as { data?: { train?: { path?: unknown } } };
  const path = data?.train?.path;
  return typeof path === 'string' && real(resolve(dirname(experiment), path)) === real(cases);
}

const real = (path: string) => attempt(path, () => realpathSync(path)).value ?? path;
