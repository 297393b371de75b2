import { describe, expect, it } from 'vitest';
import { hostEventSchema } from '../protocol/control';
import { EventJournal } from './journal';

const line = (text: string) => ({ type: 'log' as const, level: 'info' as const, text });
const never = new AbortController().signal;

describe('the journal', () => {
  it('counts events from 1 and reads them from a cursor', () => {
    const journal = new EventJournal();
    expect(journal.after(0)).toEqual([]);
    for (const text of ['a', 'b', 'c']) journal.add(line(text));
    expect(journal.after(0)?.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(journal.after(2)).toMatchObject([{ seq: 3, text: 'c' }]);
    expect(journal.after(3)).toEqual([]);
    expect(journal.after(4)).toBeUndefined();
  });

  it('holds a limited number of events and bytes, and reports when a reader has missed some', () => {
    const journal = new EventJournal(0, { events: 4, bytes: 4000, batchEvents: 3, batchBytes: 2500 });
    for (let i = 0; i < 6; i++) journal.add(line(String(i)));
    expect(journal.after(1)).toBeUndefined();
    expect(journal.after(2)?.map(({ seq }) => seq)).toEqual([3, 4, 5]);
    for (let i = 0; i < 3; i++) journal.add(line('x'.repeat(1250)));
    expect(journal.after(5)).toBeUndefined();
    expect(journal.after(6)?.map(({ seq }) => seq)).toEqual([7]); // two would exceed the size of an answer
    journal.add(line('x'.repeat(10_000)));
    expect(journal.after(9)).toHaveLength(1); // the newest one stays, even if it is too large
    expect(journal.after(8)).toBeUndefined();
  });

  it('wakes readers when something comes, after a moment for more, or when their time is over', async () => {
    const journal = new EventJournal();
    let woken = false;
    const waiting = journal.wait(0, 60_000, never).then(() => {
      woken = true;
    });
    journal.add(line('a'));
    await Promise.resolve();
    expect(woken).toBe(false);
    journal.add(line('b'));
    await waiting;
    expect(journal.after(0)).toHaveLength(2);
    await journal.wait(2, 5, never);
    await journal.wait(0, 60_000, never); // there is something already
    const gone = new AbortController();
    const left = journal.wait(2, 60_000, gone.signal);
    gone.abort();
    await left;
  });

  it('keeps numbers that JSON does not have', () => {
    const journal = new EventJournal();
    const metrics = { seq: 1, time: '2026-02-05T14:03:09.123Z', stage: 'complete' as const, step: 1, loss: Number.NaN };
    const event = {
      type: 'update' as const,
      stage: 'complete' as const,
      phase: 'complete',
      update: 1,
      updates: 2,
      metrics,
    };
    journal.add({ type: 'curriculum', run: '/run', event });
    const [read] = journal.after(0)!;
    const back = hostEventSchema.parse(JSON.parse(JSON.stringify(read)));
    expect(back).toMatchObject({ event: { metrics: { loss: Number.NaN } } });
  });
});
