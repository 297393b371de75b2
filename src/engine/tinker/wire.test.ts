import { readFileSync } from 'node:fs';
import { PbfReader } from 'pbf';
import { expect, it } from 'vitest';
import { type PassRequest, passAsProtobuf, passFromProtobuf, samplesFromProtobuf } from './wire';

/** Messages as Tinker's own SDK writes them: scripts/fixtures/tinker_wire.py. */
const fixtures = Object.entries(JSON.parse(readFileSync('test/fixtures/tinker/wire.json', 'utf8')));
const messages = Object.fromEntries(fixtures.map(([name, hex]) => [name, Buffer.from(hex as string, 'hex')]));

const row = (tokens: number[]) => ({
  tokens,
  targets: tokens.map((token) => token + 1),
  weights: tokens.map(() => 0.5),
  logProbs: tokens.map(() => -1.25),
  advantages: tokens.map(() => 2),
});

/** The fields of a message as text; those of a row in the order of their bytes, as the entries of a map have none. */
function fieldsOf(bytes: Uint8Array, within: (tag: number) => ((bytes: Uint8Array) => string) | undefined): string[] {
  const fields: string[] = [];
  new PbfReader(bytes).readFields((tag, _, reader) => {
    const inner = within(tag);
    if (inner) fields.push(`${tag}: ${inner(reader.readBytes())}`);
    else if (reader.type === 2) fields.push(`${tag}: ${Buffer.from(reader.readBytes()).toString('hex')}`);
    else fields.push(`${tag}: ${reader.readVarint()}`);
  }, null);
  return fields;
}
const sorted = (bytes: Uint8Array) =>
  fieldsOf(bytes, () => undefined)
    .sort()
    .join('\n');
const shown = (bytes: Uint8Array) => fieldsOf(bytes, (tag) => (tag === 3 ? sorted : undefined));

it('writes passes as the SDK does', () => {
  const request: PassRequest = {
    model: 'm-1',
    sequence: 300,
    rows: [row([7, 8, 70000]), row([5])],
    loss: 'importance_sampling',
    forwardOnly: true,
  };
  expect(shown(passAsProtobuf(request))).toEqual(shown(messages.request));
});

it.each(['output', 'output16'])('reads the log-probs of %s', (name) => {
  const { logProbs, metrics } = passFromProtobuf(messages[name]);
  expect(logProbs.map((one) => Array.from(one))).toEqual([[-0.5, -2, -0.125], [-4]]);
  expect(metrics).toEqual({ 'grad_norm:mean': 0.75 });
});

it('reads samples', () => {
  expect(samplesFromProtobuf(messages.sampled)).toEqual([
    { tokens: [9, 70000, 1], logProbs: Float32Array.of(-0.5, -1, -1.5), stopped: true },
    { tokens: [4, 4], logProbs: Float32Array.of(-0.5, -1), stopped: false },
  ]);
});
