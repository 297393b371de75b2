import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { UserError } from '../errors';
import { guessFormat } from './guess';
import { type ReadOptions, readProblems } from './read';

const read = (file: string, options?: ReadOptions) => readProblems(file, guessFormat(file), options);

describe('kinds of rows', () => {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-kinds-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const written = (name: string, content: unknown) => {
    const file = join(folder, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const [asked, steps] = ['A baker sells 5 of 36 rolls. How many are left?', 'There are 36 - 5 = 31 rolls left.'];
  const boxed = `${steps}\nIt is \\boxed{31}.`;
  const plain = { question: asked, answer: '31' };
  const options = ['32', '31', '27'];
  const chosen = { question: `${asked}\n(A) 32\n(B) 31\n(C) 27`, answer: '(B) 31' };

  test.each<[string, object, object]>([
    ['headings', { text: `### Question:\n${asked}\n\n### Response:\n${boxed}` }, plain],
    ['Alpaca', { text: `Below is a task.\n\n### Instruction:\n${asked}\n\n### Response:\n${boxed}` }, plain],
    ['headings in one line', { text: `### Human: ${asked}### Assistant: ${boxed}` }, plain],
    ['labels', { text: `Human: ${asked}\n\nAssistant: ${boxed}\n\nHuman: Sure?\n\nAssistant: Yes.` }, plain],
    ['bold', { content: `**Problem:** ${asked}\n\n**Solution:** ${boxed}` }, plain],
    ['ChatML', { text: `<|im_start|>user\n${asked}<|im_end|>\n<|im_start|>assistant\n${boxed}<|im_end|>\n` }, plain],
    ['Llama 2', { text: `<s>[INST] <<SYS>>\nBe exact.\n<</SYS>>\n\n${asked} [/INST] ${boxed} </s>` }, plain],
    ['DeepSeek', { text: `<｜User｜>${asked}<｜Assistant｜>${boxed}<｜end▁of▁sentence｜>` }, plain],
    ['preferences', { chosen: `\n\nHuman: ${asked}\n\nAssistant: ${boxed}`, rejected: 'Human: Assistant: 3' }, plain],
    ['a pair', { conversation: [asked, boxed] }, plain],
    ['an exchange', { conversation: [{ input: asked, output: boxed }] }, plain],
    [
      'speakers',
      {
        dialogue: [
          { speaker: 'User', text: asked },
          { speaker: 'Assistant', text: boxed },
        ],
      },
      plain,
    ],
    ['a row in a column', { data: { question: asked, answer: 31, solution: steps } }, plain],
    ['a list in a text', { prompt: asked, reward_model: { ground_truth: '["31"]' }, solution: steps }, plain],
    ['a solution alone', { question: asked, answer: `${steps} He counts them. So **31** are left, of 36.` }, plain],
    ['a solution after its thinking', { question: asked, reasoning: 'Hm.', answer: boxed }, plain],
    ['steps', { question: asked, steps: [steps, 'It is \\boxed{31}.'], answer: 31 }, plain],
    ['candidates', { question: asked, answer: 31, candidates: [{ text: boxed, verdict: 'correct' }] }, plain],
    ['scores', { question: asked, gold: 31, completions: ['3 \\boxed{31}', boxed], scores: [0, 1] }, plain],
    [
      'lists in texts',
      { question: asked, gold: 31, completions: JSON.stringify(['3', boxed]), correctness: '[False, True]' },
      plain,
    ],
    [
      "lists in Python's form",
      {
        question: asked,
        gold: 31,
        completions: `["It's 3.\\\\nAnswer: 3", '${boxed.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}']`,
        correctness: '[False True]',
      },
      plain,
    ],
    ['a switch for thinking', { input: asked, output: boxed, reasoning: 'on' }, plain],
    [
      'a solution in an answer tag',
      { question: asked, response: `<think>Hm.</think><answer>${boxed}</answer>` },
      plain,
    ],
    [
      'a conversation in a list',
      {
        conversations: [
          [
            { from: 'human', value: asked },
            { from: 'gpt', value: boxed },
          ],
        ],
      },
      plain,
    ],
    [
      'verl',
      { prompt: asked, reward_model: { ground_truth: '31' }, extra_info: { answer: `${steps}\n#### 31` } },
      plain,
    ],
    ['KTO', { prompt: asked, completion: boxed, label: true }, plain],
    [
      'a story',
      { Body: 'A baker sells 5 of 36 rolls.', Question: 'How many are left?', Answer: 31, solution: steps },
      {
        ...plain,
        question: asked.replace('. ', '.\n\n'),
      },
    ],
    [
      'ARC',
      { question: asked, choices: { text: options, label: ['1', '2', '3'] }, answerKey: '2', exp: steps },
      chosen,
    ],
    [
      'CommonsenseQA',
      {
        question: { stem: asked, choices: options.map((text, i) => ({ label: 'ABC'[i], text })) },
        answerKey: 'B',
        exp: steps,
      },
      chosen,
    ],
    ['MMLU', { question: asked, choices: options, answer: 1, exp: steps }, chosen],
    ['MathQA', { Problem: asked, options: 'a ) 32 , b ) 31 , c ) 27', correct: 'b', Rationale: steps }, chosen],
    ['a column for each', { question: asked, opa: '32', opb: '31', opc: '27', cop: 1, exp: steps }, chosen],
    ['a text of a list', { question: asked, choices: "['32', '31', '27']", answer: '31', exp: steps }, chosen],
    ['no choices', { question: asked, a: 1.5, b: 2, c: 7, answer: '31', solution: steps }, plain],
  ])('%s', (name, row, expected) => {
    const { problems } = read(written(`${name}.jsonl`, row));
    expect(problems.at(0)).toMatchObject({ ...expected, chain: expect.stringContaining(steps) });
  });

  const thoughts = 'Okay, 36 minus 5. That is 31.';
  test.each<[string, object]>([
    ['reasoning_traces', { question: asked, reasoning_traces: [boxed] }],
    ['cot_content', { question: asked, cot_content: boxed, answer: 31 }],
    ['teacher_traces', { question: asked, teacher_traces: [boxed], answer: 31 }],
    ['deepseek_responses', { question: asked, deepseek_responses: [boxed], answer: 31 }],
    ['content', { question: asked, content: boxed, answer: 31 }],
    ['reasoning_content and content', { prompt: asked, reasoning_content: thoughts, content: boxed }],
    ['thinking and a reply, with an answer', { question: asked, thinking: thoughts, reply: boxed, answer: '31' }],
    [
      'parts of a content',
      {
        messages: [
          { role: 'user', content: [{ type: 'text', text: asked }] },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: [{ type: 'text', text: thoughts }] },
              { type: 'text', text: boxed },
            ],
          },
        ],
      },
    ],
    ['a message', { question: asked, message: { role: 'assistant', reasoning_content: thoughts, content: boxed } }],
    ['a trace before a solution', { question: asked, reasoning_trace: thoughts, solution: boxed, answer: '31' }],
  ])('a chain: %s', (name, row) => {
    const chain = JSON.stringify(row).includes(thoughts) ? `<think>\n${thoughts}\n</think>\n\n${boxed}` : boxed;
    expect(read(written(`${name}.jsonl`, row)).problems.at(0)).toMatchObject({ ...plain, chain });
  });

  test('a text beside question and answer that states no answer is no chain', () => {
    const row = { ...plain, text: 'A baker has 36 rolls.', source: 'textbook' };
    expect(read(written('passage.jsonl', row)).problems.at(0)!.chain).toBeUndefined();
  });

  const rows = [
    { ...plain, chain: steps },
    { question: 'How many are 2 + 2?', answer: '4', chain: '2 + 2 = 4' },
  ];
  test.each<[string, unknown]>([
    ['ids', { x: rows[0], y: rows[1] }],
    ['groups', { easy: [rows[0]], hard: [rows[1]] }],
    ['split', { columns: Object.keys(rows[0]), index: [0, 1], data: rows.map(Object.values) }],
    ['viewer', { features: [{ name: 'question' }], rows: rows.map((row, i) => ({ row_idx: i, row })) }],
    ['described', { description: 'Two problems of ours.', examples: rows }],
  ])('a table in one object: %s', (name, content) => {
    expect([...read(written(`${name}.json`, content)).problems]).toMatchObject(rows);
  });

  test('parts that are named by split', () => {
    const file = written('parts.json', { train: [rows[0]], test: [rows[1]] });
    expect(read(file)).toMatchObject({ split: 'train', problems: [{ answer: '31' }] });
    expect(read(file, { split: 'test' })).toMatchObject({ split: 'test', problems: [{ answer: '4' }] });
    const wrapped = written('wrapped-parts.json', { version: 1, data: { train: [rows[0]], test: [rows[1]] } });
    expect(read(wrapped, { split: 'test' })).toMatchObject({ split: 'test', problems: [{ answer: '4' }] });
  });

  test('conversations without a name, one a line', () => {
    const talk = [
      { role: 'user', content: asked },
      { role: 'assistant', content: boxed },
    ];
    const lines = [talk, talk].map((one) => `${JSON.stringify(one)}\n`).join('');
    expect([...read(written('bare.jsonl', lines)).problems]).toMatchObject([plain, plain]);
    expect([...read(written('bare.json', [talk])).problems]).toMatchObject([plain]);
  });

  test("a row's own verdict on its only chain is used", () => {
    const chainOf = (more: object) =>
      read(written('flags.jsonl', { ...plain, response: boxed, ...more })).problems.at(0)!.chain;
    expect(chainOf({ is_correct: true })).toBe(boxed);
    for (const correct_answer of [0, 1, 'no']) {
      const [gold] = read(written('gold.jsonl', { question: asked, correct_answer, solution: boxed })).problems;
      expect(gold).toEqual({ id: 'gold-0', question: asked, answer: String(correct_answer), chain: boxed });
    }
    for (const more of [{ is_correct: false }, { verified: 'no' }, { finish_reason: 'length' }])
      expect(chainOf(more)).toBeUndefined();
  });

  test('a row whose only chain is wrong is reported', () => {
    const rows = [true, false].map((label) => JSON.stringify({ prompt: asked, completion: boxed, label }));
    expect(() => read(written('kto.jsonl', rows.join('\n')))).toThrow('the row marks its chain as wrong');
  });

  test('digits of long whole numbers are kept', () => {
    const file = written('long.jsonl', `{"question": "${asked}", "answer": 12345678901234567}`);
    const table = written('long.json', `{"columns": ["question", "answer"], "data": [["?", 12345678901234567]]}`);
    for (const one of [file, table]) expect(read(one).problems.at(0)!.answer).toBe('12345678901234567');
  });

  test('faulty rows are reported, with a remedy', () => {
    const row = { question: 'Why?', answer: 'There are several reasons. One of them is 3, and the other one is 4.' };
    expect(() => read(written('why.jsonl', row))).toThrow('the solution states no final answer');
    const [fair, broken, blank] = [JSON.stringify(plain), '{"question": "x"', '{"question": "", "answer": "1"}'];
    const refusal = (...lines: string[]) => {
      try {
        return read(written('several.jsonl', lines.join('\n'))).problems.length;
      } catch (error) {
        return (error as UserError).remedy;
      }
    };
    expect(refusal(fair, broken)).toMatch(/^Fix or remove it\. Or skip/);
    expect(refusal(fair, broken, blank)).toMatch(/^Fix or remove these rows\. Or skip/);
  });
});
