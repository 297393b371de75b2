/**
 * Every function that reads what others wrote, on texts made to cost. `npm run test:faults` tries every function on
 * every text: 1 MB takes a second at most. Else each function gets its share of the texts, shorter, and those that once
 * were too much: their time grows as their length does.
 */
import { describe, expect, it } from 'vitest';
import { withinTime } from '../../src/bounded';
import { cpuTime, cpuTimeOn, growsWith } from '../../src/chain/testing/cpu-time';
import { hostileTexts } from './hostile-texts';
import { textFunctions } from './text-functions';

const thorough = process.env.DISTILLERY_THOROUGH === '1';
type Text = (typeof hostileTexts)[number];
type Work = (text: string) => unknown;

/** Texts that once took minutes. */
const once = [
  ...['". "', '"the "', '"1="', '"<<1+1=2>>"', '"#### 1\\n"', '" "', '"\\t"'],
  ...['numbers that all differ', 'results of results', 'spaces, then a letter'],
];

const textsFor = (index: number) =>
  hostileTexts.filter(([name], i) => thorough || once.includes(name) || (i + index) % 32 === 0);

/** The work, ended where it takes a minute. */
function bounded(work: Work): Work {
  return (text) => withinTime(60_000, () => work(text));
}

/** The text for which `work` grows faster than its length; undefined if there is none. */
function growing(work: Work, texts: readonly Text[]): string | undefined {
  return texts.find(([, make]) => !growsWith(bounded(work), make(1 << 14), make(1 << 16), { most: 2000 }))?.[0];
}

/** How many times longer this machine takes at present than the one that the limit is for, an EPYC at rest. */
function slowness(): number {
  const rows = JSON.stringify(Array.from({ length: 50_000 }, (_, i) => ({ start: i, text: `${i}`, spaced: true })));
  return Math.max(1, cpuTime(() => JSON.parse(rows)) / 20);
}

/** The text of 1 MB for which `work` takes more than a second; undefined if there is none. */
function slow(work: Work, texts: readonly Text[]): string | undefined {
  for (const [name, make] of texts) {
    // Where a quarter of it takes a sixteenth of the second, the whole takes no more, even if it grew with the square.
    if (cpuTimeOn(bounded(work), make(1 << 18), 1) < 1000 / 16) continue;
    const text = make(1 << 20);
    for (let runs = 1; ; runs++) {
      const taken = cpuTimeOn(bounded(work), text, runs);
      if (taken < 1000 * slowness()) break;
      if (runs > 2) return `${name}: ${taken.toFixed(0)} ms`;
    }
  }
  return undefined;
}

describe('texts made to cost', () => {
  it.each(Object.keys(textFunctions).map((name, i) => [name, i] as const))(
    '%s is linear',
    (name, index) => {
      const find = thorough ? slow : growing;
      expect(find(textFunctions[name], textsFor(index))).toBeUndefined();
    },
    thorough ? 1_800_000 : undefined,
  );

  it('are of many kinds', () => {
    expect(hostileTexts.length).toBeGreaterThan(150);
    expect(new Set(hostileTexts.map(([name]) => name)).size).toBe(hostileTexts.length);
    for (const name of once) expect(hostileTexts.map(([one]) => one)).toContain(name);
  });
});
