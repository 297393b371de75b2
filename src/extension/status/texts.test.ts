import { describe, expect, it } from 'vitest';
import type { RunProgress } from '../shared/progress';
import { mostUrgent, statusText } from './texts';

const progress: RunProgress = {
  stage: 'complete',
  phase: 'complete',
  update: 45,
  updates: 110,
  accuracy: 0.7,
  left: 125,
};

describe('the status bar', () => {
  it('shows stage, update and the remaining time', () => {
    const said = statusText({ state: 'running', name: 'sums', backend: 'embedded', progress, jobs: 0 })!;
    expect(said).toMatchObject({ icon: 'beaker', text: 'Stage 2 45/110 · 2 min left' });
    expect(said.spoken).toBe('Distillery, sums, Stage 2 45/110, 70 %, 2 min left');
    expect(said.tooltip.text).toContain('embedded');
  });

  it('is silent when there is nothing to say', () => {
    expect(statusText({ state: 'absent', jobs: 0 })).toBeUndefined();
    expect(statusText({ state: 'idle', jobs: 0 })).toBeUndefined();
    expect(statusText({ state: 'idle', jobs: 1 })?.text).toMatch(/Asking student/);
  });

  it('raises an alarm for a lost host, and shows it before others', () => {
    expect(statusText({ state: 'crashed', jobs: 0 })?.alarm).toBe('error');
    expect(statusText({ state: 'lost', jobs: 0 })?.alarm).toBe('warning');
    const hosts = (['idle', 'running', 'crashed'] as const).map((state) => ({ state }));
    expect(mostUrgent(hosts)?.state).toBe('crashed');
    expect(mostUrgent([])).toBeUndefined();
  });
});
