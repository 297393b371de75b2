import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from './errors';
import { linesOf, maxLineBytes, parseJson, readLines, readSmallText } from './lines';

const folder = mkdtempSync(join(tmpdir(), 'distillery-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(content: string | Buffer): string {
  const file = join(folder, 'file');
  writeFileSync(file, content);
  return file;
}

function failure(action: () => unknown): UserError {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('readLines', () => {
  it('gives number, text, byte offset and whether the line is ended', () => {
    const lines = [...readLines(written('\uFEFFé\r\n\nlast'))];
    expect(lines).toEqual([
      { number: 1, text: 'é', start: 0, end: 5, next: 7, ended: true },
      { number: 2, text: '', start: 7, end: 7, next: 8, ended: true },
      { number: 3, text: 'last', start: 8, end: 12, next: 13, ended: false },
    ]);
  });

  it('skips lines that are not blank, and counts them as a reader of all lines does', () => {
    const content = '\uFEFFone\n\n \t\n{"two"}\r\né three\n\u00a0\n[four]';
    const all = [...linesOf([Buffer.from(content)], 'x')];
    const filled = all.filter(({ text }) => text.trim() !== '');
    for (let skip = 0; skip <= 5; skip++) {
      const rest = [...linesOf([Buffer.from(content)], 'x', { skip })].filter(({ text }) => text.trim() !== '');
      expect(rest).toEqual(filled.slice(skip));
    }
  });

  it('finds the same lines as a split, also across its chunks', () => {
    const unit = fc.tuple(fc.integer({ min: 0, max: 300_000 }), fc.constantFrom('x', 'é', '😀'));
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 6 }), (sizes) => {
        const content = sizes.map(([size, letter]) => `${letter.repeat(size)}\n`).join('');
        const bytes = Buffer.from(content);
        const lines = [...readLines(written(bytes))];
        expect(lines.map((line) => line.text)).toEqual(content.split('\n').slice(0, -1));
        for (const { text, start } of lines)
          expect(bytes.subarray(start, start + Buffer.byteLength(text)).equals(Buffer.from(text))).toBe(true);
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  it('skips unreadable lines if they can be reported', () => {
    const long = 'x'.repeat(maxLineBytes + 1);
    const bytes = Buffer.concat([Buffer.from(`a\n${long}\nb\n`), Buffer.from([0xff, 10]), Buffer.from(`c\n${long}`)]);
    const told: (number | undefined)[] = [];
    const lines = [...readLines(written(bytes), ({ line }) => told.push(line))];
    expect(lines.map(({ text, number }) => [number, text])).toEqual([
      [1, 'a'],
      [3, 'b'],
      [5, 'c'],
    ]);
    for (const { start, text } of lines) expect(bytes.toString('latin1', start, start + 1)).toBe(text);
    expect(told).toEqual([2, 4, 6]);
  });

  it.skipIf(process.platform === 'win32')(
    'does not wait at a named pipe, and refuses a large file where a small one is expected',
    () => {
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      expect(failure(() => [...readLines(pipe)]).message).toMatch(/a named pipe/);
      const endless = join(folder, 'endless');
      symlinkSync('/dev/zero', endless);
      expect(failure(() => [...readLines(endless)]).message).toMatch(/a device/);
      expect(failure(() => readSmallText(endless)).message).toMatch(/a device/);
      const madeUp = join(folder, 'made-up');
      symlinkSync('/proc/version', madeUp);
      if (process.platform === 'linux') expect(failure(() => [...readLines(madeUp)]).message).toMatch(/a device/);
      expect(failure(() => readSmallText(written('x'.repeat(100)), 99)).message).toMatch(/more than 99 bytes/);
      expect(failure(() => readSmallText('/dev/zero', 99)).message).toMatch(/more than 99 bytes/);
    },
  );

  it('refuses long lines, bytes that are not UTF-8, folders and missing files by name', () => {
    const long = 'x'.repeat(maxLineBytes + 1);
    for (const text of [`ok\n${long}`, `ok\n${long}\n`, `ok\n${long}\nok\n`])
      expect(failure(() => [...readLines(written(text))])).toMatchObject({ line: 2 });
    expect(failure(() => [...readLines(written(Buffer.from([0x61, 10, 0xff, 10])))])).toMatchObject({
      line: 2,
      message: 'the line is not UTF-8',
    });
    expect(failure(() => [...readLines(folder)]).message).toMatch(/folder/);
    expect(failure(() => [...readLines(join(folder, 'none'))])).toMatchObject({
      message: 'no such file or folder',
      code: 'missing',
    });
  });
});

describe('parseJson', () => {
  it('reports the position of broken JSON', () => {
    expect(failure(() => parseJson('{"a": 1,}', { file: 'f', line: 7 }))).toMatchObject({
      file: 'f',
      line: 7,
      column: 9,
    });
    expect(failure(() => parseJson('{\n  "a": x}', { file: 'f' }))).toMatchObject({ line: 2, column: 8 });
  });

  it('refuses keys that reach into prototypes, however they are spelled, and deep nesting', () => {
    for (const text of [
      '{"__proto__": 1}',
      '[{"a": {"\\u005f_proto__": 1}}]',
      '{"constructor": {}}',
      '{"prototype": 0}',
    ])
      expect(failure(() => parseJson(text, { line: 3 })).message).toMatch(/not allowed/);
    expect(failure(() => parseJson('['.repeat(1_000_000), {})).message).toMatch(/broken JSON/);
    expect(failure(() => parseJson('['.repeat(100) + ']'.repeat(100), {})).message).toMatch(/nested deeper/);
    expect(parseJson('{"a": [1, {"proto": "__proto__"}]}', {})).toEqual({ a: [1, { proto: '__proto__' }] });
  });
});
