import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../errors';
import { thrown } from '../testing/errors';
import { openSafetensors, type TensorSource, writeSafetensors } from './safetensors';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const floats = (name: string, shape: number[], dtype: TensorSource['dtype'] = 'F32', step = 0.25): TensorSource => {
  const size = shape.reduce((product, n) => product * n, 1);
  return { name, dtype, shape, values: () => Float32Array.from({ length: size }, (_, i) => i * step - 1) };
};

/** A file with this header and `bytes` bytes after it. */
function forge(header: string | Buffer | object, bytes = 0, name = 'forged.safetensors'): string {
  const text = Buffer.isBuffer(header)
    ? header
    : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = join(folder, name);
  writeFileSync(file, Buffer.concat([length, text, Buffer.alloc(bytes)]));
  return file;
}

const entry = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

function refusal(file: string): UserError {
  const error = thrown(UserError, () => openSafetensors(file).close());
  expect(error.file).toBe(file);
  return error;
}

describe('round trip', () => {
  it('gives back values, shapes, types and metadata, and aligns every tensor', () => {
    const file = join(folder, 'all.safetensors');
    writeSafetensors(
      file,
      [
        { name: 'bytes', dtype: 'U8', shape: [3], values: () => Uint8Array.of(1, 2, 255) },
        floats('half', [5], 'F16'),
        floats('brain', [2, 2], 'BF16'),
        floats('matrix', [3, 4]),
        { name: 'step', dtype: 'I64', shape: [], values: () => BigInt64Array.of(-(2n ** 60n)) },
        { name: 'cursor', dtype: 'I32', shape: [2], values: () => Int32Array.of(-7, 2 ** 31 - 1) },
        floats('empty', [0, 4]),
        floats('__proto__', [1]),
      ],
      { format: 'pt', note: 'naïve' },
    );
    const read = openSafetensors(file);
    expect(read.metadata).toEqual({ format: 'pt', note: 'naïve' });
    expect(read.readFloats('matrix')).toEqual(floats('', [3, 4]).values());
    expect(read.readFloats('half')).toEqual(floats('', [5]).values());
    expect(read.readFloats('brain')).toEqual(floats('', [4]).values());
    expect(read.readFloats('empty')).toEqual(new Float32Array(0));
    expect(read.readFloats('__proto__')).toEqual(Float32Array.of(-1));
    expect(read.readIntegers('bytes')).toEqual(Uint8Array.of(1, 2, 255));
    expect(read.readIntegers('step')).toEqual(BigInt64Array.of(-(2n ** 60n)));
    expect(read.readIntegers('cursor')).toEqual(Int32Array.of(-7, 2 ** 31 - 1));
    expect(read.tensors.get('matrix')).toMatchObject({ dtype: 'F32', shape: [3, 4], bytes: 48 });
    for (const { dtype, offset } of read.tensors.values())
      expect(offset % { F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1 }[dtype as 'F32']).toBe(0);
    expect(() => read.readFloats('cursor')).toThrow(/"cursor" is of type I32/);
    expect(() => read.readFloats('other')).toThrow(/no tensor "other"/);
    read.close();
  });

  it('converts tensors longer than a chunk', () => {
    const file = join(folder, 'long.safetensors');
    const n = 600_000;
    writeSafetensors(file, [floats('b', [n], 'BF16', 2 ** -12), floats('h', [n], 'F16', 2 ** -12)]);
    const read = openSafetensors(file);
    const values = floats('', [n], 'F32', 2 ** -12).values() as Float32Array;
    for (const [name, precision] of [
      ['b', 2 ** -8],
      ['h', 2 ** -11],
    ] as const) {
      const back = read.readFloats(name);
      expect(back.every((value, i) => Math.abs(value - values[i]) <= precision * Math.abs(values[i]))).toBe(true);
    }
    read.close();
  });

  it('leaves the old file whole, and no other, when writing fails', () => {
    const own = mkdtempSync(join(folder, 'own-'));
    const file = join(own, 'model.safetensors');
    writeSafetensors(file, [floats('a', [4])]);
    const before = readFileSync(file);
    const failing = {
      ...floats('b', [4]),
      values: () => {
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      },
    };
    expect(() => writeSafetensors(file, [floats('a', [9]), failing])).toThrow(UserError);
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(own)).toEqual(['model.safetensors']);
  });
});

