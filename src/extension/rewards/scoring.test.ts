import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadReward } from '../../config/load';
import { configIssues } from '../config/issues';
import { limitReading } from '../workspace/named-files';
import { scoreInEditor } from './scoring';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-scoring-'));
});
afterEach(() => {
  limitReading({ trusted: () => true, roots: () => [] });
  rmSync(folder, { recursive: true, force: true });
});

it('neither runs nor loads a reward in code in Restricted Mode, and says so', async () => {
  const ran = join(folder, 'ran');
  const file = join(folder, 'my.reward.json');
  const text = '{ "components": [{ "use": "correctness" }, { "use": "grounded" }, { "use": "./my.mjs" }] }';
  writeFileSync(
    join(folder, 'my.mjs'),
    `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(ran)}, '');\nexport default () => 0.5;`,
  );
  writeFileSync(file, text);
  const { reward } = loadReward(file);
  const completion = { text: 'Answer: 5', tokens: [1, 2], finished: true };
  const problem = { question: '?', answer: '5' };
  const records = [{ problemId: 'a', problem, completion, reward: 1, parts: {} }];
  const score = async () => {
    const warnings: string[] = [];
    const [{ new: score }] = await scoreInEditor(reward, records, { warnings, signal: new AbortController().signal });
    return { value: score.parts.my, warnings };
  };
  const issues = () => configIssues('reward', text, file, () => undefined).map(({ message }) => message);

  limitReading({ trusted: () => false, roots: () => [folder] });
  const message = 'This is code, which is not loaded in Restricted Mode: the component does not apply.';
  expect(await score()).toEqual({ value: null, warnings: [`my.mjs: ${message}`] });
  expect(issues()).toEqual([message]);
  expect(existsSync(ran)).toBe(false);

  limitReading({ trusted: () => true, roots: () => [] });
  expect(issues()).toEqual([]); // a check reads the module and does not run it
  expect(existsSync(ran)).toBe(false);
  expect(await score()).toEqual({ value: 0.5, warnings: [] });
  expect(existsSync(ran)).toBe(true);
});
