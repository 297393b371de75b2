import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Control } from './control';
import type { ToEngine } from './messages';

let control: Control;
let sent: ToEngine[];
const kill = vi.fn();
beforeEach(() => {
  vi.useFakeTimers();
  kill.mockClear();
  sent = [];
  control = new Control({ toEngine: (message) => sent.push(message), graceMs: 10_000, kill, changed: () => {} });
});
afterEach(() => void vi.useRealTimers());

const run = { folder: '/runs/r', name: 'r', backend: 'b', since: '2026-01-01T00:00:00.000Z' };
const idOf = (message: ToEngine | undefined) => (message as { id: string }).id;

async function resume(): Promise<void> {
  const answer = control.resume({ run: run.folder });
  const id = idOf(sent.at(-1));
  control.receive({ type: 'happening', happening: { type: 'run', run, resumed: true } });
  control.receive({ type: 'answer', id, result: { run: run.folder, already: false } });
  await answer;
}
const end = () =>
  control.receive({ type: 'happening', happening: { type: 'ended', run: run.folder, outcome: 'cancelled' } });

it('cancelled work that does not stop ends with the process', async () => {
  await resume();
  control.verb('cancel');
  vi.advanceTimersByTime(9000);
  control.verb('cancel');
  expect(kill).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1300);
  expect(kill).toHaveBeenCalledOnce();
});

it('a cancel does not affect work that begins later, even in the same run', async () => {
  await resume();
  const asked = control.job({ kind: 'doctor', params: {} }, new AbortController().signal);
  const id = idOf(sent.at(-1));
  control.verb('cancel');
  control.receive({ type: 'refusal', id, fault: { code: 'cancelled', message: 'it was cancelled' } });
  await expect(asked).rejects.toThrow('cancelled');
  end();
  await resume();
  const another = control.job({ kind: 'doctor', params: {} }, new AbortController().signal);
  another.catch(() => {});
  vi.advanceTimersByTime(60_000);
  expect(kill).not.toHaveBeenCalled();
  control.verb('cancel');
  end();
  vi.advanceTimersByTime(11_000);
  expect(kill).toHaveBeenCalledOnce(); // the job is still there
});
