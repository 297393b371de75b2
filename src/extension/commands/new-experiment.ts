import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { UserError } from '../../errors';
import { locateDataset } from '../../hub/cache';
import { parseDatasetName } from '../../hub/dataset-name';
import type { Services } from '../services';
import { runCommandLine } from '../shared/command-line';
import { carryOut, commandOffer, offer } from '../shared/offers';
import * as vscode from '../vscode';
import { askName, datasetEndings, fillForm } from './experiment-form';
import { trustedCommand } from './report';

/** Settings of a new experiment; the user is asked for missing ones. */
interface ExperimentRequest {
  /** Absolute path of the folder to create or fill. */
  folder?: string;
  /** Absolute path of a file of problems, or a downloaded Hub dataset; without it, the built-in arithmetic. */
  data?: string;
  /** The roles of columns in the format of `--columns`; without it they are guessed. */
  columns?: string;
  /** A Hugging Face folder; without it, a copy of the built-in student. */
  student?: string;
}

/** The output of `distillery new --json`. */
interface NewExperiment {
  folder: string;
  experiment: string;
  files: string[];
  notes: string[];
}

const afterReload = 'openAfterReload';

type OpenedExperiment = Pick<NewExperiment, 'experiment' | 'notes'>;

/** The files to open after the window has reloaded. */
interface FilesToOpen extends OpenedExperiment {
  guided: boolean;
}

const walkthrough = ({ extension }: vscode.ExtensionContext) => `${extension.id}#firstCurriculum`;

/** New Experiment, and the built-in experiment of the walkthrough. Both run `distillery new`. */
export function registerNewExperiment(services: Services): vscode.Disposable {
  void openLast(services);
  return vscode.Disposable.from(
    trustedCommand(services, 'distillery.newExperiment', async (argument?: vscode.Uri | ExperimentRequest) => {
      const given = argument instanceof vscode.Uri ? { data: argument.fsPath } : (argument ?? {});
      const wish = given.folder ? given : await ask(services, given);
      return wish?.folder ? make(services, { ...wish, folder: wish.folder }) : undefined;
    }),
    trustedCommand(services, 'distillery.openExample', async () => {
      // Without an open folder there is no question: it goes to a default folder, which is shown afterwards.
      const parent = vscode.workspace.workspaceFolders?.length ? await parentFolder() : join(homedir(), 'distillery');
      if (!parent) return undefined;
      const existing = join(parent, 'arithmetic', 'arithmetic.distillery.json');
      if (existsSync(existing)) return open(services, { experiment: existing, notes: [] }, true);
      return make(services, { folder: freeFolder(parent, 'arithmetic') }, true);
    }),
  );
}

async function ask(services: Services, { data, student }: ExperimentRequest): Promise<ExperimentRequest | undefined> {
  const title = 'New Experiment';
  if (!data) {
    const kinds = [
      {
        label: 'Built-in Arithmetic',
        detail: 'Generated word problems and a small student: runs at once',
        from: 'generator',
      },
      {
        label: 'My Data',
        detail: 'Problems with teacher chains: JSON lines, JSON, CSV, Parquet or Arrow',
        from: 'file',
      },
      {
        label: 'Dataset of the Hugging Face Hub',
        detail: 'By name, such as openai/gsm8k/main: downloaded after you confirm its size',
        from: 'hub',
      },
    ];
    const kind = await vscode.window.showQuickPick(kinds, {
      title,
      placeHolder: 'What should the student learn from?',
    });
    if (!kind) return undefined;
    if (kind.from === 'hub') {
      data = await vscode.commands.executeCommand<string | undefined>('distillery.downloadDataset');
      if (!data) return undefined;
    } else if (kind.from === 'file') {
      const defaultUri = vscode.workspace.workspaceFolders?.[0]?.uri;
      const filters = { Datasets: datasetEndings };
      data = await vscode.window.showOpenDialog({ defaultUri, title: 'Problems with Teacher Chains', filters });
      if (!data) return undefined;
    }
  }
  const parent = await parentFolder();
  if (!parent) return undefined;
  const name = basename(freeFolder(parent, nameFor(data)));
  if (!data) {
    const chosen = await askName(title, parent, name);
    return chosen ? { folder: join(parent, chosen) } : undefined;
  }
  const file = locateDataset(data, homedir());
  const form = await fillForm(services, title, { file, student, parent, name });
  return form && { folder: join(parent, form.name), data, columns: form.columns, student: form.student };
}

