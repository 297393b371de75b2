import { firstIndex } from '../../sorted';
import type { Block, KernelMemory, Values } from './library';

const page = 65536;
const alignment = 64;

interface Gap {
  offset: number;
  bytes: number;
}

/** The used part of WebAssembly.Memory, which @types/node lacks. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/**
 * Allocates blocks in a WebAssembly memory, from `start` on: best fit, adjacent free blocks are merged. The memory is
 * shared, so that arrays stay valid when it grows.
 */
export class Heap implements KernelMemory {
  /** Free blocks in order of offset; no two are adjacent. */
  private readonly gaps: Gap[];
  private readonly buffers = new WeakSet<ArrayBufferLike>();
  private used = 0;

  constructor(
    private readonly memory: SharedMemory,
    start: number,
  ) {
    const offset = roundUp(start, alignment);
    this.gaps = [{ offset, bytes: memory.buffer.byteLength - offset }];
  }

  allocate(bytes: number): Block {
    const size = Math.max(alignment, roundUp(bytes, alignment));
    const gap = this.bestFit(size) ?? this.grow(size);
    const block = { buffer: this.current(), offset: gap.offset, bytes: size };
    gap.offset += size;
    gap.bytes -= size;
    if (gap.bytes === 0) this.gaps.splice(this.gaps.indexOf(gap), 1);
    this.used += size;
    return block;
  }

  release({ offset, bytes }: Block): void {
    this.used -= bytes;
    this.give({ offset, bytes });
  }

  reaches(values: Values): boolean {
    return this.buffers.has(values.buffer);
  }

  owns(values: Values): boolean {
    return this.buffers.has(values.buffer);
  }

  usage() {
    return { used: this.used, idle: this.gaps.reduce((sum, gap) => sum + gap.bytes, 0) };
  }

  private bestFit(size: number): Gap | undefined {
    let best: Gap | undefined;
    for (const gap of this.gaps) {
      if (gap.bytes >= size && (!best || gap.bytes < best.bytes)) best = gap;
      if (gap.bytes === size) break;
    }
    return best;
  }

  private grow(size: number): Gap {
    const length = this.memory.buffer.byteLength;
    const wanted = Math.ceil(size / page);
    const ample = Math.max(wanted, Math.ceil(length / 8 / page));
    if (!this.tryGrow(ample) && !this.tryGrow(wanted)) {
      const used = Math.round(this.used / 2 ** 20);
      throw new Error(
        `WebAssembly has no ${size} bytes left (${used} MiB in use, 4 GiB at most): ` +
          'the native kernels have no such limit',
      );
    }
    this.give({ offset: length, bytes: this.memory.buffer.byteLength - length });
    return this.bestFit(size) as Gap;
  }

  private tryGrow(pages: number): boolean {
    try {
      this.memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }

  private give(freed: Gap): void {
    const at = firstIndex(this.gaps.length, (i) => this.gaps[i].offset >= freed.offset);
    const [before, after] = [this.gaps[at - 1], this.gaps[at]];
    const joinsAfter = after && freed.offset + freed.bytes === after.offset;
    if (before && before.offset + before.bytes === freed.offset) {
      before.bytes += freed.bytes + (joinsAfter ? after.bytes : 0);
      if (joinsAfter) this.gaps.splice(at, 1);
    } else if (joinsAfter) {
      after.offset = freed.offset;
      after.bytes += freed.bytes;
    } else {
      this.gaps.splice(at, 0, freed);
    }
  }

  /** Growing creates a new buffer object over the same memory. */
  private current(): SharedArrayBuffer {
    const { buffer } = this.memory;
    this.buffers.add(buffer);
    return buffer;
  }
}

export const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;
