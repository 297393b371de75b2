import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { MetricsRecord } from '../../runs/records';
import { count, namesOf, positive, upTo } from '../inputs/options';
import { bytes, clock, columns, markdownTable, short } from '../terminal/format';
import { pc } from '../terminal/terminal';
import { curvesText, phasesOf, sparkline } from './curves';
import { showProgress } from './progress';
import { fewProblemsText, summaryTable } from './summary';

const plain = (text: string) => stripVTControlCharacters(text);

describe('sparkline', () => {
  it('draws from the smallest to the largest value', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([3, 3, 3])).toBe('▄▄▄');
    expect(sparkline([5, Number.NaN, 1])).toBe('█▁');
    expect(sparkline([])).toBe('');
  });

  it('takes means of equal parts where there are more values than places', () => {
    expect(sparkline([0, 2, 4, 6, 8, 10, 12, 14], 4)).toBe('▁▃▆█');
    expect(sparkline(Array.from({ length: 1000 }, (_, i) => i)).length).toBe(40);
  });
});

describe('numbers', () => {
  it('are short', () => {
    expect([0, 65, 3723].map(clock)).toEqual(['0:00', '1:05', '1:02:03']);
    expect([940, 12_300, 4_100_000].map(short)).toEqual(['940', '12.3k', '4.1M']);
    expect([0, 999, 1500, 4e9].map(bytes)).toEqual(['0 B', '999 B', '1.5 kB', '4.0 GB']);
  });

  it('are read from options', () => {
    expect([count('0'), positive('12'), upTo(10)('0.7')]).toEqual([0, 12, 0.7]);
    for (const text of ['-1', '1.5', '', '1e3', 'x']) expect(() => count(text)).toThrow('whole number');
    expect(() => positive('0')).toThrow('1 or more');
    for (const text of ['', '-0.1', '11', 'hot']) expect(() => upTo(10)(text)).toThrow('from 0 to 10');
    expect(namesOf(['a', 'b'])('a, b', ['b'])).toEqual(['b', 'a', 'b']);
    expect(() => namesOf(['a', 'b'])('a,c')).toThrow('"c" is not one of a, b.');
  });
});

it('a cell of a Markdown table is text: no HTML, no link and no second cell', () => {
  const cells = ['a|b\\', '![x](https://example.org/x.png) [y][z]', '<img src=x>', '+1.0 [−0.5, +2.5]', 'c\nd'];
  const [, , row] = markdownTable(cells, [cells]).split('\n');
  expect(row).toBe(
    '| a\\|b\\\\ | ![x\\](https://example.org/x.png) [y\\][z] | \\<img src=x> | +1.0 [−0.5, +2.5] | c d |',
  );
});

it('columns are as wide as their widest cell, colours not counted', () => {
  expect(
    columns([
      ['a', pc.bold('1')],
      ['b\nd', '22'],
    ]),
  ).toEqual([`a      ${pc.bold('1')}`, 'b d   22']);
});

it('the summary compares every student with the base', () => {
  const row = { accuracyInterval: [0.4, 0.6] as [number, number], n: 100, wallSeconds: 61 };
  const lines = plain(
    summaryTable([
      { ...row, stage: 'base', accuracy: 0.5, meanTokens: 100, wallSeconds: 0 },
      { ...row, stage: 'sft', accuracy: 0.7, meanTokens: 120 },
      { ...row, stage: 'sftConcise', accuracy: 0.7, meanTokens: 60 },
      { ...row, stage: 'rewrite', accuracy: 0.625, meanTokens: 72.6 },
    ]),
  ).split('\n');
  expect(lines[2]).toMatch(/^Base student +50\.0 % +40\.0 – 60\.0 % +100\.0 +100$/);
  expect(lines[3]).toMatch(/^Plain SFT +70/);
  expect(lines[4]).toMatch(/^Concise SFT \(strongest baseline\) +70/);
  expect(lines[5]).toMatch(/^Stage 3 \(Rewrite\) +62\.5 % +40\.0 – 60\.0 % +72\.6 +\+12\.5 pt +−27\.4 % +1:01 +100$/);
});

it('the summary leaves out the less important columns on a narrow terminal', () => {
  const row = { accuracyInterval: [0.4, 0.6] as [number, number], n: 100, wallSeconds: 61 };
  const students = [
    { ...row, stage: 'base' as const, accuracy: 0.5, meanTokens: 100 },
    { ...row, stage: 'sftConcise' as const, accuracy: 0.7, meanTokens: 60 },
  ];
  const head = (room: number) => plain(summaryTable(students, { room })).split('\n')[0].trim().split(/ {2,}/);
  expect(head(200)).toContain('problems');
  expect(head(80)).toEqual(['accuracy', '95 % interval', 'mean tokens', 'vs base']);
  expect(head(10)).toEqual(['accuracy', 'mean tokens']);
  for (const line of plain(summaryTable(students, { room: 80 })).split('\n'))
    expect(line.length).toBeLessThanOrEqual(80);
});

