import { basename, dirname } from 'node:path';
import { UserError } from '../../errors';
import { type Run, type ShownState, stateOf } from '../../runs/reading';
import type { TrainedStage } from '../../stages';
import { reachedText } from '../runs/items';
import { listingName } from '../runs/nodes';
import type { Services } from '../services';
import { duration, resultText } from '../shared/words';
import * as vscode from '../vscode';
import { type ExperimentFile, experimentSuffix, readExperiment } from '../workspace/experiment-file';
import type { Named } from './arguments';
import { estimatedSeconds } from './estimate';
import { type MeasuredTime, measuredSeconds } from './measured-time';
import { runChoice } from './run-choice';
import { type StartingPoint, startingPoints } from './starting-points';

type ValueItem<T> = vscode.QuickPickItem & { value: T };

/** Asks for one of several values; a single one is taken without asking. Undefined when dismissed. */
async function choose<T>(
  items: ValueItem<T>[] | Promise<ValueItem<T>[]>,
  title: string,
  placeHolder: string,
): Promise<T | undefined> {
  if ('length' in items && items.length <= 1) return items[0]?.value;
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder,
    matchOnDescription: true,
    matchOnDetail: true,
    // When the palette closes, focus returns to the active page, perhaps only after this list was shown.
    ignoreFocusOut: true,
  });
  return picked?.value;
}

/** The experiment: the one named, that of the named run, the one in the editor, the only one, or the user's choice. */
export async function pickExperiment(
  { runs }: Services,
  { experiment, run, runs: folder, name }: Named,
  title: string,
): Promise<ExperimentFile | undefined> {
  if (experiment) return readExperiment(experiment);
  await runs.ready;
  const files = runs.experiments();
  const listing = run === undefined ? undefined : runs.cache.find(run);
  const place = listing ? { runs: dirname(listing.folder), name: listingName(listing) } : { runs: folder, name };
  if (place.runs !== undefined) {
    const found = files.find((file) => file.runs === place.runs && file.name === place.name);
    if (found) return found;
    throw new UserError(`the experiment "${place.name}" of these runs no longer exists`, {
      file: place.runs,
      code: 'missing',
      remedy: 'Put its *.distillery.json file back.',
    });
  }
  const open = vscode.window.activeTextEditor?.document.uri;
  if (open?.scheme === 'file' && open.fsPath.endsWith(experimentSuffix)) return readExperiment(open.fsPath);
  if (files.length === 0)
    throw new UserError('there is no experiment in this workspace', {
      code: 'no-experiment',
      remedy: 'Create one, or try the built-in one.',
    });
  const items = files.map((value) => ({
    label: value.name,
    description: vscode.workspace.asRelativePath(value.file),
    detail: value.description,
    value,
  }));
  return choose(items, title, 'Experiment');
}

interface RunPick {
  title: string;
  /** Absent: any run. */
  fits?: (state: ShownState, run: Run) => boolean;
  /** The message when no run fits. */
  none: { message: string; remedy?: string };
}

/** A suitable run: the one named, the only one, or the user's choice. */
export async function pickRun(
  { runs }: Services,
  { run }: Named,
  { title, fits = () => true, none }: RunPick,
): Promise<string | undefined> {
  if (run) return run;
  await runs.ready;
  const items = runs.selectedFirst().flatMap((listing) => {
    if (!('run' in listing) || !fits(stateOf(listing.run), listing.run)) return [];
    return [{ ...runChoice(listing, runs.cache), value: listing.folder }];
  });
  if (items.length === 0) throw new UserError(none.message, { code: 'run', remedy: none.remedy });
  return choose(items, title, 'Run');
}

/** A checkpoint of any run or another offered choice: the one named, or the user's choice. */
export async function pickCheckpoint(
  { runs }: Services,
  { checkpoint, run }: Named,
  title: string,
  others: (vscode.QuickPickItem & { value: string })[] = [],
): Promise<string | undefined> {
  if (checkpoint) return checkpoint;
  await runs.ready;
  const listings = run ? [runs.cache.find(run)] : runs.list();
  const items = listings.flatMap((listing) => {
    const description = reachedText(listing, runs.cache);
    return runs.cache.checkpoints(listing).map(({ name, folder, row }) => ({
      icon: row ? 'star-full' : undefined,
      label: name,
      description,
      detail: row && `Selected and tested: ${resultText(row)}`,
      value: folder,
    }));
  });
  if (items.length === 0)
    throw new UserError('there is no checkpoint yet', { code: 'no-run', remedy: 'Run a curriculum first.' });
  return choose([...items, ...others], title, 'Checkpoint');
}

/**
 * The checkpoint that a stage starts from. Not asked when there is no choice, nor for Stage 1, which starts from the
 * student.
 */
export async function pickStart(
  { runs }: Services,
  stage: TrainedStage,
  experiment: ExperimentFile,
  title: string,
): Promise<StartingPoint | undefined> {
  const points = startingPoints(stage, experiment, runs.list(), runs.cache);
  if (stage === 'reconstruct' || points.length === 1) return points.find(({ checkpoint }) => !checkpoint);
  const items = points.map((value, i) => ({
    label: value.name,
    description: value.run ? basename(value.run) : experiment.student,
    detail: [
      i === 0 && value.checkpoint ? 'Selected by the previous stage' : '',
      value.row ? resultText(value.row) : '',
    ]
      .filter(Boolean)
      .join(' · '),
    value,
  }));
  return choose(items, title, 'Start from');
}

/** Full or reduced budget; true means quick. Not asked when the experiment has one budget only. */
export async function pickBudget(
  { runs }: Services,
  experiment: ExperimentFile,
  title: string,
): Promise<boolean | undefined> {
  if (!experiment.quick) return false;
  const source = { list: () => runs.list(), cache: runs.cache };
  const [full, quick] = [false, true].map((reduced) => {
    const seconds = estimatedSeconds(experiment, reduced, source);
    return seconds === undefined
      ? undefined
      : `about ${duration(seconds)} of training on this machine, judging by an earlier run`;
  });
  const items = full === undefined ? measuredSeconds(experiment.file).then(measured) : budgets(full, quick);
  return choose(items, title, 'Budget');
}

function measured({ full, quick }: MeasuredTime): ValueItem<boolean>[] {
  const time = (seconds: number | null | undefined) =>
    typeof seconds === 'number' ? `roughly ${duration(seconds)}, judging by the speed of this machine` : undefined;
  return budgets(time(full), time(quick));
}

/** The two budgets, each with what is known of its time. */
function budgets(full: string | undefined, quick: string | undefined): ValueItem<boolean>[] {
  return [
    { label: 'Full Budget', description: 'as set in the experiment', detail: full, value: false },
    { label: 'Quick Budget', description: 'reduced: checks that everything works', detail: quick, value: true },
  ];
}
