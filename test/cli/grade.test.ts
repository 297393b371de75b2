import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Distillery, openDistillery } from './distillery';

let distillery: Distillery;
beforeAll(async () => {
  distillery = await openDistillery();
}, 120_000);
afterAll(() => distillery?.close());

const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const question = 'Six boxes hold 7 pears each. How many pears are there?';

it('grades every line of a file, as one JSON array or a table', async () => {
  distillery.write(
    'texts.jsonl',
    lines([
      { text: 'Step 1: 6 * 7 = 42\nAnswer: 42 pears', gold: '42', question },
      { text: 'Step 1: 6 * 7 = 41\nAnswer: 42', gold: 42, question },
      { text: 'there are 42', gold: '42', question },
      { text: '<think>\n\\boxed{42}', gold: '42', question },
      { text: '\\boxed{2, 1}', gold: ['1', '2'] },
      { text: 'Answer: yes', gold: true },
    ]),
  );
  const grades = await distillery.json<object[]>('grade', 'texts.jsonl');
  expect(grades).toMatchObject([
    { answer: '42', strict: true, lenient: true, grounded: true, fault: null },
    { answer: '42', strict: true, lenient: true, grounded: false, fault: expect.stringContaining('42') },
    { answer: null, strict: false, lenient: true },
    { answer: null, strict: false, lenient: false },
    { answer: '2, 1', strict: true, lenient: true },
    { answer: 'yes', strict: true, lenient: true },
  ]);
  expect(grades.map((grade) => Object.keys(grade))).toEqual(
    grades.map(() => ['answer', 'strict', 'lenient', 'grounded', 'fault']),
  );
  const { code, stdout } = await distillery.run('grade', 'texts.jsonl');
  expect(code).toBe(0);
  expect(stdout).toMatch(/6 texts: strict 4 \(66\.7 %\), lenient 5 \(83\.3 %\), without an answer 2/);
});

it('names the lines that are bad', async () => {
  distillery.write('bad.jsonl', `{"text": "a", "gold": "1"}\n\n{"text": 1, "gold": "1"}\nno JSON\n{"text": "b"}\n`);
  const { code, stderr } = await distillery.run('grade', 'bad.jsonl');
  expect(code).toBe(2);
  expect(stderr).toContain('bad.jsonl:3: "text" is missing or not a text');
  expect(stderr).toContain('bad.jsonl:4, bad.jsonl:5');
  distillery.write('empty.jsonl', '\n');
  expect((await distillery.run('grade', 'empty.jsonl')).stderr).toContain('the file has no lines');
  expect((await distillery.run('grade', 'none.jsonl')).code).toBe(2);
});
