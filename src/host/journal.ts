import { encode } from '../json';
import type { HostEvent, HostEventContent } from '../protocol/control';

/** Maximum number of events in the journal, and in one answer. */
const limits = { events: 5000, bytes: 4 << 20, batchEvents: 500, batchBytes: 1 << 20 };

/** Milliseconds in which events are collected before waiting clients are answered. */
const gathering = 40;

interface Waiter {
  after: number;
  wake: () => void;
}

/**
 * The host's newest events, numbered from 1. Clients read from a cursor and may fall behind without blocking the host.
 */
export class EventJournal {
  private readonly kept: { event: HostEvent; bytes: number }[] = [];
  private bytes = 0;
  private readonly waiting = new Set<Waiter>();
  private timer?: NodeJS.Timeout;

  /** `last`: number of the newest event; the next one follows it. */
  constructor(
    public last = 0,
    private readonly most = limits,
  ) {}

  add(happening: HostEventContent): HostEvent {
    // As transmitted: JSON has no NaN.
    const text = encode({ seq: ++this.last, time: new Date().toISOString(), ...happening });
    const event = JSON.parse(text) as HostEvent;
    this.kept.push({ event, bytes: text.length });
    this.bytes += text.length;
    while (this.kept.length > this.most.events || (this.bytes > this.most.bytes && this.kept.length > 1))
      this.bytes -= this.kept.shift()!.bytes;
    if (this.waiting.size > 0) this.timer ??= setTimeout(() => this.tell(), gathering);
    return event;
  }

  /**
   * Events after a cursor, oldest first, limited to one answer; undefined when some of them are no longer kept, or the
   * cursor is unknown.
   */
  after(seq: number): HostEvent[] | undefined {
    if (seq === this.last) return [];
    const first = this.last - this.kept.length + 1;
    if (seq > this.last || seq < first - 1) return undefined;
    const batch: HostEvent[] = [];
    let bytes = 0;
    for (let i = seq - first + 1; i < this.kept.length && batch.length < this.most.batchEvents; i++) {
      bytes += this.kept[i].bytes;
      if (batch.length > 0 && bytes > this.most.batchBytes) break;
      batch.push(this.kept[i].event);
    }
    return batch;
  }

  /** Resolves when there are events after `seq`, after `ms` at the latest, or when `signal` is aborted. */
  async wait(seq: number, ms: number, signal: AbortSignal): Promise<void> {
    if (seq !== this.last || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const waiter: Waiter = {
        after: seq,
        wake: () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', waiter.wake);
          this.waiting.delete(waiter);
          resolve();
        },
      };
      const timer = setTimeout(waiter.wake, ms);
      signal.addEventListener('abort', waiter.wake);
      this.waiting.add(waiter);
    });
  }

  /** Answers all waiting clients now. */
  tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const { wake } of [...this.waiting]) wake();
  }
}
