/**
 * Decides when the next request may be sent, and how often one is repeated. p-retry repeats each call on its own; here
 * all requests to a teacher wait together, as long as its replies require.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TeacherFault } from './faults';

export interface Pace {
  /** Requests per minute; absent: unlimited. */
  requestsPerMinute?: number;
  /** Attempts per request. */
  attempts?: number;
  /** Wait before the first retry; each later one is doubled, up to `longestWaitMs`. */
  firstWaitMs?: number;
  longestWaitMs?: number;
}

/** The gate of all requests to one teacher: spaced by the pace, and closed for all while the teacher asks to wait. */
export class RequestGate {
  /** By the monotonic clock, as the other one may jump. */
  private next = 0;

  constructor(private readonly spacingMs: number) {}

  async pass(signal: AbortSignal): Promise<void> {
    for (;;) {
      const now = performance.now();
      if (now >= this.next) {
        this.next = now + this.spacingMs;
        return;
      }
      await sleep(this.next - now, undefined, { signal });
    }
  }

  shut(ms: number): void {
    this.next = Math.max(this.next, performance.now() + ms);
  }
}

/** Longest accepted wait that a server asks for; with more, the job ends and reports it. */
const longestRetryAfterMs = 10 * 60_000;

interface RetryOptions {
  pace: Pace;
  gate: RequestGate;
  signal: AbortSignal;
  /** Called before each wait. */
  waiting?: (fault: TeacherFault, ms: number) => void;
}

/**
 * Sends a request through the gate, repeatedly until it succeeds. Between attempts it waits with exponential backoff
 * and full jitter (M. Brooker, AWS Architecture Blog, 2015), or as long as the server asks. Throws the last fault when
 * all attempts are used up.
 */
export async function withRetries<T>({ pace, gate, signal, waiting }: RetryOptions, request: () => Promise<T>) {
  const { attempts = 6, firstWaitMs = 1000, longestWaitMs = 60_000 } = pace;
  for (let attempt = 1; ; attempt++) {
    await gate.pass(signal);
    signal.throwIfAborted();
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof TeacherFault) || error.kind !== 'passing') throw error;
      const { retryAfterMs, throttled, attempts: worth = attempts } = error.details;
      if (attempt >= Math.min(attempts, worth)) throw error;
      if (retryAfterMs !== undefined && retryAfterMs > longestRetryAfterMs)
        throw new TeacherFault(
          `${error.message}: asked to wait ${Math.round(retryAfterMs / 60_000)} minutes`,
          'teacher',
          {
            remedy: 'Run the same command again then; replies received so far are kept.',
            cause: error,
          },
        );
      const backoff = Math.random() * Math.min(longestWaitMs, firstWaitMs * 2 ** (attempt - 1));
      const ms = retryAfterMs === undefined ? backoff : retryAfterMs + 0.1 * backoff;
      waiting?.(error, ms);
      if (throttled) gate.shut(ms);
      else await sleep(ms, undefined, { signal });
    }
  }
}
