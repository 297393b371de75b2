import { describe, expect, test } from 'vitest';
import { Random } from '../../random';
import { Heap, type SharedMemory } from './heap';
import type { Block, KernelMemory } from './library';
import { BufferPool } from './pool';

const page = 65536;

/** As WebAssembly.Memory: growing gives a new buffer object. */
class Pages implements SharedMemory {
  buffer = new SharedArrayBuffer(page);
  constructor(private readonly most: number) {}

  grow(pages: number): number {
    const length = this.buffer.byteLength + pages * page;
    if (length > this.most * page) throw new RangeError('no more pages');
    this.buffer = new SharedArrayBuffer(length);
    return length / page;
  }
}

const overlap = (one: Block, other: Block) =>
  one.offset < other.offset + other.bytes && other.offset < one.offset + one.bytes;

/** Allocates and releases at random, checking each new block against the live ones. */
function churn(memory: KernelMemory, largest: number, clash: (one: Block, other: Block) => boolean): void {
  const random = new Random(3);
  const live: Block[] = [];
  for (let step = 0; step < 2000; step++) {
    if (live.length > 20 || (live.length > 0 && random.uniform() < 0.4)) {
      memory.release(live.splice(random.integer(0, live.length - 1), 1)[0]);
      continue;
    }
    const bytes = 4 * random.integer(0, largest / 4);
    const block = memory.allocate(bytes);
    expect(block.bytes).toBeGreaterThanOrEqual(bytes);
    expect(block.offset + block.bytes).toBeLessThanOrEqual(block.buffer.byteLength);
    expect(live.some((other) => clash(block, other))).toBe(false);
    live.push(block);
  }
  expect(memory.usage().used).toBe(live.reduce((sum, { bytes }) => sum + bytes, 0));
  for (const block of live) memory.release(block);
  expect(memory.usage().used).toBe(0);
}

describe('Heap', () => {
  test('blocks do not overlap, and all space comes back in one piece', () => {
    const memory = new Pages(1000);
    const heap = new Heap(memory, 1000);
    churn(heap, 50_000, overlap);
    const rest = memory.buffer.byteLength - 1024;
    expect(heap.usage().idle).toBe(rest);
    const size = memory.buffer.byteLength;
    expect(heap.allocate(rest)).toMatchObject({ offset: 1024, bytes: rest });
    expect(memory.buffer.byteLength).toBe(size);
  });

  test('knows its arrays, also those made before it grew', () => {
    const heap = new Heap(new Pages(1000), 0);
    const early = heap.allocate(400);
    const view = new Float32Array(early.buffer as ArrayBuffer, early.offset, 100);
    heap.allocate(10 * page);
    expect(heap.reaches(view)).toBe(true);
    expect(heap.reaches(new Float32Array(100))).toBe(false);
  });

  test('says so when the memory is full, and stays usable', () => {
    const heap = new Heap(new Pages(4), 0);
    expect(() => heap.allocate(5 * page)).toThrow(/WebAssembly has no 327680 bytes left/);
    heap.allocate(3 * page);
  });
});

describe('BufferPool', () => {
  test('hands no buffer out twice', () => {
    churn(new BufferPool(), 50_000, (one, other) => one.buffer === other.buffer);
  });

  test('reuses a buffer for nearly the same size', () => {
    const pool = new BufferPool();
    const block = pool.allocate(1_000_000);
    pool.release(block);
    expect(pool.allocate(1_010_000).buffer).toBe(block.buffer);
    expect(block.bytes).toBeLessThan(1.125 * 1_000_000);
  });

  test('frees idle buffers beyond the maximum in use, first those of sizes that were not used lately', () => {
    const pool = new BufferPool();
    const mebi = 2 ** 20;
    for (const size of [80, 96, 112, 128]) pool.release(pool.allocate(size * mebi));
    expect(pool.usage()).toEqual({ used: 0, idle: 128 * mebi });
    pool.allocate(128 * mebi);
    expect(pool.usage()).toEqual({ used: 128 * mebi, idle: 0 });
  });

  test('keeps no idle buffers beside new ones of other sizes, beyond the maximum in use', () => {
    const pool = new BufferPool();
    const mebi = 2 ** 20;
    const held = pool.allocate(64 * mebi);
    pool.release(pool.allocate(512 * mebi));
    expect(pool.usage()).toEqual({ used: 64 * mebi, idle: 512 * mebi });
    pool.allocate(448 * mebi);
    expect(pool.usage()).toEqual({ used: 512 * mebi, idle: 0 });
    pool.release(held);
  });

  test('keeps a large buffer while a small one of another size is in use', () => {
    const pool = new BufferPool();
    const large = pool.allocate(256 * 2 ** 20);
    pool.release(large);
    const small = pool.allocate(40 * 2 ** 20);
    pool.release(small);
    expect(pool.allocate(256 * 2 ** 20).buffer).toBe(large.buffer);
    expect(pool.allocate(40 * 2 ** 20).buffer).toBe(small.buffer);
  });
});
