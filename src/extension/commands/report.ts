import { pathError } from '../../disk';
import { UserError } from '../../errors';
import { sentences } from '../../words';
import type { Services } from '../services';
import { carryOut, commandOffer, type Offer } from '../shared/offers';
import * as vscode from '../vscode';
import { requireTrust } from '../workspace/trust';

/**
 * Reports an error: a UserError with its message, its place and a button to open the file; anything else as a defect,
 * with the log.
 */
export async function report(thrown: unknown, log: vscode.LogOutputChannel): Promise<void> {
  if (isCancellation(thrown)) return;
  const error = pathError(thrown);
  if (error instanceof UserError) {
    log.warn(error.toString());
    const place = error.file && [vscode.workspace.asRelativePath(error.file), error.line].filter(Boolean).join(':');
    const text = place ? `${place}: ${sentences(error)}` : sentences(error);
    const open = { title: 'Open File', run: () => openAt(error) };
    return carryOut(vscode.window.showErrorMessage(text, ...(opens(error) ? [open] : []), ...remedies(error)));
  }
  log.error(error instanceof Error ? error : String(error));
  const text = `Distillery: ${error instanceof Error ? error.message : String(error)}`;
  return carryOut(vscode.window.showErrorMessage(text, { title: 'Show Log', run: () => log.show() }));
}

/** Buttons that do what the error's remedy says. */
function remedies({ code }: UserError): Offer[] {
  if (code === 'trust') return [commandOffer('Manage Workspace Trust', 'workbench.trust.manage')];
  if (code === 'no-run') return [commandOffer('Run Curriculum', 'distillery.runCurriculum')];
  if (code !== 'no-experiment') return [];
  return [
    commandOffer('Try the Built-in Experiment', 'distillery.openExample'),
    commandOffer('New Experiment', 'distillery.newExperiment'),
  ];
}

/** Registers a command whose errors are reported to the user. */
export function command<A extends unknown[]>(
  { log }: Services,
  id: `distillery.${string}`,
  run: (...args: A) => unknown,
): vscode.Disposable {
  return vscode.commands.registerCommand(id, async (...args: A) => {
    try {
      return await run(...args);
    } catch (error) {
      void report(error, log);
      return undefined;
    }
  });
}

/** Registers a command that starts or writes something. It is refused in Restricted Mode. */
export const trustedCommand: typeof command = (services, id, run) =>
  command(services, id, (...args: Parameters<typeof run>) => {
    requireTrust();
    return run(...args);
  });

const opens = ({ file }: UserError) => file !== undefined && /\.(json|jsonl|txt|md|log)$/.test(file);

async function openAt({ file, line, column }: UserError): Promise<void> {
  const at = new vscode.Position(Math.max(0, (line ?? 1) - 1), Math.max(0, (column ?? 1) - 1));
  await vscode.window.showTextDocument(vscode.Uri.file(file!), { selection: new vscode.Range(at, at) });
}

const isCancellation = (error: unknown) =>
  error instanceof vscode.CancellationError || (error as Error | null)?.name === 'AbortError';
