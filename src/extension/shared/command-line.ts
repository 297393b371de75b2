/** The bundled command line. It does, in a process of its own, work whose modules the extension must not import. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { allowedEnvironment, findNode } from '../../client/find-node';
import { type ErrorCode, UserError } from '../../errors';
import { packageRoot } from '../../paths';
import { setting } from './settings';

/** How to run `distillery <args>`: with the Node and environment variables of training hosts. */
export async function commandLine(args: readonly string[]) {
  const node = await findNode(setting('node', ''));
  return {
    command: node.command,
    args: [join(packageRoot(), 'dist', 'cli.js'), ...args],
    env: { ...allowedEnvironment(process.env), ...node.env },
  };
}

/** Runs `distillery <args> --json` to its end. @throws UserError for an error that it reports */
export async function runCommandLine<T>(args: readonly string[], timeout?: number): Promise<T> {
  const line = await commandLine([...args, '--json']);
  const { stdout } = await promisify(execFile)(line.command, line.args, { env: line.env, timeout }).catch(
    (error: { stdout?: string }) => {
      if (!error.stdout) throw error;
      return { stdout: error.stdout };
    },
  );
  return parseOutput<T>(stdout);
}

/** What `distillery <args>` prints. @throws UserError with what it reports when it fails */
export async function printedBy(args: readonly string[], signal?: AbortSignal): Promise<string> {
  const line = await commandLine(args);
  const options = { env: line.env, signal, maxBuffer: 16 << 20 };
  const { stdout } = await promisify(execFile)(line.command, line.args, options).catch((error: { stderr?: string }) => {
    throw error.stderr ? new UserError(error.stderr.trim().replace(/^error /, '')) : error;
  });
  return stdout;
}

/** The environment variables whose names match, beyond those of a training host. */
export const variablesLike = (names: RegExp): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => names.test(name)));

/**
 * The result of a command with --json. @throws UserError for an error that it reports; SyntaxError for output that is
 * not JSON
 */
export function parseOutput<T>(output: string): T {
  const answer: T | { error: { message: string; file?: string; remedy?: string; code: ErrorCode } } =
    JSON.parse(output);
  if (typeof answer === 'object' && answer !== null && 'error' in answer)
    throw new UserError(answer.error.message, answer.error);
  return answer as T;
}
