import { describe, expect, it } from 'vitest';
import { FrameReader, frameOf, maxMessageBytes } from './frames';

const stray: string[] = [];
const reader = () => new FrameReader((text) => stray.push(text));
const message = (id: number) => ({ id, text: 'Größe 10 µm', value: Number.NaN });

describe('frames', () => {
  it('reads messages however their bytes are cut', () => {
    const bytes = Buffer.concat([1, 2, 3].map((id) => frameOf(message(id))));
    for (const size of [1, 7, 50, bytes.length]) {
      const read = reader();
      const found = [];
      for (let at = 0; at < bytes.length; at += size) found.push(...read.read(bytes.subarray(at, at + size)));
      expect(found).toEqual([1, 2, 3].map((id) => ({ ...message(id), value: 'NaN' })));
    }
  });

  it('accepts other output before the first message, but none between messages', () => {
    const read = reader();
    expect([...read.read(Buffer.from('Last login: yesterday\nContent-'))]).toEqual([]);
    expect([...read.read(frameOf({ id: 1 }).subarray('Content-'.length))]).toEqual([{ id: 1 }]);
    expect(stray).toEqual(['Last login: yesterday\n']);
    expect(() => [...read.read(Buffer.from('warning: low disk\n'))]).toThrow(
      'that is not a message: "warning: low disk"',
    );
  });

  it.each([
    ['Content-Length: 999999999999\r\n\r\n', `the maximum is ${maxMessageBytes}`],
    ['Content-Length: many\r\n\r\n{}', 'that is not a message'],
    ['Content-Length: 2\r\n\r\n[]', 'a message is not an object'],
    ['Content-Length: 4\r\n\r\n{"a"', 'broken JSON'],
    [`Content-Length: 400\r\n\r\n${'[['.repeat(100)}${']]'.repeat(100)}`, 'nested deeper than 64'],
    ['Content-Length: 18\r\n\r\n{"__proto__": {}} ', 'not allowed'],
    ['x'.repeat(70_000), 'that is not a message'],
    [`Content-Length: 2\r\nX: ${'y'.repeat(5000)}`, 'that is not a message'],
  ])('refuses %.40s', (text, why) => {
    expect(() => [...reader().read(Buffer.from(text))]).toThrow(why);
  });
});
