import type { Block, KernelMemory, Values } from './library';
import { memoryLimit, overLimit } from './limit';

/** Bytes that may be kept idle beyond the maximum that was in use at once. */
const idleAllowance = 64 * 2 ** 20;

/**
 * A pool of ArrayBuffers for the native kernels, by size. The engine zeroes a new buffer, which for large tensors takes
 * longer than the kernel that fills it. Sizes are rounded up by at most an eighth, so that sequences of similar length
 * share buffers.
 */
export class BufferPool implements KernelMemory {
  private readonly free = new Map<number, Block[]>();
  private readonly own = new WeakSet<ArrayBufferLike>();
  private readonly limit = memoryLimit();
  private used = 0;
  private peak = 0;
  private idle = 0;

  allocate(bytes: number): Block {
    const size = sizeClass(bytes);
    if (this.used + size > this.limit) throw overLimit(bytes, this.used);
    const waiting = this.free.get(size);
    const block = waiting?.pop();
    if (block) this.idle -= size;
    if (waiting?.length === 0) this.free.delete(size);
    this.used += size;
    this.peak = Math.max(this.peak, this.used);
    if (block) return block;
    this.trim();
    return this.make(size);
  }

  release(block: Block): void {
    this.used -= block.bytes;
    this.idle += block.bytes;
    const waiting = this.free.get(block.bytes) ?? [];
    // Recently used sizes are last; the first ones are freed when too much is idle.
    this.free.delete(block.bytes);
    this.free.set(block.bytes, waiting);
    waiting.push(block);
    this.trim();
  }

  /**
   * The total stays within the maximum that was in use at once, plus an allowance: sampling and training need different
   * sizes at different times. A new buffer costs more than many kernels do: the system clears its pages, and V8
   * collects garbage because of the memory outside its heap.
   */
  private trim(): void {
    const limit = idleAllowance + this.peak - this.used;
    for (const [size, blocks] of this.free) {
      while (this.idle > limit && blocks.pop()) this.idle -= size;
      if (blocks.length === 0) this.free.delete(size);
      if (this.idle <= limit) break;
    }
  }

  /** The addon takes any typed array. */
  reaches(): boolean {
    return true;
  }

  owns(values: Values): boolean {
    return this.own.has(values.buffer);
  }

  usage() {
    return { used: this.used, idle: this.idle };
  }

  private make(size: number): Block {
    const buffer = new ArrayBuffer(size);
    this.own.add(buffer);
    return { buffer, offset: 0, bytes: size };
  }
}

/** Rounds up to one of eight sizes per octave; at least 64. */
export function sizeClass(bytes: number): number {
  if (bytes <= 64) return 64;
  const step = Math.max(16, 2 ** (Math.floor(Math.log2(bytes - 1)) - 3));
  return Math.ceil(bytes / step) * step;
}
