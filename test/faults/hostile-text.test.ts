/**
 * Every function that reads text from outside, on adversarial texts. `npm run test:faults` tries every function on
 * every text of 1 MB, which may take a second. Otherwise each function gets shorter texts, some of the kinds and all
 * those that once took too long; its time may only grow in proportion to the length.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withinTime } from '../../src/bounded';
import { packageRoot } from '../../src/paths';
import { cpuTime, cpuTimeOn, growsWith } from '../../src/testing/cpu-time';
import { hostileTexts } from './hostile-texts';
import { textDisplays } from './text-displays';
import { textFunctions } from './text-functions';

const thorough = process.env.DISTILLERY_THOROUGH === '1';
type Text = (typeof hostileTexts)[number];
type Work = (text: string) => unknown;

const readers = { ...textFunctions, ...textDisplays };

/**
 * Functions whose text never comes from elsewhere, or is a part of one that a function of the table reads: a word, an
 * equation, a line of at most 2000 characters.
 */
const ofParts = [
  ...['apply', 'chainAs', 'departureText', 'faultText', 'isDoubtful', 'isGuess', 'isUnitLetter', 'lastNumber'],
  ...['mirroredSign', 'namesAgree', 'readLine', 'sameLetters', 'symbol', 'unitNamed', 'writeSide', 'written'],
];

/** The exported functions of a folder that take a text or a chain. */
function functionsIn(folder: string): string[] {
  const files = readdirSync(join(packageRoot(), folder)).filter((name) => /(?<!\.test)\.ts$/.test(name));
  const signature =
    /^export (?:function\*? (?<name>\w+)(?:<[^>]*>)?|const (?<constant>\w+) = (?:\w+\()?)\((?<parameters>[^)]*)\)/gm;
  return files.flatMap((file) =>
    [...readFileSync(join(packageRoot(), folder, file), 'utf8').matchAll(signature)].flatMap(({ groups }) =>
      /: (?:readonly )?(?:string|Chain)\b|^text$|^value$/m.test(groups!.parameters)
        ? [groups!.name ?? groups!.constant]
        : [],
    ),
  );
}

/** Texts that once took minutes. */
const once = [
  ...['". "', '"the "', '"1="', '"<<1+1=2>>"', '"#### 1\\n"', '" "', '"\\t"'],
  ...['numbers that all differ', 'results of results', 'spaces, then a letter', '1 =, then " ", then a letter'],
];

const textsFor = (index: number) =>
  hostileTexts.filter(([name], i) => thorough || once.includes(name) || (i + index) % 32 === 0);

/** The work with a time limit: it throws when it takes longer. */
function bounded(work: Work, ms = 60_000): Work {
  return (text) => withinTime(ms, () => work(text));
}

/** The text for which `work` grows faster than its length; undefined if there is none. */
function growing(work: Work, texts: readonly Text[]): string | undefined {
  return texts.find(([, make]) => !growsWith(bounded(work, 10_000), make(1 << 14), make(1 << 16), { most: 2000 }))?.[0];
}

/** How many times slower this machine is at present than the one that the limit was set on, an idle EPYC. */
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

describe('adversarial texts', () => {
  it.each(Object.keys(readers).map((name, i) => [name, i] as const))(
    '%s is linear',
    (name, index) => {
      const find = thorough ? slow : growing;
      expect(find(readers[name], textsFor(index))).toBeUndefined();
    },
    thorough ? 1_800_000 : undefined,
  );

  it.each(['src/chain', 'src/answers'])('every function of %s that takes a text is among them', (folder) => {
    const table = readFileSync(join(packageRoot(), 'test/faults/text-functions.ts'), 'utf8');
    const known = new Set([...ofParts, ...(table.match(/\w+/g) ?? [])]);
    const functions = functionsIn(folder);
    expect(functions.length).toBeGreaterThan(20);
    expect(functions.filter((name) => !known.has(name))).toEqual([]);
  });

  it('are of many kinds', () => {
    expect(hostileTexts.length).toBeGreaterThan(150);
    expect(new Set(hostileTexts.map(([name]) => name)).size).toBe(hostileTexts.length);
    for (const name of once) expect(hostileTexts.map(([one]) => one)).toContain(name);
  });
});
