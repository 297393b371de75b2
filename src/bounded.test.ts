import { expect, it } from 'vitest';
import { Allowance, TookTooLong, withinTime, withinTimeTogether } from './bounded';

/** Takes years: tries every division of the letters. */
const endless = () => /^(a+)+$/.test(`${'a'.repeat(60)}b`);

it('interrupts a regular expression that does not end', () => {
  expect(() => withinTime(50, endless)).toThrow(TookTooLong);
  expect(withinTime(2000, () => 7)).toBe(7);
});

it('one limit for many calls, and where it is exceeded a limit for each', () => {
  const done: number[] = [];
  const work = (last: () => unknown) => () => {
    done.push(withinTime(1e6, () => 1));
    withinTime(50, last);
    return done.length;
  };
  expect(
    withinTimeTogether(
      1e6,
      work(() => 2),
    ),
  ).toBe(1);
  expect(() => withinTimeTogether(100, work(endless))).toThrow(TookTooLong);
  expect(done).toHaveLength(3); // tried together, then one by one
  expect(withinTime(2000, () => 7)).toBe(7);
  expect(() => withinTime(50, endless)).toThrow(TookTooLong);
});

it('many calls that are slow together', () => {
  const allowance = new Allowance(200);
  /** About 0.1 s. */
  const slow = () => /^(a+)+$/.test(`${'a'.repeat(23)}b`);
  for (let i = 0; i < 5; i++) expect(allowance.spend(60_000, slow)).toBe(false); // as expected
  const spend = () => {
    for (let i = 0; i < 1000; i++) allowance.spend(1, slow);
  };
  expect(spend).toThrow(TookTooLong);
  expect(spend).toThrow('0.2 s more than expected for this text and earlier ones');
});