it('says how little a test on a few problems shows', () => {
  const row = { stage: 'base' as const, accuracy: 0, accuracyInterval: [0, 0.3] as [number, number], meanTokens: 9 };
  expect(fewProblemsText([{ ...row, wallSeconds: 1, n: 8 }])).toMatch(/^Tested on 8 problems, 13 points each: /);
  expect(fewProblemsText([{ ...row, wallSeconds: 1, n: 30 }])).toBeUndefined();
});

it('curves are listed by phase, with the means of their ends', () => {
  const record = (stage: 'complete' | 'rewrite', step: number, rest: Partial<MetricsRecord>): MetricsRecord => ({
    seq: step,
    time: '2026-02-05T00:00:00Z',
    stage,
    step,
    loss: 1,
    ...rest,
  });
  const metrics = [
    ...[1, 2, 3].map((step) => record('complete', step, { reward: step, accuracy: step / 4, truncated: 0 })),
    record('rewrite', 1, { phase: 'rewrite' }),
    ...[2, 3].map((step) => record('rewrite', step, { phase: 'internalise', loss: 4 - step })),
  ];
  expect(phasesOf(metrics).map(({ phase, records }) => [phase, records.length])).toEqual([
    ['complete', 3],
    ['rewrite', 1],
    ['internalise', 2],
  ]);
  const lines = plain(curvesText(phasesOf(metrics))).split('\n');
  expect(lines[0]).toBe('Stage 2 (Complete): 3 updates');
  expect(lines[1]).toMatch(/^ {2}reward +▁▅█ +1\.000 → 3\.000$/);
  expect(lines[2]).toMatch(/^ {2}right +▁▅█ +25 % → 75 %$/);
  expect(lines).toContain('Stage 3 (Rewrite), internalise: 2 updates');
  expect(lines.filter((line) => line.includes('truncated'))).toEqual([]);
});

describe('progress', () => {
  const update = (n: number) => ({
    type: 'update' as const,
    stage: 'complete' as const,
    phase: 'complete',
    update: n,
    updates: 10,
    metrics: {
      seq: n,
      time: '',
      stage: 'complete' as const,
      step: n,
      loss: 0.1,
      accuracy: 0.625,
      lengthMean: 80.4,
      tokensPerSecond: 12_345,
    },
  });

  it('is a bar with what matters on a terminal, estimated from the updates of this session', () => {
    const written: string[] = [];
    let time = 0;
    const screen = {
      write: (text: string) => void written.push(text),
      clearLine: () => void written.push('<clear>'),
      isTTY: true,
      columns: 200,
    };
    const show = showProgress(screen, { now: () => time });
    show({ type: 'phase', stage: 'complete', phase: 'complete', updates: 10, done: 4 });
    time = 20_000;
    show(update(6));
    expect(plain(written.join(''))).toMatch(
      /Stage 2 \(Complete\) {2}━+ {2}6\/10 {2}ETA 0:40 {2}right 63 % 80 tok {2}12\.3k tok\/s$/,
    );
    const spent = { prompt: 9000, sampled: 1000, trained: 2000 };
    show({ ...update(7), spent: { ...spent, money: 1 } });
    show({ ...update(8), spent: { ...spent, money: 1.25 } });
    expect(plain(written.at(-1)!)).toMatch(/ETA 0:10 {2}1\.25 spent, about 0\.50 more in this phase {2}right/);
    show({ type: 'note', level: 'info', text: 'told' });
    expect(written.slice(-2)).toEqual(['<clear>', expect.stringContaining('told')]);
  });

  it('is printed as lines in a log', () => {
    const written: string[] = [];
    const show = showProgress({ write: (text) => void written.push(text), clearLine: () => {} });
    show({ type: 'phase', stage: 'rewrite', phase: 'internalise', updates: 10, done: 0 });
    show(update(1));
    show({ type: 'validation', stage: 'rewrite', step: 1, accuracy: 0.5, meanTokens: 70, best: true });
    show({ type: 'validation', stage: 'reconstruct', step: 2, loss: 0.41249, best: false });
    expect(plain(written.join(''))).toBe(
      'Stage 3 (Rewrite), internalise: 10 updates\n  update 1: validation 50.0 %, 70.0 tokens (best)\n  update 2: validation loss 0.412\n',
    );
  });
});
