/** What goes wrong with an engine, as errors that a person can act on. */
import { DiskFull } from '../../disk';
import { UserError } from '../../errors';
import { cancelledCode, fault } from './wire';

/**
 * The process of an engine is gone, silent or speaks no protocol: what it held is lost, and it may be started again.
 */
export class EngineLost extends UserError {
  constructor(why: string, words: readonly string[], cause?: unknown) {
    super(`the engine is lost: ${why}`, { code: 'engine', remedy: remedyOf(why, words), cause });
    this.name = 'EngineLost';
  }
}

function remedyOf(why: string, words: readonly string[]): string {
  if (words.length > 0) return `Its last words: ${words.join('\n  ')}`;
  if (why.includes('SIGKILL'))
    return (
      'Systems end so what takes too much memory: lower microBatchTokens where it ' +
      'trains; prompts, group or maxNewTokens where it generates.'
    );
  return 'It left no words. Try its command in a terminal: it should wait without printing anything.';
}

/** The engine ended a request because it was asked to. */
export class RequestCancelled extends Error {}

/** The error that a request was answered with. */
export function errorOf(answer: unknown, method: string): Error {
  const { code, message, data } = (answer ?? {}) as { code?: unknown; message?: unknown; data?: unknown };
  if (code === cancelledCode) return new RequestCancelled();
  const known = fault.safeParse(data);
  if (known.success) {
    const { message: text, ...place } = known.data;
    return place.code === 'disk' ? new DiskFull(text, place) : new UserError(text, place);
  }
  return new UserError(`the engine failed (${method}): ${String(message ?? 'it does not say why').slice(0, 2000)}`, {
    code: 'engine',
    remedy: 'This is a defect of the engine; its log may say more.',
  });
}