describe('hostile files', () => {
  const cases: [string, () => string, RegExp][] = [
    ['no such file', () => join(folder, 'none.safetensors'), /no such file/],
    ['a folder', () => folder, /not a file/],
    [
      'fewer than 8 bytes',
      () => {
        const file = join(folder, 'short');
        writeFileSync(file, 'abc');
        return file;
      },
      /3 bytes, too few/,
    ],
    [
      'a header larger than the limit',
      () => {
        const file = join(folder, 'huge');
        writeFileSync(file, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x7b]));
        return file;
      },
      /claims a header/,
    ],
    [
      'a pointer of Git LFS',
      () => {
        const file = join(folder, 'pointer');
        writeFileSync(file, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n');
        return file;
      },
      /Git LFS pointer/,
    ],
    [
      'a file cut off in its header',
      () => {
        const file = forge({ a: entry(0, 4) }, 4);
        truncateSync(file, 20);
        return file;
      },
      /cut off inside its header/,
    ],
    ['a header without brace', () => forge(' {}'), /does not begin with \{/],
    ['an empty header', () => forge(''), /does not begin with \{/],
    ['broken JSON', () => forge('{"a": '), /not JSON/],
    ['comments', () => forge('{/* */}'), /not JSON/],
    [
      'bytes that are not UTF-8',
      () => forge(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
      /not JSON in UTF-8/,
    ],
    ['endless nesting', () => forge(`{"a":${'['.repeat(1e6)}${']'.repeat(1e6)},"a":{}}`), /not JSON|twice/],
    [
      'duplicate tensors',
      () => forge(`{"a":${JSON.stringify(entry(0, 4))},"a":${JSON.stringify(entry(0, 4))}}`, 4),
      /"a" twice/,
    ],
    [
      'duplicate fields',
      () => forge('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', 4),
      /"shape" twice/,
    ],
    ['metadata of numbers', () => forge({ __metadata__: { a: 1 } }), /__metadata__/],
    ['a tensor that is no object', () => forge({ a: 4 }), /"a" is not described/],
    ['an unknown field', () => forge({ a: { ...entry(0, 4), more: 1 } }, 4), /unknown field "more"/],
    ['an unknown type', () => forge({ a: entry(0, 4, [1], 'F33') }, 4), /unknown type "F33"/],
    ['a type from the prototype', () => forge({ a: entry(0, 4, [1], 'toString') }, 4), /unknown type "toString"/],
    ['a negative dimension', () => forge({ a: entry(0, 4, [-1]) }, 4), /no shape/],
    ['a fractional dimension', () => forge({ a: entry(0, 4, [0.5]) }, 4), /no shape/],
    ['a shape that is no list', () => forge({ a: entry(0, 4, 1) }, 4), /no shape/],
    ['an overflowing shape', () => forge({ a: entry(0, 4, [2 ** 32, 2 ** 32]) }, 4), /too large/],
    [
      'offsets that are no numbers',
      () => forge({ a: { dtype: 'F32', shape: [1], data_offsets: ['0', 4] } }, 4),
      /data_offsets/,
    ],
    ['an end before the begin', () => forge({ a: entry(4, 0, [1]) }, 4), /before its begin/],
    ['a size that does not fit the shape', () => forge({ a: entry(0, 8, [1]) }, 8), /takes 8 bytes/],
    ['data beyond the end', () => forge({ a: entry(0, 8) }, 4), /"a" reaches to byte/],
    ['overlap', () => forge({ a: entry(0, 8), b: entry(4, 12) }, 12), /"b" overlaps/],
    ['a hole', () => forge({ a: entry(0, 4), b: entry(8, 12) }, 12), /4 bytes before tensor "b"/],
    ['bytes left over', () => forge({ a: entry(0, 4) }, 8), /4 bytes after/],
  ];
  it.each(cases)('refuses %s', (_, make, message) => {
    expect(refusal(make()).message).toMatch(message);
  });

  it('accepts padding after the header and tensors in any order', () => {
    const read = openSafetensors(forge(`${JSON.stringify({ b: entry(4, 8), a: entry(0, 4) })}   `, 8));
    expect([...read.tensors.keys()]).toEqual(['b', 'a']);
    read.close();
  });

  it('fails only with a UserError, whatever bytes are changed', () => {
    const original = join(folder, 'seed.safetensors');
    writeSafetensors(original, [floats('a', [2, 3]), floats('b', [4], 'F16'), floats('c', [])], { format: 'pt' });
    const bytes = readFileSync(original);
    const file = join(folder, 'fuzzed.safetensors');
    const edit = fc.record({
      at: fc.nat(bytes.length - 1),
      with: fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 4 }),
        fc.constantFrom(...'{}[]",:0129'.split('')).map((c) => Buffer.from(c)),
      ),
      drop: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.option(fc.nat(bytes.length)), (edits, cut) => {
        let changed: Buffer = bytes;
        for (const { at, with: inserted, drop } of edits)
          changed = Buffer.concat([changed.subarray(0, at), inserted, changed.subarray(at + drop)]);
        writeFileSync(file, changed.subarray(0, cut ?? undefined));
        try {
          const read = openSafetensors(file);
          for (const [name, { dtype }] of read.tensors)
            if (['F32', 'F16', 'BF16'].includes(dtype)) read.readFloats(name);
          read.close();
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { seed: 7, numRuns: 1500 },
    );
  });
});
