import pc from 'picocolors';
import { UserError } from '../errors';

/** Exit codes, for scripts: 0 done, 1 a defect of ours, 2 wrong input or environment, 130 stopped by the user. */
export const exitCodes = { defect: 1, input: 2, stopped: 130 } as const;

/** Prints an error as its kind deserves (input: place and remedy; defect: stack) and sets the exit code. */
export function fail(error: unknown, json: boolean): void {
  const known = error instanceof UserError;
  process.exitCode = known ? exitCodes.input : exitCodes.defect;
  if (json) {
    const { message, file, line, column, remedy, code } = (
      known ? error : { message: String(error), code: 'defect' }
    ) as Partial<UserError>;
    process.stdout.write(`${JSON.stringify({ error: { code, message, file, line, column, remedy } })}\n`);
    return;
  }
  process.stderr.write(`${pc.red('error')} ${known ? error.toString() : ((error as Error)?.stack ?? String(error))}\n`);
}
