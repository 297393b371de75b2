import fs, { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { encode, numberOrText } from '../json';
import { appendLines, lastSeq, readRecords, truncateAfter } from './jsonl';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-jsonl-'));
  file = join(folder, 'records.jsonl');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const schema = z.object({ seq: z.number(), x: numberOrText, text: z.string().optional() });

describe('records', () => {
  it('come back as they were, NaN and infinities included, and texts that look like them stay texts', () => {
    const records = [
      { seq: 1, x: Number.NaN },
      { seq: 2, x: Number.NEGATIVE_INFINITY, text: 'NaN' },
      { seq: 3, x: Number.POSITIVE_INFINITY, text: 'a\nb\u2028' },
      { seq: 4, x: 0.1 },
    ];
    appendLines(folder, file, records);
    expect(readRecords(file, schema)).toEqual(records);
    expect(readFileSync(file, 'utf8').split('\n')[0]).toBe('{"seq":1,"x":"NaN"}');
    expect(encode([-0, 1e-7, null])).toBe('[0,1e-7,null]');
  });

  it('of no file are none, nor of a link that leads to itself', () => {
    expect(readRecords(file, schema)).toEqual([]);
    expect(lastSeq(file)).toEqual({ seq: 0, end: 0 });
    symlinkSync(file, file);
    expect(readRecords(file, schema)).toEqual([]);
  });

  it('that do not fit their schema name the line and the field', () => {
    writeFileSync(file, '{"seq":1,"x":1}\n{"seq":2,"x":"many"}\n');
    expect(() => readRecords(file, schema)).toThrow(/x: /);
    try {
      readRecords(file, schema);
    } catch (error) {
      expect(error).toMatchObject({ file, line: 2, code: 'run' });
    }
  });
});

describe('a torn last line', () => {
  it.each(['{"seq":3,"x', '{"seq":3,"x":3}', ' '.repeat(200_000), '\0\0'])(
    'is ignored by readers and removed by the next writer',
    (torn) => {
      appendLines(folder, file, [
        { seq: 1, x: 1 },
        { seq: 2, x: 2 },
      ]);
      writeFileSync(file, torn, { flag: 'a' });
      expect(readRecords(file, schema).map((record) => record.seq)).toEqual([1, 2]);
      expect(lastSeq(file).seq).toBe(2);
      appendLines(folder, file, [{ seq: 3, x: 3 }]);
      expect(readFileSync(file, 'utf8')).toBe('{"seq":1,"x":1}\n{"seq":2,"x":2}\n{"seq":3,"x":3}\n');
    },
  );

  it('that is the only line leaves nothing', () => {
    writeFileSync(file, '{"seq"');
    expect(readRecords(file, schema)).toEqual([]);
    truncateAfter(folder, file, 5);
    expect(fs.existsSync(file)).toBe(false);
  });

  it('anywhere else is an error that names the line', () => {
    writeFileSync(file, '{"seq":1,"x":1}\n{"seq":2,\n{"seq":3,"x":3}\n');
    expect(() => readRecords(file, schema)).toThrow(expect.objectContaining({ file, line: 2 }));
  });
});

describe('a line that cannot be read', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const broken = [
    '{"seq":2,',
    '\0'.repeat(4096),
    deep,
    '{"seq":2,"x":"many"}',
    '{"seq":2,"__proto__":1}',
    '\xff',
    '[]',
    '',
  ];
  const whole = (seq: number) => `{"seq":${seq},"x":${seq}}\n`;
  const write = (...lines: string[]) => writeFileSync(file, Buffer.from(lines.join(''), 'latin1'));

  it.each(broken)('hides only itself if damage is reported: %#', (line) => {
    write(whole(1), `${line}\n`, whole(3));
    const told: unknown[] = [];
    const records = readRecords(file, schema, (problem) => told.push(problem));
    expect(records.map(({ seq }) => seq)).toEqual([1, 3]);
    expect(told).toMatchObject([{ file, line: 2 }]);
  });

  it('after a checkpoint is cut off with all later lines; before it stays', () => {
    const nul = `${'\0'.repeat(5000)}\n`;
    write(whole(1), whole(2), nul, nul);
    expect(lastSeq(file)).toEqual({ seq: 2, end: 32 });
    truncateAfter(folder, file, 2);
    expect(readFileSync(file, 'utf8')).toBe(whole(1) + whole(2));
    write(whole(1), nul, whole(3), nul, whole(5), nul);
    truncateAfter(folder, file, 3);
    expect(readFileSync(file, 'utf8')).toBe(whole(1) + nul + whole(3));
    truncateAfter(folder, file, 2);
    expect(readFileSync(file, 'utf8')).toBe(whole(1));
    write(nul, nul);
    truncateAfter(folder, file, 2);
    expect(fs.existsSync(file)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('is not all: a file that cannot be opened or read is reported, too', () => {
    const told: unknown[] = [];
    const read = () => readRecords(file, schema, (problem) => told.push(problem));
    fs.mkdirSync(file);
    expect(read()).toEqual([]);
    expect(() => readRecords(file, schema)).toThrow('this is a folder, not a file');
    fs.rmdirSync(file);
    write(...Array.from({ length: 50_000 }, (_, i) => whole(i + 1)));
    const original = fs.readSync;
    let reads = 0;
    vi.spyOn(fs, 'readSync').mockImplementation(((...args: Parameters<typeof original>) => {
      if (++reads > 2) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
      return original(...args);
    }) as never);
    syncBuiltinESMExports();
    const records = read();
    vi.restoreAllMocks();
    syncBuiltinESMExports();
    expect(records.length).toBeGreaterThan(10_000);
    expect(records.length).toBeLessThan(50_000);
    expect(told).toMatchObject([
      { file, code: 'missing' },
      { file, message: expect.stringContaining('(EIO)') },
    ]);
  });

  it('is one of very many: the rest is skipped', () => {
    write(whole(1), ...Array.from({ length: 5000 }, (_, i) => ['{\n', '{"seq":"x"}\n', '\xff\n'][i % 3]), whole(2));
    const told: { message: string }[] = [];
    expect(readRecords(file, schema, (problem) => told.push(problem))).toHaveLength(1);
    expect(told).toHaveLength(1001);
    expect(told.at(-1)).toMatchObject({ file, message: '1000 lines cannot be read: the rest is skipped' });
  });

  it('is one of too many bytes: the first are read', () => {
    write(...Array.from({ length: 100 }, (_, i) => whole(i + 1)));
    const told: unknown[] = [];
    const records = readRecords(file, schema, (problem) => told.push(problem), 200);
    expect(records.length).toBeGreaterThan(10);
    expect(records.length).toBeLessThan(20);
    expect(told).toMatchObject([{ file, message: expect.stringMatching(/the first 200 is skipped/) }]);
  });
});

describe('truncateAfter', () => {
  it('cuts the first later record and all that follows', () => {
    const records = [1, 2, 3, 4].map((seq) => ({ seq, x: seq, text: 'é'.repeat(seq) }));
    appendLines(folder, file, records);
    truncateAfter(folder, file, 4);
    expect(readRecords(file, schema)).toEqual(records);
    truncateAfter(folder, file, 2);
    expect(readRecords(file, schema)).toEqual(records.slice(0, 2));
    truncateAfter(folder, file, 0);
    expect(fs.existsSync(file)).toBe(false);
    truncateAfter(folder, file, 0);
  });
});

describe('a full disk', () => {
  it('keeps every earlier line and nothing of the failed call', () => {
    appendLines(folder, file, [{ seq: 1, x: 1 }]);
    const before = readFileSync(file, 'utf8');
    const write = fs.writeSync;
    let room = 5; // bytes that still fit
    vi.spyOn(fs, 'writeSync').mockImplementation(((
      handle: number,
      bytes: Buffer,
      offset: number,
      _: number,
      position: number,
    ) => {
      if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const size = room;
      room = 0;
      return write(handle, bytes, offset, size, position);
    }) as typeof fs.writeSync);
    expect(() => appendLines(folder, file, [{ seq: 2, x: 2 }])).toThrow(
      expect.objectContaining({
        code: 'disk',
        file,
        message: expect.stringMatching(/no space.*every earlier line is kept/),
      }),
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
    vi.restoreAllMocks();
    appendLines(folder, file, [{ seq: 2, x: 2 }]);
    expect(readRecords(file, schema)).toHaveLength(2);
  });
});
