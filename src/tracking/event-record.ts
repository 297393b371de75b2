/**
 * TensorBoard's event files: records in TFRecord's framing (length, its checksum, the bytes, their checksum), each an
 * `Event` of tensorflow/core/util/event.proto.
 */
import { PbfWriter } from 'pbf';

export interface Scalar {
  tag: string;
  value: number;
}

/** The first record of every file. `seconds` since 1970. */
export const firstRecord = (seconds: number): Buffer =>
  recordOf(seconds, (event) => event.writeStringField(3, 'brain.Event:2'));

/** Measurements at a step; the plugin's name makes TensorBoard show them among the scalars. */
export function scalarsRecord(seconds: number, step: number, scalars: readonly Scalar[]): Buffer {
  return recordOf(seconds, (event) => {
    event.writeVarintField(2, step);
    event.writeMessage(5, writeSummary, scalars);
  });
}

function writeSummary(scalars: readonly Scalar[], summary: PbfWriter): void {
  for (const scalar of scalars) summary.writeMessage(1, writeScalar, scalar);
}

function writeScalar({ tag, value }: Scalar, one: PbfWriter): void {
  one.writeStringField(1, tag);
  one.writeFloatField(2, value);
  one.writeMessage(9, (plugin, metadata) => metadata.writeMessage(1, writeName, plugin), 'scalars');
}

const writeName = (name: string, plugin: PbfWriter) => plugin.writeStringField(1, name);

function recordOf(seconds: number, write: (event: PbfWriter) => void): Buffer {
  const event = new PbfWriter();
  event.writeDoubleField(1, seconds);
  write(event);
  return framed(Buffer.from(event.finish()));
}

function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, checksum(length), bytes, checksum(bytes)]);
}

/**
 * CRC-32C (Castagnoli), masked so that checksums of data containing checksums differ:
 * tensorflow/core/lib/hash/crc32c.h.
 */
function checksum(bytes: Buffer): Buffer {
  const crc = crc32c(bytes);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const out = Buffer.alloc(4);
  out.writeUInt32LE(masked);
  return out;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
