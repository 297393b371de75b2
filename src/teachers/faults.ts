import type { AnswerCutOff } from '../answer-limits';

/** Errors of a single request, by how to handle them. */
export type FaultKind =
  /** Transient: no connection, too many requests, a server error, a truncated or malformed reply. */
  | 'passing'
  /** This request is refused; others may pass: too long, filtered. */
  | 'request'
  /** No request will pass: wrong key, no such model, no money left. */
  | 'teacher';

export class TeacherFault extends Error {
  constructor(
    message: string,
    readonly kind: FaultKind,
    readonly details: {
      /** The wait that the server asks for. */
      retryAfterMs?: number;
      /** Too many requests: all requests wait, not only this one. */
      throttled?: boolean;
      /** Maximum attempts, if each one is paid for; absent: as many as the pace allows. */
      attempts?: number;
      remedy?: string;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'TeacherFault';
  }
}

/** A reply was abandoned at a limit. If a part of it arrived, it may be paid for, and is requested only once more. */
export const cutOffFault = (cause: AnswerCutOff, host: string, remedy: string) =>
  new TeacherFault(`no complete reply from ${host}: ${cause.message}`, 'passing', {
    ...(cause.arrived && { attempts: 2 }),
    remedy,
    cause,
  });

/** The wait in `Retry-After`: seconds or a date (RFC 9110, 10.2.3); `retry-after-ms` is a variant of some servers. */
export function retryAfter(
  headers: { get(name: string): string | null } | undefined,
  now = Date.now(),
): number | undefined {
  const milliseconds = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (milliseconds >= 0) return milliseconds;
  const text = headers?.get('retry-after')?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
