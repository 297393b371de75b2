/** Datasets in the shapes that people have them in: each file is read, its columns guessed. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Binary, Float32, Table, tableToIPC, vectorFromArray } from 'apache-arrow';
import { afterAll, describe, expect, test } from 'vitest';
import { splitChain } from '../chain/split';
import { packageRoot } from '../paths';
import { columnsText } from './columns';
import { guessFormat } from './guess';
import { type ReadOptions, readProblems } from './read';

const fixtures = join(packageRoot(), 'test/fixtures/data');
const read = (name: string, options?: ReadOptions) => {
  const file = name.startsWith('/') ? name : join(fixtures, name);
  return readProblems(file, guessFormat(file), options);
};

const question =
  'A kiosk sells 18 postcards each morning for 11 days and then returns 18 unsold ones. How many postcards were kept by buyers?';
const steps = /^Step 1: Each morning 18 cards go[\s\S]*Answer: 180$/;
const thinking = /^<think>\nOkay[\s\S]*<\/think>\n\nThe total follows\.[\s\S]*\\boxed\{180\}$/;
const sentences = /^Each morning 18 cards go[\s\S]*180/;

test.each<[string, number, RegExp | undefined, string]>([
  ['qa_noid.jsonl', 5, steps, 'question: question, answer: answer, chain: chain'],
  ['problem_solution.jsonl', 5, sentences, 'question: problem, answer: answer, chain: solution'],
  ['question_response.jsonl', 5, thinking, 'question: question, answer: answer, chain: response'],
  ['alpaca.jsonl', 5, steps, 'question: instruction, answer: the end of the chain, chain: output'],
  ['alpaca.parquet', 5, steps, 'chain: output'],
  ['alpaca_array.json', 5, steps, 'chain: output'],
  ['messages.jsonl', 5, thinking, 'question: messages, answer: the end of the chain, chain: messages'],
  ['messages.parquet', 5, thinking, 'chain: messages'],
  ['sharegpt.jsonl', 5, thinking, 'question: conversations, answer: the end of the chain'],
  ['sharegpt.parquet', 5, thinking, 'chain: conversations'],
  ['metamath.jsonl', 5, sentences, 'question: query, answer: the end of the chain, chain: response'],
  ['metamath.parquet', 5, sentences, 'chain: response'],
  ['openr1.jsonl', 5, thinking, 'question: problem, answer: answer, chain: generations'],
  ['openr1_delta.parquet', 5, thinking, 'chain: generations'],
  ['numina.parquet', 200, sentences, 'question: problem, answer: solution'],
  ['openthoughts.parquet', 200, /^<think>\nOkay\.\n<\/think>\n\nStep 1:[\s\S]*Answer: 180$/, 'question: conversations'],
  [
    's1k.parquet',
    200,
    /^<think>\nOkay\.[\s\S]*<\/think>\n\nStep 1:[\s\S]*Answer: 180$/,
    'answer: solution, thinking: thinking_trajectories, chain: attempt',
  ],
  ['promptcompletion.parquet', 200, steps, 'question: prompt, answer: answer, chain: completion'],
  ['answerlist.parquet', 200, steps, 'question: problem, answer: answer, chain: solution'],
  ['inputoutput.parquet', 200, steps, 'question: input, answer: answer, chain: output'],
  ['cutgen.parquet', 60, /^<think>\nOkay[\s\S]*<\/think>[\s\S]*\\boxed\{180\}$/, 'chain: generations'],
  ['rows.csv', 1, steps, ''],
  ['rows.jsonl.gz', 2, steps, ''],
  ['rows.jsonl.zst', 2, steps, ''],
  ['rows_array.json', 5, steps, ''],
  ['utf16.jsonl', 200, steps, ''],
  ['listans.jsonl', 200, steps, ''],
  ['boxinstr.jsonl', 200, steps, ''],
])('%s', (name, rows, chain, columns) => {
  const { problems, columns: guessed } = read(name);
  expect(problems.length).toBeGreaterThanOrEqual(rows);
  const first = problems.at(0)!;
  expect(first.question).toContain(question);
  expect(first.answer).toBe('180');
  if (chain) expect(first.chain).toMatch(chain);
  if (guessed) expect(columnsText(guessed)).toContain(columns);
  expect(new Set(problems.map(({ id }) => id)).size).toBe(problems.length);
});

describe('the whole of a file', () => {
  test('a fragment that was cut off in its thinking is never the chain', () => {
    const { problems } = read('cutgen.parquet');
    expect(problems.filter(({ chain }) => !chain?.includes('</think>'))).toEqual([]);
    expect(problems.filter(({ meta }) => meta?.verified !== true)).toEqual([]);
  });

  test('a system turn is kept', () => {
    expect(read('openthoughts.parquet').problems.at(0)).toMatchObject({ system: 'Think.' });
  });

  test('prose keeps the sentence that names the unknown, and the one with the last computation', () => {
    for (const { chain } of read('mathpar.jsonl').problems) {
      const { steps, answer } = splitChain(chain!);
      expect(steps.join(' ')).toBe(chain);
      expect(chain).toContain(`\\boxed{${answer}}`);
    }
  });

  test('truth values are answers, too', () => {
    expect(read('boolans.jsonl').problems.at(0)!.answer).toBe('true');
  });
});

describe('rows that cannot be used', () => {
  test.each([
    ['nan.jsonl', /a value other than a text as "answer"/],
    ['nullans.jsonl', /a value other than a text as "answer"/],
    ['nullsome.parquet', /has no text as its answer/],
    ['dupid.jsonl', /is already on line/],
  ])('%s: reported, and skipped on request', (name, message) => {
    expect(() => read(name)).toThrow(message);
    const { problems, bad } = read(name, { skipBad: true });
    expect(bad!.count).toBeGreaterThan(0);
    expect(bad!.first.length).toBe(Math.min(5, bad!.count));
    expect(bad!.first[0].error.message).toMatch(message);
    expect(problems.length + bad!.count).toBe(200);
  });
});

describe('other kinds of files', () => {
  test.each(['stream.arrow', 'uncompressed.feather', 'lz4.feather', 'zstd.feather', 'delta.parquet'])('%s', (name) => {
    const { problems } = read(name);
    expect(problems).toHaveLength(20);
    expect(problems.at(19)).toMatchObject({
      question: 'A kiosk sells 11 cards on each of 5 days. How many cards?',
      answer: '55',
      chain: '<think>\nHm.\n</think>\n\nStep 1: 11 * 5 = 55.\nAnswer: 55',
    });
  });

  test.each(['members.jsonl.gz', 'frames.jsonl.zst'])('%s: packed in parts', (name) => {
    expect(read(name).problems).toHaveLength(20);
  });

  test('cells of Arrow that are no texts: numbers of 32 bits, bytes', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'distillery-arrow-')), 'x.arrow');
    const table = new Table({
      question: vectorFromArray([Buffer.from('How much is 2 / 5?')], new Binary()),
      answer: vectorFromArray([0.4], new Float32()),
    });
    writeFileSync(file, tableToIPC(table));
    expect(read(file).problems.at(0)).toMatchObject({ question: 'How much is 2 / 5?', answer: '0.4' });
    rmSync(dirname(file), { recursive: true });
  });

  test('a folder of shards, by split; a pattern', () => {
    const ids = (options?: ReadOptions, path = 'shards') => read(path, options).problems.map(({ id }) => id);
    expect(ids()).toHaveLength(16);
    expect(ids()[8]).toBe('train-00001-of-00002-0');
    expect(ids({ split: 'test' })).toHaveLength(4);
    expect(ids({}, 'shards/train-*1-*.parquet')).toHaveLength(8);
    expect(ids({ start: 7, count: 2 })).toEqual(['train-00000-of-00002-7', 'train-00001-of-00002-0']);
    expect(() => ids({}, 'shards/none-*.parquet')).toThrow('no file matches this pattern');
  });
});

describe('written by hand', () => {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-shapes-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const written = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  test('a small file that unpacks to very much, and a text too long for memory, are refused', () => {
    const zeros = gzipSync(Buffer.alloc(32 << 20));
    const bomb = written('bomb.jsonl.gz', Buffer.concat(Array(10).fill(zeros)));
    expect(() => read(bomb)).toThrow(/gzip file cannot be decompressed: .*larger than 268435456 bytes/);
    const wide = written('wide.jsonl', Buffer.from([0xff, 0xfe, 0x7b, 0]));
    truncateSync(wide, 600 << 20);
    expect(() => read(wide)).toThrow('this file in UTF-16 is larger than 512 MB');
  });

  test.each<[string, string | Buffer]>([
    ['bom.csv', '\uFEFFquestion,answer\n"How many, in all?",12\n'],
    ['headings.csv', 'Problem Statement,Final Answer,Chain of Thought\n"How many, in all?",12,"Ten, \nand two."\n'],
    ['semicolons.csv', 'question;answer\nHow many, in all?;12\n'],
    ['tabs.tsv', 'question\tanswer\nHow many, in all?\t12\n'],
    ['no-name', 'question\tanswer\nHow many, in all?\t12\n'],
    ['ends-of-two-kinds.csv', 'question,answer\n"How many, in all?",12\r\n"a,\nb",13\r\n'],
    ['stray-quote.tsv', 'answer\tsaid\tquestion\n12\tTen "or so.\tHow many, in all?\n'],
    ['crlf.csv', 'question,answer\r\n"How many, in all?",12\r\n'],
    ['wide.csv', Buffer.from('\uFEFFquestion,answer\n"How many, in all?",12\n', 'utf16le')],
    ['wide.jsonl.gz', gzipSync(Buffer.from('\uFEFF{"question": "How many, in all?", "answer": 12}\n', 'utf16le'))],
    [
      'not-a-number.jsonl',
      '{"question": "How many, in all?", "answer": 12, "note": "NaN", "score": NaN, "x": [-Infinity]}',
    ],
    [
      'not-a-number-beside-a-long-text.jsonl',
      `{"question": "How many, in all?", "answer": 12, "score": NaN, "note": "${'x'.repeat(9 << 20)}"}`,
    ],
    ['wide-without-mark.jsonl', Buffer.from('{"question": "How many, in all?", "answer": 12}\n', 'utf16le')],
    [
      'several-lines.json',
      '{\n  "question": "How many, in all?",\n  "answer": 12\n}\n{\n  "question": "b", "answer": 1\n}\n',
    ],
    ['array-of-many-lines.json', '[\n  {\n    "question": "How many, in all?",\n    "answer": [12]\n  }\n]\n'],
    [
      'nested.jsonl',
      '{"prompt": [{"role": "user", "content": "How many, in all?"}], "reward_model": {"ground_truth": "12"}}',
    ],
    [
      'text-of-messages.csv',
      'messages\n"[{""role"": ""user"", ""content"": ""How many, in all?""}, {""role"": ""assistant"", ""content"": ""Answer: 12""}]"\n',
    ],
  ])('%s', (name, content) => {
    expect(read(written(name, content)).problems.at(0)).toMatchObject({ question: 'How many, in all?', answer: '12' });
  });

  test('messages with their thinking apart, parts of content, a greeting in front', () => {
    const messages = [
      { role: 'system', content: 'Be short.' },
      { role: 'assistant', content: 'Hello!' },
      { role: 'user', content: 'Hi there' },
      { role: 'assistant', content: 'What is your problem?' },
      { role: 'user', content: [{ type: 'text', text: 'What is 3 * 4?' }] },
      { role: 'assistant', reasoning_content: 'Three fours.', content: 'It is \\boxed{12}.' },
    ];
    const file = written('messages.jsonl', `${JSON.stringify({ messages })}\n`);
    expect(read(file).problems.at(0)).toEqual({
      id: 'messages-0',
      question: 'What is 3 * 4?',
      answer: '12',
      chain: '<think>\nThree fours.\n</think>\n\nIt is \\boxed{12}.',
      system: 'Be short.',
    });
  });

  test('an instruction that differs is a part of the question', () => {
    const rows = [
      { instruction: 'Add.', input: '1, 2', output: 'Answer: 3' },
      { instruction: 'Multiply.', input: '1, 2', output: 'Answer: 2' },
    ];
    const file = written('alpaca.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    expect(read(file).problems.map(({ question }) => question)).toEqual(['Add.\n\n1, 2', 'Multiply.\n\n1, 2']);
  });

  test('given columns are checked', () => {
    const file = written('told.jsonl', '{"text": "Which?", "gold": "12", "other": "Answer: 12"}\n');
    expect(read(file, { columns: { question: 'text', chain: 'other' } }).problems.at(0)).toMatchObject({
      answer: '12',
    });
    const told = (columns: ReadOptions['columns']) => () => read(file, { columns });
    expect(told({ question: 'nothing' })).toThrow('there is no column "nothing"');
    expect(told({ question: 'text', answer: 'text' })).toThrow('the reference answers in "text" are the questions');
    expect(told({})).toThrow('no column looks like the question');
  });

  test('a chain that ends within its thinking is dropped', () => {
    const row = { question: 'What is 3 * 4?', answer: '12', response: '<think>\nMaybe \\boxed{12}? Let me' };
    expect(read(written('cut.jsonl', JSON.stringify(row))).problems.at(0)).toEqual({
      id: 'cut-0',
      question: row.question,
      answer: '12',
      meta: { cutOff: true },
    });
  });

  test('text that is not UTF-8 is refused', () => {
    const latin = Buffer.from('question,answer\nWie viele Bücher?,12\n', 'latin1');
    expect(() => read(written('latin.csv', latin))).toThrow('not UTF-8');
  });

  test('other files say what they are', () => {
    expect(() => read(written('a.zip', 'PK\x03\x04....'))).toThrow('this is a ZIP archive');
    expect(() => read(written('a.parquet', 'version https://git-lfs.github.com/spec/v1\n'))).toThrow('Git LFS');
    expect(() => read(written('a.gz', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0])))).toThrow('cannot be decompressed');
    expect(() => read(written('a.arrow', Buffer.from('ARROW1\0\0 and then something else')))).toThrow(
      'this Arrow file',
    );
  });

  test('a large file is read row by row, and the same', () => {
    const text = readFileSync(join(fixtures, 'qa_noid.jsonl'), 'utf8').trim().split('\n');
    const wide = (line: string, i: number) =>
      JSON.stringify({ ...JSON.parse(line), id: `r${i}`, chain: `${'x'.repeat(50_000)}\nAnswer: 1` });
    const file = written(
      'large.jsonl',
      Array.from({ length: 800 }, (_, i) => wide(text[i % text.length], i)).join('\n'),
    );
    const { problems } = read(file);
    expect(problems).not.toBeInstanceOf(Array);
    expect(problems).toHaveLength(800);
    expect(problems.at(0)!.question).toBe(question);
    expect(problems.at(799)).toMatchObject({ id: 'r799', chain: expect.stringMatching(/^x{50000}\nAnswer: 1$/) });
    expect(problems.slice(5, 7).map(({ id }) => id)).toEqual(['r5', 'r6']);
  });
});

describe('less usual files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-less-usual-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const asked = (i: number) => `A farmer has ${i + 3} crates with 7 melons each. How many melons?`;
  const said = (i: number) => `There are ${i + 3} crates of 7, so ${i + 3} * 7 = ${7 * (i + 3)} melons.`;
  const rows = (names: readonly [string, string, string]) =>
    [0, 1, 2].map((i) => Object.fromEntries([asked(i), `${7 * (i + 3)}`, said(i)].map((text, k) => [names[k], text])));
  const english = rows(['question', 'answer', 'solution']);
  const written = (name: string, content: unknown) => {
    const file = join(folder, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return read(file);
  };
  const columns = (list: 'lists' | 'objects') =>
    Object.fromEntries(
      Object.keys(english[0]).map((name) => [
        name,
        list === 'lists' ? english.map((row) => row[name]) : { ...english.map((row) => row[name]) },
      ]),
    );

  test.each<[string, unknown]>([
    ['wrapped.json', { version: '1.0', data: english }],
    ['wrapped-pretty.json', JSON.stringify({ version: 1, rows: english }, null, 2)],
    ['lists.json', columns('lists')],
    ['pandas.json', columns('objects')],
    ['pandas-pretty.json', JSON.stringify(columns('objects'), null, 2)],
  ])('%s: a table in one object', (name, content) => {
    const { problems } = written(name, content);
    expect(problems.map(({ question, answer, chain }) => [question, answer, chain])).toEqual(
      [0, 1, 2].map((i) => [asked(i), `${7 * (i + 3)}`, said(i)]),
    );
  });

  test('a single row is a row, even if it contains lists', () => {
    const messages = [
      { role: 'user', content: asked(0) },
      { role: 'assistant', content: `${said(0)}\nAnswer: 21` },
    ];
    expect(written('one.jsonl', { messages }).problems).toHaveLength(1);
    expect(written('sources.jsonl', { ...english[0], sources: [{ a: 1 }, { a: 2 }] }).problems).toHaveLength(1);
  });

  test.each<[string, readonly [string, string, string]]>([
    ['camel', ['mathProblem', 'finalAnswer', 'workedSolution']],
    ['sheet', ['Question Text', 'Final Answer', 'Worked Solution']],
    ['suffix', ['algebra_problem', 'verified_answer', 'teacher_reasoning']],
    ['german', ['Frage', 'Antwort', 'Lösung']],
    ['spanish', ['pregunta', 'respuesta', 'solución']],
    ['chinese', ['问题', '答案', '解析']],
  ])('columns of other names: %s', (name, names) => {
    const { columns: found } = written(`${name}.json`, rows(names));
    expect(found).toEqual({ question: names[0], answer: names[1], chain: names[2] });
  });

  test("a wrong chain and a student's chain are not teacher chains", () => {
    const { columns: found } = written(
      'wrong.json',
      english.map(({ question, answer, solution }) => ({
        question,
        answer,
        rejected_solution: solution,
        student_response: 'No.',
      })),
    );
    expect(found).toMatchObject({ question: 'question', answer: 'answer', student: 'student_response' });
    expect(found).not.toHaveProperty('chain');
  });
});

test('a folder with brackets in its name is no pattern', () => {
  const folder = mkdtempSync(join(tmpdir(), 'distillery [ok] {a} '));
  const row = '{"question":"How many are 6 * 7?","answer":"42"}\n';
  for (const name of ['a.jsonl', 'b.jsonl']) writeFileSync(join(folder, name), row);
  expect(read(join(folder, 'a.jsonl')).problems).toHaveLength(1);
  expect(read(join(folder, '*.jsonl')).problems).toHaveLength(2);
  expect(() => read(join(folder, 'c.jsonl'))).toThrow('no such file');
  expect(() => read(join(folder, 'c*.jsonl'))).toThrow('no file matches this pattern');
  expect(() => read(join(folder, 'absent', '*.jsonl'))).toThrow('no such file');
  rmSync(folder, { recursive: true });
});
