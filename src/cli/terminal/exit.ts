import { CommanderError } from 'commander';
import { pathError } from '../../disk';
import { UserError } from '../../errors';
import { visibleJson } from '../../foreign-text';
import { onBrokenOutput, pc, stderr, stdout } from './terminal';

/**
 * Exit codes, for scripts: 0 success, 1 a defect of this program, 2 wrong input or environment, 130 stopped by the
 * user.
 */
export const exitCodes = { defect: 1, input: 2, stopped: 130 } as const;

/** Prints an error (for wrong input: place and remedy; for a defect: the stack) and sets the exit code. */
export function fail(thrown: unknown, json: boolean): void {
  const error = pathError(thrown);
  if (error instanceof CommanderError) {
    // Commander has printed its message already; it throws with code 0 for help and version.
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.input;
    const [message, hint] = error.message.replace(/^error: /, '').split('\n');
    const remedy = hint?.replace(/^\((.*)\)$/, '$1');
    if (json && error.exitCode !== 0) print({ error: { code: 'usage', message, remedy } });
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

/** One JSON value on its own line. */
export function print(value: object): void {
  stdout.write(`${visibleJson(value)}\n`);
}

/** An indented JSON document, for people and scripts. */
export function printDocument(value: object): void {
  stdout.write(`${visibleJson(value, 2)}\n`);
}

/**
 * Exits silently when the reader of the output is gone (`| head`), as other tools do. A command that handles interrupts
 * ends by itself, as it has something to save.
 */
export function endOnBrokenPipe(): void {
  onBrokenOutput((error) => {
    if (error.code !== 'EPIPE') throw error;
    if (process.listenerCount('SIGINT') === 0) process.exit(0);
  });
}
