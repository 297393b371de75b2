import { CommanderError } from 'commander';
import { UserError } from '../errors';
import { visibleJson } from '../foreign-text';
import { onBrokenOutput, pc, stderr, stdout } from './terminal';

/** Exit codes, for scripts: 0 done, 1 a defect of ours, 2 wrong input or environment, 130 stopped by the user. */
export const exitCodes = { defect: 1, input: 2, stopped: 130 } as const;

/** Prints an error as its kind deserves (input: place and remedy; defect: stack) and sets the exit code. */
export function fail(error: unknown, json: boolean): void {
  if (error instanceof CommanderError) {
    // Commander has written its message to stderr; asked for help or version, it ends with code 0.
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.input;
    const message = error.message.replace(/^error: /, '');
    if (json && error.exitCode !== 0) print({ error: { code: 'usage', message } });
    return;
  }
  const known = error instanceof UserError;
  process.exitCode = known ? exitCodes.input : exitCodes.defect;
  if (json) {
    const { message, file, line, column, remedy, code } = (
      known ? error : { message: String(error), code: 'defect' }
    ) as Partial<UserError>;
    print({ error: { code, message, file, line, column, remedy } });
    if (known) return;
  }
  stderr.write(`${pc.red('error')} ${known ? error.toString() : ((error as Error)?.stack ?? String(error))}\n`);
}

/** One JSON value on a line of its own. */
export function print(value: object): void {
  stdout.write(`${visibleJson(value)}\n`);
}

/** A JSON document for people's eyes and scripts alike. */
export function printDocument(value: object): void {
  stdout.write(`${visibleJson(value, 2)}\n`);
}

/**
 * Ends without a word when the reader of the output is gone (`| head`), as other tools do. A command that listens for
 * interrupts is left to end by itself: it has something to save.
 */
export function endOnBrokenPipe(): void {
  onBrokenOutput((error) => {
    if (error.code !== 'EPIPE') throw error;
    if (process.listenerCount('SIGINT') === 0) process.exit(0);
  });
}
