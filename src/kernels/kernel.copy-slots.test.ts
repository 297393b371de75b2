import { memory, type Tensor, tensor5d } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { useBackend } from './backends';
import { copySlots, type KvCache } from './interface';

const shape: [number, number, number, number, number] = [2, 5, 3, 7, 4];
const size = shape.reduce((product, n) => product * n, 1);
const make = (offset: number) =>
  tensor5d(
    Float32Array.from({ length: size }, (_, i) => i + offset),
    shape,
  );

it.each(['cpu', 'embedded'] as const)(
  'copies positions of slots on %s, and nothing that others hold',
  async (backend) => {
    await useBackend(backend);
    const before = memory().numTensors;
    const cache: KvCache = { keys: make(0), values: make(0.5) };
    const held = cache.keys.clone();
    const copied = copySlots(cache, { from: [1, 1, 4], to: [3, 0, 2], length: 3 });
    expect(held.dataSync()[0]).toBe(0);
    const at = (tensor: Tensor, ...[layer, slot, head, position, i]: number[]) =>
      tensor.dataSync()[(((layer * 5 + slot) * 3 + head) * 7 + position) * 4 + i];
    for (const [offset, tensor] of [
      [0, copied.keys],
      [0.5, copied.values],
    ] as const)
      for (const [slot, source] of [1, 1, 4, 1, 4].map((from, to) => [to, from]))
        for (const [layer, head, position, i] of [
          [0, 0, 0, 0],
          [1, 2, 2, 3],
        ])
          expect(at(tensor, layer, slot, head, position, i)).toBe(
            (((layer * 5 + source) * 3 + head) * 7 + position) * 4 + i + offset,
          );
    held.dispose();
    copied.keys.dispose();
    copied.values.dispose();
    expect(memory().numTensors).toBe(before);
  },
);
