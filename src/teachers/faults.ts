/** What can go wrong with one request, by what to do about it. */
export type FaultKind =
  /** Asking again may help: no connection, too many requests, a server's error, a cut or garbled reply. */
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
      /** How long the server asks to wait. */
      retryAfterMs?: number;
      /** Too many requests: everybody waits, not this request only. */
      throttled?: boolean;
      /** Attempts that this is worth, where each is paid for; absent: as many as the pace has. */
      attempts?: number;
      remedy?: string;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'TeacherFault';
  }
}

/**
 * The wait that `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3); `retry-after-ms` as some servers say it.
 */
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
