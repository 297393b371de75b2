import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { scoreTexts, summariseKinds } from '../../src/rewards/texts';
import { batteryKinds, batteryRows } from './kinds';
import { batteryProblems } from './problems';
import { batteryRewards, batteryText, files, withTable } from './table';

it('has at least 30 problems, and many ways to earn a reward without solving them', () => {
  expect(batteryProblems.length).toBeGreaterThanOrEqual(30);
  expect(Object.keys(batteryKinds).length).toBeGreaterThan(25);
});

it.each(batteryRewards().filter(({ name }) => !name.includes('bridge')))(
  'the honest short chain earns most under $name',
  async ({ reward }) => {
    const scored = await scoreTexts(reward, batteryRows());
    const beaten = scored.filter(({ row, score }) => {
      const honest = scored.find((one) => one.row.id === row.id && one.row.kind === 'honest')!;
      return row.kind !== 'honest' && score.total! >= honest.score.total!;
    });
    expect(beaten.map(({ row }) => `${row.kind}: ${row.id}`)).toEqual([]);
    expect(summariseKinds(scored)[0]).toMatchObject({ kind: 'honest', count: batteryProblems.length });
  },
);

it('the file and the table in the docs match the battery', async () => {
  expect(readFileSync(files.battery, 'utf8')).toBe(batteryText());
  const docs = readFileSync(files.docs, 'utf8');
  expect(docs).toBe(await withTable(docs));
});
