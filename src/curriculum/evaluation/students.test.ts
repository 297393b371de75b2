import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../engine/engines';
import type { Engine } from '../../engine/port';
import { answerSettings } from '../../evaluation/settings';
import { packageRoot } from '../../paths';
import { type AskedStudent, askStudent, openStudent } from './students';

const builtIn = join(packageRoot(), 'examples', 'arithmetic', 'student');
const question = 'Tom has 3 apples and buys 4 more. How many apples does he have?';
const folder = mkdtempSync(join(tmpdir(), 'distillery-asked-'));
let engine: Engine;
let asked: AskedStudent;
let promptLength = 0;

beforeAll(async () => {
  cpSync(builtIn, folder, { recursive: true });
  engine = await startEngine('auto', builtIn);
  const whole = await openStudent(engine, builtIn);
  const { prompt } = await askStudent(whole, question, { maxNewTokens: 1 });
  promptLength = whole.tokenizer.encode(prompt).length;
  await whole.student.dispose();
  // Three positions are left for the answer.
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, max_position_embeddings: promptLength + 3 }));
  asked = await openStudent(engine, folder);
});

afterAll(async () => {
  await asked?.student.dispose();
  await engine?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('an answer', () => {
  it('gets at most the tokens that the prompt leaves', async () => {
    const budgets = new Set<number>();
    const progress = (_: unknown, budget: number) => void budgets.add(budget);
    const { completions } = await askStudent(asked, question, { maxNewTokens: 100, progress });
    expect(completions).toHaveLength(1);
    expect(completions[0].tokens.length).toBeLessThanOrEqual(3);
    expect([...budgets]).toEqual([3]);
  });

  it('is refused to a question that leaves none', async () => {
    await expect(askStudent(asked, `${question} ${question}`, {})).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(`^a question has \\d+ tokens, but the student has only ${promptLength + 3} positions$`),
      ),
      remedy: 'Shorten the question.',
    });
  });

  it('is greedy, unless there are several, or a temperature is set', () => {
    expect(answerSettings({})).toEqual({ maxNewTokens: 512, temperature: 0, seed: 1 });
    expect(answerSettings({ samples: 4 }, { temperature: 0, maxNewTokens: 64 })).toEqual({
      maxNewTokens: 64,
      temperature: 0.7,
      seed: 1,
    });
    expect(answerSettings({ samples: 4, temperature: 0, seed: 3 })).toMatchObject({ temperature: 0, seed: 3 });
    expect(answerSettings({}, { temperature: 0.3 })).toMatchObject({ temperature: 0.3 });
  });
});
