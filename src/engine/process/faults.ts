/** Engine failures as errors that people can act on. */
import { DiskFull } from '../../disk';
import { UserError } from '../../errors';
import { cancelledCode, fault } from './wire';

/** The engine's process exited, is silent, or does not speak the protocol. Its state is lost; it may be restarted. */
export class EngineLost extends UserError {
  constructor(why: string, words: readonly string[], { remedy, cause }: { remedy?: string; cause?: unknown } = {}) {
    const told = remedyOf(why, words);
    super(`the engine is lost: ${why}`, { code: 'engine', remedy: remedy ? `${remedy} ${told}` : told, cause });
    this.name = 'EngineLost';
  }
}

function remedyOf(why: string, words: readonly string[]): string {
  if (words.length > 0) return `Its last output: ${words.join('\n  ')}`;
  if (why.includes('SIGKILL'))
    return (
      'The system kills processes that use too much memory: lower microBatchTokens if it ' +
      'happened in training; prompts, group or maxNewTokens if it happened in sampling.'
    );
  if (!/^it (ended|was)/.test(why))
    return 'Its command must start an engine that speaks this protocol: docs/engine.md.';
  return 'It printed nothing. Try its command in a terminal: it should wait without printing anything.';
}

/** The engine cancelled a request on demand. */
export class RequestCancelled extends Error {}

/** Converts an error response. */
export function errorOf(answer: unknown, method: string): Error {
  const { code, message, data } = (answer ?? {}) as { code?: unknown; message?: unknown; data?: unknown };
  if (code === cancelledCode) return new RequestCancelled();
  const known = fault.safeParse(data);
  if (known.success) {
    const { message: text, ...place } = known.data;
    return place.code === 'disk' ? new DiskFull(text, place) : new UserError(text, place);
  }
  return new UserError(
    `the engine failed (${method}): ${String(message ?? 'it does not give a reason').slice(0, 2000)}`,
    {
      code: 'engine',
      remedy: 'This is a defect of the engine; its log may say more.',
    },
  );
}
