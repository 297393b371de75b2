import type { Host } from '../../client/api';
import { UserError } from '../../errors';
import type { HostResult } from '../../protocol/control';
import { stageTitles, type TrainedStage } from '../../stages';
import { configIssues } from '../config/issues';
import { currentText } from '../config/texts';
import type { Services } from '../services';
import { setting } from '../shared/settings';
import * as vscode from '../vscode';
import type { ExperimentFile } from '../workspace/experiment-file';
import { sameFile } from '../workspace/run-paths';
import { type Named, named } from './arguments';
import { importedInto, learnsFrom } from './imported';
import { pickBudget, pickExperiment, pickStart } from './pick';
import { trustedCommand } from './report';

/** Run Curriculum and Run Stage 1, 2 and 3. */
export function registerStart(services: Services): vscode.Disposable {
  const stage = (number: number, name: TrainedStage) =>
    trustedCommand(services, `distillery.runStage${number}`, (argument: unknown) =>
      start(services, named(argument), `Run ${stageTitles[name]}`, name),
    );
  return vscode.Disposable.from(
    trustedCommand(services, 'distillery.runCurriculum', (argument: unknown, options?: { quick?: boolean }) => {
      const quick = typeof options?.quick === 'boolean' ? { quick: options.quick } : {};
      return start(services, { ...named(argument), ...quick }, 'Run Curriculum');
    }),
    trustedCommand(services, 'distillery.runQuick', (argument: unknown) =>
      start(services, { ...named(argument), quick: true }, 'Run Curriculum Quickly'),
    ),
    stage(1, 'reconstruct'),
    stage(2, 'complete'),
    stage(3, 'rewrite'),
  );
}

/** Asks what is still open, starts the run, and shows it. Returns the run's folder. */
async function start(
  services: Services,
  given: Named,
  title: string,
  stage?: TrainedStage,
): Promise<string | undefined> {
  const cases = stage === 'rewrite' && given.run ? importedInto(given.run) : undefined;
  const experiment = await pickExperiment(services, cases ? {} : given, title);
  if (!experiment || (cases && !(await learnsFrom(experiment, cases)))) return undefined;
  if (stage && !experiment.stages.includes(stage))
    throw new UserError(`${stageTitles[stage]} is off in the experiment`, {
      file: experiment.file,
      code: 'config',
      remedy: `Remove "${stage}": false from its stages.`,
    });
  if (stage && !given.checkpoint) {
    const point = await pickStart(services, stage, experiment, title);
    if (!point) return undefined;
    given = { ...given, checkpoint: point.checkpoint };
  }
  refuseBroken(experiment);
  const quick = given.quick ?? (await pickBudget(services, experiment, title));
  if (quick === undefined || !(await saved(experiment))) return undefined;
  const host = services.hosts.of(experiment.file);
  const backend = setting('backend', 'experiment');
  const { run, already } = await whileStarting(experiment.name, host, () =>
    host.request('start', {
      experiment: experiment.file,
      ...(stage && { stages: [stage] }),
      ...(stage && given.checkpoint && { from: given.checkpoint }),
      ...(cases && { decisions: given.run }),
      ...(quick && { quick }),
      ...(backend !== 'experiment' && { backend }),
    }),
  );
  services.log.info(`${already ? 'Already in progress' : 'Started'}: ${run}`);
  services.runs.refresh(run);
  await showStartedRun(run);
  return run;
}

/** Errors that a run would refuse are reported before anything else is asked. */
function refuseBroken({ file }: ExperimentFile): void {
  const text = currentText(file);
  const found = text === undefined ? [] : configIssues('experiment', text, file, currentText);
  const errors = found.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const [{ line, column, message, remedy }] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new UserError(`${message}${more}`, { file, line, column, code: 'config', remedy });
}

/** The run uses what is on the screen; an unsaved file is refused. */
async function saved({ file }: ExperimentFile): Promise<boolean> {
  const open = vscode.workspace.textDocuments.filter(({ isDirty }) => isDirty);
  const own = open.filter(({ uri }) => sameFile(uri.fsPath, file) || uri.fsPath.endsWith('.reward.json'));
  for (const document of own) if (!(await document.save())) return false;
  return true;
}

/**
 * A host needs seconds to start and load data and student, so a message says so. A start request cannot be withdrawn:
 * cancelling ends the run.
 */
function whileStarting(name: string, host: Host, begin: () => Promise<HostResult<'start'>>) {
  const title = `Distillery: starting ${name}`;
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, (_, token) => {
    const started = begin();
    const left = new Promise<never>((_, reject) => {
      token.onCancellationRequested(() => {
        reject(new vscode.CancellationError());
        const cancel = ({ already }: HostResult<'start'>) => (already ? undefined : host.control('cancel'));
        started.then(cancel).catch(() => {}); // it did not start
      });
    });
    return Promise.race([started, left]);
  });
}

/** Shows a run that was just started, as the settings ask. */
export async function showStartedRun(run: string): Promise<void> {
  const what = setting('openOnStart', 'dashboard');
  if (what === 'dashboard') await vscode.commands.executeCommand('distillery.openDashboard', run);
  else if (what === 'runs') await vscode.commands.executeCommand('distillery.revealInRuns', run);
}
