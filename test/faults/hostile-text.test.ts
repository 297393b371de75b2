/**
 * Every function that reads what others wrote, on texts made to cost: linear in their length. `npm run test:faults`
 * tries every function on every text, up to 1 MB; else each function gets its share of the texts, and those that once
 * were too much.
 */
import { describe, expect, it } from 'vitest';
import { withinTime } from '../../src/bounded';
import { cpuTime } from '../../src/chain/testing/cpu-time';
import { hostileTexts } from './hostile-texts';
import { textFunctions } from './text-functions';

const thorough = process.env.DISTILLERY_THOROUGH === '1';
const [short, long] = thorough ? [1 << 18, 1 << 20] : [1 << 14, 1 << 16];

/** Milliseconds beside what grows with the text: what the engine collects and compiles meanwhile. */
const room = thorough ? 150 : 80;
/** Most for the long text, in milliseconds. */
const most = thorough ? 8000 : 2000;

/** Texts that once took minutes. */
const once = ['". "', '"the "', '"1="', '"<<1+1=2>>"', '"#### 1\\n"', 'numbers that all differ', 'results of results'];

const textsFor = (index: number) =>
  hostileTexts.filter(([name], i) => thorough || once.includes(name) || (i + index) % 16 === 0);

/** The text for which `work` grows faster than its length; undefined if there is none. */
function costly(work: (text: string) => unknown, texts: typeof hostileTexts): string | undefined {
  const time = (text: string, runs: number) => cpuTime(() => withinTime(60_000, () => work(text)), runs);
  for (const [name, make] of texts) {
    const [a, b] = [make(short), make(long)];
    for (let runs = 1; ; runs += 2) {
      const [before, after] = [time(a, runs), time(b, runs)];
      if (after < room + (6 * before * long) / (4 * short) && after < most) break;
      if (runs > 4) return `${name}: ${before.toFixed(0)} ms of ${short}, ${after.toFixed(0)} ms of ${long} characters`;
    }
  }
  return undefined;
}

describe('texts made to cost', () => {
  it.each(Object.keys(textFunctions).map((name, i) => [name, i] as const))(
    '%s is linear',
    (name, index) => {
      expect(costly(textFunctions[name], textsFor(index))).toBeUndefined();
    },
    thorough ? 3_600_000 : undefined,
  );

  it('are of many kinds', () => {
    expect(hostileTexts.length).toBeGreaterThan(150);
    expect(new Set(hostileTexts.map(([name]) => name)).size).toBe(hostileTexts.length);
    for (const name of once) expect(hostileTexts.map(([one]) => one)).toContain(name);
  });
});
