/**
 * The command line that comes with the extension, where it does in a process of its own what the extension may not
 * import.
 */
import { join } from 'node:path';
import { allowedEnvironment, findNode } from '../client/find-node';
import { type ErrorCode, UserError } from '../errors';
import { packageRoot } from '../paths';
import { setting } from './settings';

/** How to run `distillery <args>`: the Node that hosts run on, and what of the environment they see. */
export async function commandLine(args: readonly string[]) {
  const node = await findNode(setting('node', ''));
  return {
    command: node.command,
    args: [join(packageRoot(), 'dist', 'cli.js'), ...args],
    env: { ...allowedEnvironment(process.env), ...node.env },
  };
}

/**
 * What a command answered with --json. @throws UserError for an error that it tells; SyntaxError for what is no answer
 */
export function answerOf<T>(output: string): T {
  const answer: T | { error: { message: string; file?: string; remedy?: string; code: ErrorCode } } =
    JSON.parse(output);
  if (typeof answer === 'object' && answer !== null && 'error' in answer)
    throw new UserError(answer.error.message, answer.error);
  return answer as T;
}
