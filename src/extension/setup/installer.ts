import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { UserError } from '../../errors';
import type { Services } from '../services';
import { cancellable } from '../shared/cancellable';
import { commandLine, parseOutput, variablesLike } from '../shared/command-line';
import * as vscode from '../vscode';

/**
 * Runs `distillery <what> install <args>` in a process of its own, with progress under `title`. Resolves to its result.
 */
export function install<Made>(
  { what, args, title }: { what: 'backend' | 'engine'; args: string[]; title: string },
  { log }: Services,
): Thenable<Made> {
  return cancellable(title, async (signal, progress) => {
    const line = await commandLine([what, 'install', '--json', '--progress', ...args]);
    if (signal.aborted) throw new vscode.CancellationError();
    log.info(`${line.command} ${line.args.join(' ')}`);
    const env = { ...variablesLike(network), ...line.env };
    const child = spawn(line.command, line.args, { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    signal.addEventListener('abort', () => child.kill('SIGINT'));
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    createInterface(child.stderr).on('line', (line) => {
      const step = stepOf(line);
      if (step) progress.report({ message: step });
      else log.info(line);
    });
    await new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
    if (signal.aborted) throw new vscode.CancellationError();
    return resultOf<Made>(output);
  });
}

/** Environment variables for network, compilers and Python environments, beyond those of a training host. */
const network =
  /^((https?|no)_proxy|npm_config_registry|(pip|uv)_\w+|cxx|virtual_env|conda_prefix|xdg_\w+|node_extra_ca_certs)$/i;

/** A line of `--progress` in words; null for other lines. */
export function stepOf(line: string): string | null {
  try {
    const { doing, done, total } = JSON.parse(line) as { doing?: string; done?: number; total?: number };
    if (typeof doing !== 'string') return null;
    return total ? `${doing}, ${Math.floor((100 * (done ?? 0)) / total)} %` : doing;
  } catch {
    return null;
  }
}

/** The command line's result. @throws UserError with its message and remedy */
export function resultOf<Made>(output: string): Made {
  try {
    return parseOutput<Made>(output);
  } catch (error) {
    if (!(error instanceof UserError)) throw new Error('the installer gave no result; its output is in the log');
    const place = error.file ? `${error.file}: ` : '';
    throw new UserError(`${place}${error.message}`, { remedy: error.remedy, code: error.code });
  }
}
