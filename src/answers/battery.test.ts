import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../paths';
import { judge } from './grade';

const read = (name: string) => readFileSync(join(packageRoot(), 'test/fixtures/answers', name), 'utf8');
/** Reference answer, text, a person's verdict, and where it is another one that on the lenient answer. */
type Pair = [gold: string, text: string, right: boolean, lenient?: boolean];

const battery = JSON.parse(read('battery.json')) as Record<string, Pair[]>;

test('the battery has 400 pairs or more, and a third of them are wrong', () => {
  const pairs = Object.values(battery).flat();
  expect(pairs.length).toBeGreaterThanOrEqual(400);
  expect(pairs.filter(([, , right]) => !right).length).toBeGreaterThan(pairs.length / 3);
  expect(new Set(pairs.map(([gold, text]) => `${gold}\n${text}`)).size).toBe(pairs.length);
});

describe.each(Object.entries(battery))('%s', (_, pairs) => {
  test.each(pairs)('%j: %j', (gold, text, right, lenient) => {
    const verdict = judge(text, gold);
    expect(verdict.correct).toBe(right);
    if (lenient !== undefined) expect(verdict.lenientCorrect).toBe(lenient);
    else if (right) expect(verdict.lenientCorrect).toBe(true);
  });
});

describe.each(['grading-battery.json', 'grading-false-positives.json'])('%s', (name) => {
  test.each(JSON.parse(read(name)) as [string, string, boolean, string?][])('%j: %j', (gold, text, right) => {
    expect(judge(text, gold).correct).toBe(right);
  });
});

describe('adversarial.json', () => {
  test.each(JSON.parse(read('adversarial.json')) as [string, string, boolean][])('%j: %j', (gold, text, right) => {
    expect(judge(text, gold).lenientCorrect).toBe(right);
  });
});

test('ten answers of a model server, seven of them right', () => {
  const rows = read('server-grading.jsonl').trim().split('\n');
  const { rules } = JSON.parse(read('server-grading.rules.json')) as { rules: { match: string; text: string }[] };
  const right = rows.flatMap((line) => {
    const { id, question, answer } = JSON.parse(line) as Record<string, string>;
    return judge(rules.find(({ match }) => match === question)!.text, answer).correct ? [id] : [];
  });
  expect(right).toEqual(['g0', 'g1', 'g3', 'g4', 'g5', 'g8', 'g9']);
});
