import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadReward } from '../../config/load';
import { packageRoot } from '../../paths';
import type { RewardInput } from '../compose';
import { scoreGroups } from '../score';
import { type CodeOptions, CodeRewards } from './code-rewards';

const folder = mkdtempSync(join(tmpdir(), 'distillery-code-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each live thread has a port. */
const threads = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;

const input = (text: string, length: number): RewardInput => ({
  problem: {
    question: 'What is 2 + 3?',
    answer: '5',
    teacher: { thinking: 'Let me see.', steps: ['2 + 3 = 5'], answer: '5' },
    teacherTokens: 20,
  },
  completion: { text, tokens: Array.from({ length }, (_, i) => i), finished: length < 10 },
});
const groups = [
  [input('Answer: 5', 4), input('Answer: 6', 12)],
  [input('Answer: 5', 8), input('', 1)],
];

let number = 0;

/** Scores the groups `times` times with a module of this text as a component; returns its parts and the warnings. */
async function scoreWith(
  text: string,
  {
    settings = {},
    times = 1,
    ending = 'mjs',
    ...options
  }: { settings?: object; times?: number; ending?: string } & Partial<CodeOptions> = {},
) {
  const name = `module${++number}`;
  writeFileSync(join(folder, `${name}.reward.${ending}`), text);
  writeFileSync(
    join(folder, `${name}.reward.json`),
    JSON.stringify({ components: [{ use: `./${name}.reward.${ending}`, ...settings }, { use: 'correctness' }] }),
  );
  const { reward } = loadReward(join(folder, `${name}.reward.json`));
  const told: string[] = [];
  const code = new CodeRewards({ warn: (one) => told.push(one.replaceAll(folder, '')), ...options });
  const batches: (number | null)[][] = [];
  for (let i = 0; i < times; i++) {
    const scores = (await scoreGroups(reward, groups, code)).flat();
    batches.push(scores.map(({ parts }) => parts[name]));
    expect(scores.map(({ parts }) => parts.correctness)).toEqual([1, 0, 1, 0]);
  }
  await code.close();
  return { batches, told, name };
}

const nothing = [null, null, null, null];

describe('a reward in code', () => {
  it('gets the facts, and its values are weighted parts', async () => {
    const facts = await scoreWith(
      `export default async (completion, context) => {
        const known = JSON.stringify([completion, context.question, context.answer, context.teacher, context.options]);
        const all = context.group.length === 2 && context.group[0].text === 'Answer: 5';
        if (completion.text === '') return null;
        return known === context.options.expected[completion.tokens] && all ? completion.tokens : -1;
      };`.replace('context.options]', 'context.options.most]'),
      {
        settings: {
          weight: 0.5,
          options: {
            most: 3,
            expected: Object.fromEntries(
              groups
                .flat()
                .map(({ completion: { text, tokens, finished } }) => [
                  tokens.length,
                  JSON.stringify([
                    { text, tokens: tokens.length, ended: finished, right: text === 'Answer: 5' },
                    'What is 2 + 3?',
                    '5',
                    { thinking: 'Let me see.', steps: ['2 + 3 = 5'], answer: '5', tokens: 20 },
                    3,
                  ]),
                ]),
            ),
          },
        },
      },
    );
    expect(facts).toMatchObject({ batches: [[2, 6, 4, null]], told: [] });
  });

  it('can score a group at once, also as CommonJS', async () => {
    const ranks = `(completions) => completions.map(({ tokens }) =>
      completions.filter((other) => other.tokens < tokens).length)`;
    expect((await scoreWith(`export const scoreGroup = ${ranks}`)).batches).toEqual([[0, 1, 1, 0]]);
    expect((await scoreWith(`exports.scoreGroup = ${ranks}`, { ending: 'cjs' })).batches).toEqual([[0, 1, 1, 0]]);
    const short = await scoreWith('export const scoreGroup = () => [1]');
    expect(short.batches).toEqual([nothing]);
    expect(short.told[0]).toContain('no list with a value for each completion');
  });

  it('does not apply where it fails, and reports each kind of problem once with its place', async () => {
    const { batches, told, name } = await scoreWith(
      `export default ({ text, tokens }) => {
        if (tokens === 12) throw new Error('no sentence');
        return tokens === 8 ? Number.NaN : text.length;
      };`,
      { times: 2 },
    );
    expect(batches).toEqual([
      [9, null, null, 0],
      [9, null, null, 0],
    ]);
    const where = `the component "${name}" did not apply there`;
    const thrown = `/${name}.reward.mjs:2:34: no sentence; ${where}`;
    const value = `/${name}.reward.mjs: returned NaN in place of null or a number from -1000000000 to 1000000000; ${where}`;
    expect(told).toEqual([thrown, value, `${thrown} (2 times)`, `${value} (2 times)`]);
  });

  it('counts no value that could overflow in a sum', async () => {
    const { batches, told } = await scoreWith('export default ({ tokens }) => (tokens === 8 ? 1e308 : 1e9);');
    expect(batches).toEqual([[1e9, 1e9, null, 1e9]]);
    expect(told[0]).toContain('returned 1e+308 in place of null or a number from -1000000000 to 1000000000');
  });

  it('names what cannot be imported, and what is printed', async () => {
    const missing = await scoreWith("import './nowhere.mjs';\nexport default () => 1;");
    expect(missing.batches).toEqual([nothing]);
    expect(missing.told[0]).toMatch(/\.reward\.mjs: Cannot find module/);
    expect((await scoreWith('export const other = 1;')).told[0]).toContain('neither a default export');
    const { batches, told } = await scoreWith('console.log("hello");\nexport default () => 1;');
    expect({ batches, told }).toEqual({
      batches: [[1, 1, 1, 1]],
      told: [expect.stringMatching(/mjs: printed: hello$/)],
    });
  });

  it('is stopped at its time limit, restarted, and no longer used after three timeouts', async () => {
    const { batches, told } = await scoreWith('export default () => { for (;;); };', {
      settings: { timeLimit: 0.2 },
      times: 4,
    });
    expect(batches).toEqual([nothing, nothing, nothing, nothing]);
    expect(told).toEqual([
      expect.stringContaining('took longer than its timeLimit of 0.2 s'),
      expect.stringContaining('took too long 3 times in a row and is no longer asked'),
      expect.stringMatching(/did not apply there \(12 times\)$/),
    ]);
  });

  it('survives a module that takes all memory or ends its thread; the next batch has a new one', async () => {
    const hog = await scoreWith(
      'export default () => { const all = []; for (;;) all.push(new Array(1000).fill(0.5)); };',
      {
        resources: { maxOldGenerationSizeMb: 16 },
      },
    );
    expect(hog.batches).toEqual([nothing]);
    expect(hog.told[0]).toContain('reaching memory limit');
    const quitter = await scoreWith('export default () => process.exit(3);', { times: 2 });
    expect(quitter.batches).toEqual([nothing, nothing]);
    expect(quitter.told[0]).toContain('ended its thread with exit code 3');
  });

  it('ends at an abort, and leaves no thread', async () => {
    const before = threads();
    const abort = new AbortController();
    const scoring = scoreWith('export default () => { for (;;); };', { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('stopped by the user')), 100);
    await expect(scoring).rejects.toThrow('stopped by the user');
    await scoreWith('export default () => 1;');
    expect(threads()).toBeLessThanOrEqual(before); // those of other tests may end meanwhile
  });

  it('is shown by an example', async () => {
    const { reward, warnings } = loadReward(join(packageRoot(), 'examples/arithmetic/short-sentences.reward.json'));
    expect(warnings).toEqual([]);
    const code = new CodeRewards({ warn: expect.fail });
    const wordy = 'Here are more than twelve words that nobody needs to see in a sentence '.repeat(2);
    const steps = `Step 1: 2 + 3 = 5. ${wordy}`;
    const [[long, short]] = await scoreGroups(
      reward,
      [[input(`${steps}\nAnswer: 5`, 9), input('Step 1: 2 + 3 = 5\nAnswer: 5', 5)]],
      code,
    );
    await code.close();
    expect(short.parts['short-sentences']).toBe(0.5);
    expect(long.parts['short-sentences']).not.toBe(0.5);
  });
});
