import { writeSync } from 'node:fs';
import { pathError } from '../disk';
import { isOutOfMemory, UserError } from '../errors';
import type { HostFault } from '../protocol/control';

export const cancelledFault: HostFault = { code: 'cancelled', message: 'it was cancelled' };

/** An error in transmitted form. Anything that is not a UserError is a defect. */
export function faultOf(thrown: unknown): HostFault {
  const error = pathError(thrown);
  if (error instanceof UserError) {
    const { code, message, file, line, column, remedy } = error;
    return { code, message, file, line, column, remedy };
  }
  const { message } = error as Error;
  if (isOutOfMemory(error))
    return {
      code: 'memory',
      message: `there was not enough memory: ${message}`,
      remedy: 'Close other programs, ask for fewer and shorter answers at a time, or use a smaller student.',
    };
  return { code: 'defect', message: message ?? String(error) };
}

/** Writes a line to host.log at once, as the engine's thread may be busy or about to die. */
export function log(level: 'info' | 'warning' | 'error', text: string): void {
  try {
    writeSync(2, `${new Date().toISOString()} ${level} ${text}\n`);
  } catch {
    // There is no reader, or the disk is full: training continues.
  }
}
