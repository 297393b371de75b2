import { describe, expect, it } from 'vitest';
import type { HostEvent } from '../../protocol/control';
import type { CurriculumEvent } from '../../runs/events';
import { ProgressMeter, progressParts, progressText } from './progress';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + 1000 * seconds).toISOString();
const told = (seconds: number, event: CurriculumEvent) =>
  ({ seq: 1, time: at(seconds), type: 'curriculum', run: '/run', event }) as Extract<HostEvent, { type: 'curriculum' }>;
const update = (seconds: number, n: number, updates = 100, phase = 'complete') =>
  told(seconds, {
    type: 'update',
    stage: 'complete',
    phase,
    update: n,
    updates,
    metrics: { seq: n, time: at(seconds), stage: 'complete', step: n, loss: 0, accuracy: 0.5, lengthMean: 90 },
  });

describe('progress', () => {
  it('estimates the remaining time from the last updates', () => {
    const meter = new ProgressMeter();
    meter.apply(told(0, { type: 'phase', stage: 'complete', phase: 'complete', updates: 100, done: 0 }));
    expect(meter.current).toEqual({ stage: 'complete', phase: 'complete', update: 0, updates: 100 });
    for (let n = 1; n <= 40; n++) meter.apply(update(n < 10 ? n * 60 : 600 + n, n));
    // The slow first updates are out of the window: one a second now.
    expect(meter.current?.left).toBeCloseTo(60);
    expect(progressText(meter.current!)).toBe('Stage 2 40/100');
    expect(progressParts(meter.current!)).toEqual(['50 %', '90 tok', 'Stage 2 40/100', '1 min left']);
  });

  it('keeps the numbers of a check on held-out rows until the phase ends', () => {
    const meter = new ProgressMeter();
    meter.apply(update(0, 1));
    meter.apply(
      told(1, { type: 'validation', stage: 'complete', step: 1, accuracy: 0.7, meanTokens: 120, best: true }),
    );
    meter.apply(update(2, 2));
    expect(meter.current).toMatchObject({ accuracy: 0.7, tokens: 120, left: 196 });
    meter.apply(update(3, 1, 10, 'other'));
    expect(meter.current).toMatchObject({ accuracy: 0.5, tokens: 90, left: undefined });
    expect(progressText(meter.current!)).toBe('Stage 2 other 1/10');
  });

  it('counts no pause as work', () => {
    const meter = new ProgressMeter();
    for (let n = 1; n <= 5; n++) meter.apply(update(4 * n, n));
    meter.pause(true, Date.parse(at(21)));
    meter.pause(false, Date.parse(at(111)));
    meter.apply(update(114, 6));
    expect(meter.current?.left).toBeCloseTo(94 * 4);
  });

  it('is available at once to a late client', () => {
    const meter = new ProgressMeter();
    const { event } = update(5, 45);
    meter.snapshot({
      state: 'running',
      jobs: [],
      clients: 1,
      silentMs: 0,
      progress: {
        phase: { type: 'phase', stage: 'complete', phase: 'complete', updates: 100, done: 0 },
        update: event as Extract<CurriculumEvent, { type: 'update' }>,
        validation: { type: 'validation', stage: 'sft', step: 9, accuracy: 0.9, meanTokens: 1, best: true },
      },
    });
    expect(meter.current).toMatchObject({ update: 45, updates: 100, accuracy: 0.5 });
    meter.apply(update(7, 46));
    expect(meter.current?.left).toBeCloseTo(108);
  });
});
