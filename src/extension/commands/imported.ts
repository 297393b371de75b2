/** Stage 3 on imported cases. No run trained on them, so the experiment and student must be chosen. */
import { realpathSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parse } from 'jsonc-parser';
import { readConfig } from '../../runs/reading';
import { currentText } from '../config/texts';
import * as vscode from '../vscode';
import type { ExperimentFile } from '../workspace/experiment-file';
import { attempt } from '../workspace/file-cache';

/** The file that a run's cases were imported from; undefined for a run that trained. */
export function importedInto(run: string): string | undefined {
  const config = attempt(run, () => readConfig(run)).value as { imported?: { file?: unknown } } | undefined;
  const file = config?.imported?.file;
  return typeof file === 'string' ? file : undefined;
}

/**
 * Whether to continue with this experiment. Stage 3 uses an added case only if it is one of the experiment's training
 * rows. If the cases come from another file, warns, and offers to make an experiment on that file.
 */
export async function learnsFrom({ file, name }: ExperimentFile, cases: string): Promise<boolean> {
  if (trainsOn(file, currentText(file) ?? '', cases)) return true;
  const [make, go] = ['New Experiment on That File', 'Run Anyway'];
  const answer = await vscode.window.showWarningMessage(
    `${name} does not train on ${basename(cases)}, where these cases come from.`,
    {
      modal: true,
      detail: 'Stage 3 takes the cases that are among its training rows (same id and question) and skips the others.',
    },
    make,
    go,
  );
  if (answer === make) await vscode.commands.executeCommand('distillery.newExperiment', vscode.Uri.file(cases));
  return answer === go;
}

/** Whether the experiment in a file has these problems among its training rows. */
function trainsOn(experiment: string, text: string, cases: string): boolean {
  const { data } = (parse(text, [], { allowTrailingComma: true }) ?? {}) as { data?: { train?: { path?: unknown } } };
  const path = data?.train?.path;
  return typeof path === 'string' && realPath(resolve(dirname(experiment), path)) === realPath(cases);
}

const realPath = (path: string) => attempt(path, () => realpathSync(path)).value ?? path;
