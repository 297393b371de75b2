import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Debouncer } from './debouncer';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('acts at once after a pause, and groups frequent events', () => {
  const told: string[][] = [];
  const batch = new Debouncer(250, (keys) => told.push([...keys]));
  batch.add('a');
  vi.advanceTimersByTime(20);
  expect(told).toEqual([['a']]);
  for (let i = 0; i < 100; i++) {
    batch.add('a', 'b');
    vi.advanceTimersByTime(10);
  }
  expect(told.length).toBeLessThanOrEqual(5);
  expect(told[1]).toEqual(['a', 'b']);
  batch.add();
  vi.advanceTimersByTime(300);
  expect(told.at(-1)).toEqual([]);
  batch.add('b');
  batch.add();
  vi.advanceTimersByTime(300);
  expect(told.slice(-2)).toEqual([[], ['b']]);
  batch.add('c');
  batch.dispose();
  vi.advanceTimersByTime(1000);
  expect(told.flat()).not.toContain('c');
});
