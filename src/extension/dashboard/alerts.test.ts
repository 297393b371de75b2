import { describe, expect, it } from 'vitest';
import type { MetricsRecord } from '../../runs/records';
import { alertsOf } from './alerts';
import { UpdateColumns } from './columns';

/** Stage 2 with these values by update, from 0 to `updates` - 1. */
function run(updates: number, at: (update: number) => Partial<MetricsRecord>): UpdateColumns {
  const columns = new UpdateColumns();
  for (let i = 0; i < updates; i++)
    columns.append({
      seq: i,
      time: new Date(i * 1000).toISOString(),
      stage: 'complete',
      step: i + 1,
      loss: 0,
      ...at(i),
    });
  return columns;
}

const healthy = (i: number) => ({
  kl: 0.01 + 0.0005 * i,
  entropy: 0.3 - 0.001 * i,
  flatGroups: 0.2,
  allCorrect: 0.1,
  allWrong: 0.05,
  truncated: 0.02,
});

describe('alerts', () => {
  it('are none for a healthy run, a short one, and one that measures nothing', () => {
    expect(alertsOf(run(100, healthy))).toEqual([]);
    expect(alertsOf(run(8, () => ({ flatGroups: 1, truncated: 1 })))).toEqual([]);
    expect(alertsOf(run(100, () => ({})))).toEqual([]);
    expect(alertsOf(new UpdateColumns())).toEqual([]);
  });

  it('report the first update with a NaN, and how many there are', () => {
    const [alert] = alertsOf(run(30, (i) => ({ gradNorm: i >= 10 ? Number.NaN : 1 })));
    expect(alert).toMatchObject({ level: 'error', metric: 'gradNorm', stage: 'complete', step: 11 });
    expect(alert.text).toBe('gradNorm is NaN (20 updates, this is the first).');
  });

  it('report a sudden jump of the KL, but not its slow growth', () => {
    const [alert] = alertsOf(run(100, (i) => ({ ...healthy(i), kl: i < 60 ? 0.02 : 0.4 })));
    expect(alert).toMatchObject({ level: 'warning', metric: 'kl', step: 80 });
    expect(alert.text).toContain('from 0.020 to 0.40');
    expect(alertsOf(run(400, (i) => ({ kl: 0.001 * i })))).toEqual([]);
  });

  it('report a collapse of the entropy', () => {
    const [alert] = alertsOf(run(100, (i) => ({ ...healthy(i), entropy: 0.3 * 0.95 ** i })));
    expect(alert).toMatchObject({ metric: 'entropy', step: 100 });
  });

  it('report groups with equal rewards, with the cause and a remedy', () => {
    const [easy] = alertsOf(run(60, () => ({ flatGroups: 0.8, allCorrect: 0.75, allWrong: 0.05 })));
    expect(easy.text).toContain('80 % of the groups');
    expect(easy.text).toContain('all right 75 %, all wrong 5 %');
    expect(easy.remedy).toContain('Harder');
    const [hard] = alertsOf(run(60, () => ({ flatGroups: 0.8, allCorrect: 0, allWrong: 0.8 })));
    expect(hard.remedy).toContain('Easier');
  });

  it('report that more and more completions are cut off', () => {
    expect(alertsOf(run(60, (i) => ({ truncated: (i + 0.5) / 100 })))[0].text).toContain('rose from 10 % to 50 %');
    expect(alertsOf(run(60, () => ({ truncated: 0.2 })))).toEqual([]);
    expect(alertsOf(run(60, () => ({ truncated: 0.6 })))[0].text).toBe('60 % of the completions are cut off.');
  });
});