/** The experiment's name, from its data. */
function nameFor(data: string | undefined): string {
  if (data === undefined) return 'arithmetic';
  const dataset = isAbsolute(data) ? null : parseDatasetName(data);
  return basename(dataset?.repository ?? data).replace(/\..*$/, '');
}

/** The folder of the workspace, or one that the user chooses. */
async function parentFolder(): Promise<string | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 1) return folders[0].uri.fsPath;
  if (folders.length > 1) return (await vscode.window.showWorkspaceFolderPick())?.uri.fsPath;
  const title = 'Folder for the Experiment';
  return vscode.window.showOpenDialog({ title, canSelectFolders: true, canSelectFiles: false });
}

function freeFolder(parent: string, name: string): string {
  let folder = join(parent, name);
  for (let i = 2; existsSync(folder); i++) folder = join(parent, `${name}-${i}`);
  return folder;
}

async function make(
  services: Services,
  { folder, data, columns, student }: ExperimentRequest & { folder: string },
  guided = false,
): Promise<string> {
  const options = Object.entries({ data, columns, student }).flatMap(([name, value]) =>
    value ? [`--${name}`, value] : [],
  );
  const made = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: `Distillery: creating ${basename(folder)}` },
    () => callNew(folder, options).catch((error) => withoutBadRows(error, folder, options)),
  );
  for (const note of made.notes) services.log.warn(note);
  await open(services, made, guided);
  return made.experiment;
}

/** Warnings, and the next step. */
async function showNextSteps({ log }: Services, { experiment, notes }: OpenedExperiment): Promise<void> {
  const preview = commandOffer('Preview Masking', 'distillery.previewMasking', { experiment });
  const run = commandOffer('Run Stage 1', 'distillery.runStage1', { experiment });
  const showLog = { title: 'Show Log', run: () => log.show() };
  const next = `${basename(dirname(experiment))} is ready. Next: preview the student's prompts, or run Stage 1.`;
  if (notes.length === 0) await offer(next, preview, run);
  else await carryOut(vscode.window.showWarningMessage([...notes, next].join(' '), preview, run, showLog));
}

/** Unusable rows are skipped when the user agrees. */
async function withoutBadRows(error: unknown, folder: string, options: readonly string[]): Promise<NewExperiment> {
  if (!(error instanceof UserError) || !error.remedy?.includes('--skip-bad')) throw error;
  const leave = 'Skip Them';
  if ((await vscode.window.showWarningMessage(error.message, { modal: true }, leave)) !== leave) throw error;
  return callNew(folder, [...options, '--skip-bad']);
}

const callNew = (folder: string, options: readonly string[]) =>
  runCommandLine<NewExperiment>(['new', folder, ...options]);

/**
 * Shows the experiment. Without an open folder its own is opened, which reloads the window; with `guided`, the
 * walkthrough comes back and shows the next step.
 */
async function open(services: Services, made: OpenedExperiment, guided: boolean): Promise<string> {
  const { experiment, notes } = made;
  const uri = vscode.Uri.file(experiment);
  if (vscode.workspace.workspaceFolders?.length) {
    services.runs.refresh();
    await vscode.window.showTextDocument(uri, { preview: false }); // a preview would replace the walkthrough
    await vscode.commands.executeCommand('distillery.runs.focus');
    if (!guided) void showNextSteps(services, made);
    return experiment;
  }
  await services.context.globalState.update(afterReload, { experiment, notes, guided });
  await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.joinPath(uri, '..'));
  return experiment;
}

async function openLast(services: Services): Promise<void> {
  const { context } = services;
  const { experiment, notes = [], guided } = context.globalState.get<Partial<FilesToOpen>>(afterReload) ?? {};
  if (!experiment || !vscode.workspace.getWorkspaceFolder(vscode.Uri.file(experiment))) return;
  await context.globalState.update(afterReload, undefined);
  if (!existsSync(experiment)) return;
  if (guided) await vscode.commands.executeCommand('workbench.action.openWalkthrough', walkthrough(context));
  const viewColumn = guided ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
  await vscode.window.showTextDocument(vscode.Uri.file(experiment), { viewColumn, preview: false });
  await vscode.commands.executeCommand('distillery.runs.focus');
  if (!vscode.workspace.isTrusted) await askForTrust();
  else if (!guided) await showNextSteps(services, { experiment, notes });
}

/**
 * VS Code may open a new folder in Restricted Mode without asking: what was just made cannot run until it is trusted.
 */
async function askForTrust(): Promise<void> {
  const text = 'The experiment is ready. To run it, trust its folder: VS Code opened it in Restricted Mode.';
  await offer(text, commandOffer('Manage Workspace Trust', 'workbench.trust.manage'));
}
