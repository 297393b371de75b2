import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRun } from '../runs/writer';
import { eventFiles } from './event-files';
import { crc32c, firstRecord } from './event-record';

it('checksums are those of RFC 3720, appendix B.4', () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e);
});

it('begins as every event file does', () => {
  const record = firstRecord(1.5);
  expect(record.readBigUInt64LE(0)).toBe(24n);
  expect(record.subarray(12, 36)).toEqual(
    Buffer.concat([Buffer.from([9, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x1a, 13]), Buffer.from('brain.Event:2')]),
  );
  expect(record).toHaveLength(40);
});

it('of a running run is a prefix of the final file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'events-'));
  try {
    const run = createRun(folder, 'live', {});
    run.metrics({ stage: 'grpo', step: 1, reward: 1 });
    const [[name, before]] = eventFiles(run.folder, { results: false });
    run.metrics({ stage: 'grpo', step: 2, reward: 2 });
    run.summary({ stage: 'grpo', accuracy: 1, accuracyInterval: [0, 1], meanTokens: 1, n: 1, wallSeconds: 0 });
    const [[same, after]] = eventFiles(run.folder);
    expect(same).toBe(name);
    expect(after.length).toBeGreaterThan(before.length);
    expect(after.subarray(0, before.length)).toEqual(before);
    run.close({ state: 'finished' });
    expect(eventFiles(createRun(folder, 'empty', {}).folder).size).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
