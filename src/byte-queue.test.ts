import { expect, it } from 'vitest';
import { ByteQueue } from './byte-queue';

const text = (bytes: Buffer) => bytes.toString('latin1');

it('returns bytes in order, however they were split into pieces', () => {
  const queue = new ByteQueue();
  expect([queue.length, text(queue.peek(5)), text(queue.take(0))]).toEqual([0, '', '']);
  for (const piece of ['ab', 'c', 'defg']) queue.push(Buffer.from(piece));
  expect([queue.length, text(queue.peek(4)), text(queue.peek(99))]).toEqual([7, 'abcd', 'abcdefg']);
  expect([text(queue.take(3)), queue.length, text(queue.take(4)), queue.length]).toEqual(['abc', 4, 'defg', 0]);
  queue.push(Buffer.from('hi'));
  queue.push(Buffer.from('j'));
  expect([text(queue.take(2)), text(queue.peek(9))]).toEqual(['hi', 'j']);
  queue.clear();
  expect([queue.length, text(queue.peek(1))]).toEqual([0, '']);
});
