/** The bundled command line. It does, in a process of its own, work whose modules the extension must not import. */
import { join } from 'node:path';
import { allowedEnvironment, findNode } from '../client/find-node';
import { type ErrorCode, UserError } from '../errors';
import { packageRoot } from '../paths';
import { setting } from './settings';

/** How to run `distillery <args>`: with the Node and the environment variables of training hosts. */
export async function commandLine(args: readonly string[]) {
  const node = await findNode(setting('node', ''));
  return {
    command: node.command,
    args: [join(packageRoot(), 'dist', 'cli.js'), ...args],
    env: { ...allowedEnvironment(process.env), ...node.env },
  };
}

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
