import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../errors';
import { packageRoot } from '../paths';
import { Random } from '../random';
import { guessFormat } from './guess';
import { loadData } from './load';
import { type ReadOptions, readProblems } from './read';

const fixtures = join(packageRoot(), 'test', 'fixtures', 'parquet');
const fixture = (name: string) => join(fixtures, `${name}.parquet`);
const folder = mkdtempSync(join(tmpdir(), 'distillery-parquet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readParquet = (file: string, options?: ReadOptions) => [...readProblems(file, 'parquet', options).problems];

const question = (i: number) =>
  `A crate holds ${i} jars and another one ${i + 1}. How many jars are that? Größe: ${i} µ`;

describe('GSM8K as Parquet, by pyarrow', () => {
  it.each(['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'])('is read: %s', (codec) => {
    const problems = readParquet(fixture(`gsm8k-${codec}`));
    expect(problems).toHaveLength(120);
    problems.forEach((problem, i) => {
      expect(problem).toEqual({
        id: `gsm8k-${codec}-${i}`,
        question: question(i),
        answer: String(2 * i + 1),
        chain: `The crates hold ${i} + ${i + 1} = ${2 * i + 1} jars.\n#### ${2 * i + 1}`,
      });
    });
  });

  it('is read in parts, across row groups of 50', () => {
    const part = (start: number, count: number) =>
      readParquet(fixture('gsm8k-snappy'), { start, count }).map(({ id }) => id);
    const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `gsm8k-snappy-${from + i}`);
    expect(part(45, 60)).toEqual(ids(45, 105));
    expect(part(50, 50)).toEqual(ids(50, 100));
    expect(part(119, 9)).toEqual(ids(119, 120));
    expect(() => part(120, 1)).toThrow('no rows are left: the file has 120, but 120 are skipped');
  });

  it('is a dataset like others', () => {
    const file = fixture('gsm8k-zstd');
    expect(guessFormat(file)).toBe('rows');
    const { problems, hash } = loadData({ format: 'parquet', path: file, start: 0, count: 2 }, '.');
    expect([problems.length, hash.length]).toEqual([2, 64]);
  });
});

describe('sets of long reasoning as Parquet', () => {
  it.each(['long-v1', 'long-v2', 'long-delta'])('give the shortest right one of several chains: %s', (name) => {
    const problems = readParquet(fixture(name), { start: 8 });
    expect(problems).toHaveLength(52);
    problems.forEach((problem, n) => {
      const i = n + 8;
      const answer = String(2 * i + 1);
      expect(problem).toEqual({
        id: `${name}-${i}`,
        question: question(i),
        answer,
        chain: `It is \\boxed{${answer}}.`,
      });
    });
    // null, and an empty list
    expect(readParquet(fixture(name), { start: 3, count: 2 }).map(({ chain }) => chain)).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('take the columns that are named, a conversation as a question too', () => {
    const columns = { question: 'messages', chain: 'solution', id: 'uuid' };
    const [problem] = readParquet(fixture('long-v2'), { start: 30, count: 1, columns });
    expect(problem).toMatchObject({
      id: 'u-030',
      question: question(30),
      answer: '61',
      chain: expect.stringContaining('#### 61'),
    });
  });

  it('report missing columns', () => {
    expect(() => readParquet(fixture('long-v1'))).toThrow('row 8: the row has no text as its answer');
    expect(() => readParquet(fixture('strange'))).toThrow('no column looks like the question');
    const remedy = (action: () => unknown) => {
      try {
        action();
      } catch (error) {
        return (error as UserError).remedy;
      }
    };
    expect(remedy(() => readParquet(fixture('strange')))).toContain('Its columns: text, label.');
    expect(() => readParquet(fixture('strange'), { columns: { question: 'nothing' } })).toThrow(
      'there is no column "nothing"',
    );
    expect(readParquet(fixture('strange'), { columns: { question: 'text', answer: 'label' } })[1]).toMatchObject({
      answer: '3',
    });
    expect(readParquet(fixture('long-delta-byte-array'), { start: 8 })).toHaveLength(52);
  });
});

describe('hostile Parquet files', () => {
  it('a page that claims 300 MB is refused before it is decompressed', () => {
    const before = process.memoryUsage().rss;
    expect(() => readParquet(fixture('bomb'))).toThrow('a page claims 314572810 bytes, the maximum is 268435456');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  });

  it('a run-length of a billion values is refused', () => {
    // The first definition levels of the question: u32 length 2..4, a run of 50 (varint 100), level 1.
    const bytes = readFileSync(fixture('gsm8k-none'));
    const at = bytes.indexOf(Buffer.from([2, 0, 0, 0, 100, 1]));
    expect(at).toBeGreaterThan(0);
    // Longer by the varint's bytes, taken from what follows: the page is garbage, but its claims must be checked first.
    Buffer.from([6, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x07, 1]).copy(bytes, at);
    const file = join(folder, 'run.parquet');
    writeFileSync(file, bytes);
    expect(() => readParquet(file)).toThrow('a run is longer than its page');
  });

  it('is not Parquet: reported', () => {
    const cases: [Buffer, string][] = [
      [Buffer.from('PAR1'), 'too short'],
      [Buffer.from('PAR1 and then something else'), 'does not end like a Parquet file'],
      [
        Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(8, 255), Buffer.from('PAR1')]),
        'footer is longer than the file',
      ],
      [Buffer.from('PAR1........PARE'), 'encrypted'],
      [readFileSync(fixture('gsm8k-none')).subarray(0, 9000), 'is it complete'],
    ];
    for (const [bytes, message] of cases) {
      const file = join(folder, 'none.parquet');
      writeFileSync(file, bytes);
      expect(() => readParquet(file)).toThrow(message);
    }
  });

  it('flipped bytes: clear errors, bounded time and memory', () => {
    const names = readdirSync(fixtures).filter((name) => name.endsWith('.parquet') && name !== 'bomb.parquet');
    const random = new Random(1, 'parquet');
    const file = join(folder, 'fuzz.parquet');
    const before = process.memoryUsage().rss;
    let [slowest, refused] = [0, 0];
    for (let round = 0; round < 700; round++) {
      const name = random.pick(names);
      const bytes = Buffer.from(readFileSync(join(fixtures, name)));
      const flips = random.integer(1, 4);
      // Half of them in the footer, where sizes and places are.
      const footer = bytes.readUInt32LE(bytes.length - 8) + 8;
      for (let i = 0; i < flips; i++) {
        const at =
          random.uniform() < 0.5 ? bytes.length - random.integer(1, footer) : random.integer(0, bytes.length - 1);
        bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.integer(0, 255)]);
      }
      writeFileSync(file, random.uniform() < 0.1 ? bytes.subarray(0, random.integer(0, bytes.length)) : bytes);
      const started = process.cpuUsage();
      try {
        readParquet(file, { start: name.startsWith('long') ? 8 : 0 });
      } catch (error) {
        refused++;
        if (!(error instanceof UserError)) throw new Error(`round ${round}, ${name}: ${(error as Error).stack}`);
      }
      slowest = Math.max(slowest, process.cpuUsage(started).user / 1000);
    }
    expect(refused).toBeGreaterThan(140);
    expect(slowest).toBeLessThan(3000);
    expect(process.memoryUsage().rss - before).toBeLessThan(600 << 20);
  });
});
