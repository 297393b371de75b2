import { expect, it } from 'vitest';
import { stageNames } from '../../stages';
import { phaseRanges, UpdateColumns } from './columns';
import { updatesCsv } from './csv';
import { plannedUpdates, progressOf } from './progress';

const time = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

function filled(): UpdateColumns {
  const columns = new UpdateColumns();
  for (let step = 1; step <= 300; step++)
    columns.append({ seq: step, time: time(step), stage: 'sft', phase: 'sft', step, loss: 1 / step });
  for (let step = 1; step <= 10; step++)
    columns.append({
      seq: 300 + step,
      time: time(400 + 2 * step),
      stage: 'complete',
      step,
      loss: 0,
      reward: step === 4 ? Number.NaN : 0.5,
      parts: { 'well-formed, or not': 1 },
    });
  return columns;
}

it('grow, distinguish missing values from NaN, and send only new rows', () => {
  const columns = filled();
  expect(columns.rows).toBe(310);
  expect(columns.values.get('loss')!.slice(298, 302)).toEqual(new Float64Array([1 / 299, 1 / 300, 0, 0]));
  expect(columns.values.get('reward')![100]).toBeNaN();
  expect(columns.broken).toEqual([['reward', 303]]);
  const message = columns.message('run', 302);
  expect(message).toMatchObject({ from: 302, phases: ['sft', 'complete'], broken: [['reward', 303]] });
  expect([...message.step]).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  expect(Object.keys(message.values)).toEqual(['loss', 'reward', 'parts/well-formed, or not']);
  expect(message.values['parts/well-formed, or not']).toHaveLength(8);
});

it('fall into stretches of one stage and phase', () => {
  expect(phaseRanges(filled())).toEqual([
    { stage: stageNames.indexOf('sft'), phase: 0, from: 0, to: 300 },
    { stage: stageNames.indexOf('complete'), phase: 1, from: 300, to: 310 },
  ]);
});

it('as CSV, distinguish NaN from missing values', () => {
  const csv = updatesCsv([{ id: 'a', columns: filled() }], ['reward', 'parts/well-formed, or not', 'kl'], ['complete']);
  const lines = csv.split('\r\n');
  expect(lines[0]).toBe('run,stage,phase,step,time,reward,"parts/well-formed, or not",kl');
  expect(lines[1]).toBe(`a,complete,complete,1,${time(402)},0.5,1,`);
  expect(lines[4]).toBe(`a,complete,complete,4,${time(408)},NaN,1,`);
  expect(lines).toHaveLength(12);
});

it('estimate the time left from the pace of the phase, not from the pause before it', () => {
  const config = { experiment: { stages: { complete: { updates: 25 } }, baselines: { sft: { updates: 300 } } } };
  expect(progressOf(filled(), config)).toEqual({
    stage: 'complete',
    phase: 'complete',
    done: 10,
    planned: 25,
    secondsLeft: 30,
  });
  expect(progressOf(filled(), undefined)).toEqual({ stage: 'complete', phase: 'complete', done: 10 });
  expect(progressOf(new UpdateColumns(), config)).toBeUndefined();
  expect(plannedUpdates(config, 'sft', 'sft')).toBe(300);
  expect(plannedUpdates(config, 'rft', 'sample')).toBe(25);
  expect(plannedUpdates({ imported: { updates: 14 } }, 'training', 'training')).toBe(14);
  expect(
    plannedUpdates({ experiment: { stages: { rewrite: { internalise: { updates: 7 } } } } }, 'rewrite', 'internalise'),
  ).toBe(7);
  expect(plannedUpdates({ experiment: { stages: { rewrite: false } } }, 'rewrite', 'rewrite')).toBeUndefined();
});
