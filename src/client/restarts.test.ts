import { describe, expect, it } from 'vitest';
import { nextRestart } from './restarts';

describe('restarts', () => {
  it('are four in three minutes, each after a longer pause', () => {
    let now = 1_000_000;
    let times: readonly number[] = [];
    const delays: (number | undefined)[] = [];
    for (let i = 0; i < 6; i++) {
      const restart = nextRestart(times, now);
      delays.push(restart?.delayMs);
      times = restart?.times ?? times;
      now += (restart?.delayMs ?? 0) + 1000; // it dies a second after it was started
    }
    expect(delays).toEqual([250, 1000, 4000, 16_000, undefined, undefined]);
    expect(nextRestart(times, now + 3 * 60_000)?.delayMs).toBe(250);
  });

  it('that lie far apart are never refused', () => {
    let times: readonly number[] = [];
    for (let now = 0; now < 100 * 60_000; now += 61_000) {
      const restart = nextRestart(times, now);
      expect(restart).toBeDefined();
      times = restart!.times;
      expect(times.length).toBeLessThanOrEqual(4);
    }
  });
});
