/**
 * Encoding of Tinker messages: the JSON of the REST interface, and the protobuf messages that newer servers take for
 * passes and samples (tinker_public.proto of the SDK, release 0.25; only the fields that token ids and log-probs need).
 */
import { PbfReader, PbfWriter } from 'pbf';

/** A row of a pass: input tokens, and for each of them the target and the loss inputs. */
export interface PassRow {
  /** n token ids. */
  tokens: readonly number[];
  /** n token ids: the next token of each input. */
  targets: readonly number[];
  /** n numbers each; losses read different ones. */
  weights: readonly number[];
  logProbs?: readonly number[];
  advantages?: readonly number[];
}

export type TinkerLoss = 'cross_entropy' | 'importance_sampling';

export interface PassRequest {
  model: string;
  /** Numbers the model's training calls, from 1. */
  sequence: number;
  rows: readonly PassRow[];
  loss: TinkerLoss;
  forwardOnly: boolean;
}

export interface TinkerPassResult {
  /** For each row: n numbers. */
  logProbs: Float32Array[];
  metrics: Record<string, number>;
}

export interface SampledSequence {
  tokens: number[];
  logProbs: Float32Array | null;
  /** Ended by a stop token; otherwise by the budget. */
  stopped: boolean;
}

/** The inputs of a row, with the interface's names. */
function inputsOf({ targets, weights, logProbs, advantages }: PassRow) {
  const inputs: { name: string; dtype: 'int64' | 'float32'; data: readonly number[] }[] = [
    { name: 'target_tokens', dtype: 'int64', data: targets },
    { name: 'weights', dtype: 'float32', data: weights },
  ];
  if (logProbs) inputs.push({ name: 'logprobs', dtype: 'float32', data: logProbs });
  if (advantages) inputs.push({ name: 'advantages', dtype: 'float32', data: advantages });
  return inputs;
}

/** The `forward_backward_input` of the JSON interface. */
export const passAsJson = ({ rows, loss }: PassRequest) => ({
  data: rows.map((row) => ({
    model_input: { chunks: [{ type: 'encoded_text', tokens: row.tokens }] },
    loss_fn_inputs: Object.fromEntries(
      inputsOf(row).map(({ name, dtype, data }) => [name, { data, dtype, shape: [data.length] }]),
    ),
  })),
  loss_fn: loss,
  loss_fn_config: null,
});

const bytesOf = (values: ArrayBufferView) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

export function passAsProtobuf({ model, sequence, rows, loss, forwardOnly }: PassRequest): Uint8Array {
  const writer = new PbfWriter();
  writer.writeStringField(1, model);
  writer.writeVarintField(2, sequence);
  for (const row of rows)
    writer.writeMessage(
      3,
      (one: PassRow, datum) => {
        datum.writeMessage(
          1,
          (tokens: readonly number[], input) =>
            input.writeMessage(
              1,
              (ids: readonly number[], chunk) => chunk.writeBytesField(1, bytesOf(Int32Array.from(ids))),
              tokens,
            ),
          one.tokens,
        );
        for (const input of inputsOf(one)) datum.writeMessage(2, writeInput, input);
      },
      row,
    );
  writer.writeStringField(4, loss);
  if (forwardOnly) writer.writeVarintField(6, 1);
  return writer.finish();
}

/** A field of the map from names to tensors {1: bytes, 3: type, 4: length}. */
function writeInput(input: ReturnType<typeof inputsOf>[number], entry: PbfWriter): void {
  entry.writeStringField(1, input.name);
  entry.writeMessage(
    2,
    ({ dtype, data }: typeof input, tensor) => {
      const values = dtype === 'int64' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
      tensor.writeBytesField(1, bytesOf(values));
      tensor.writeVarintField(3, dtype === 'int64' ? 2 : 1);
      tensor.writePackedVarint(4, [data.length]);
    },
    input,
  );
}

type Handler = (tag: number, reader: PbfReader) => void;

/** Parses a message field by field; fields without a handler are skipped. */
function readFields(bytes: Uint8Array, handle: Handler): void {
  new PbfReader(bytes).readFields((tag, _, reader) => handle(tag, reader), null);
}

/** A copy: data inside a message is not aligned, and a Buffer's `slice` shares its memory. */
const aligned = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;
const floats = (bytes: Uint8Array) => new Float32Array(aligned(bytes));

function doubleOf(bytes: Uint8Array): [string, number] {
  const entry: [string, number] = ['', 0];
  readFields(bytes, (tag, reader) => {
    if (tag === 1) entry[0] = reader.readString();
    if (tag === 2) entry[1] = reader.readDouble();
  });
  return entry;
}

export function passFromProtobuf(bytes: Uint8Array): TinkerPassResult {
  const result: TinkerPassResult = { logProbs: [], metrics: {} };
  readFields(bytes, (tag, reader) => {
    if (tag === 2)
      readFields(reader.readBytes(), (field, record) => {
        if (field === 2) result.logProbs.push(...logProbsOf(record.readBytes()));
      });
    if (tag === 3) {
      const [name, value] = doubleOf(reader.readBytes());
      result.metrics[name] = value;
    }
  });
  return result;
}

/**
 * The arrays of a map entry {1: name, 2: {1: bytes, 2: offsets as int64, 3: type}} named `logprobs`; none of another
 * entry.
 */
function logProbsOf(bytes: Uint8Array): Float32Array[] {
  let name = '';
  let values: Uint8Array = new Uint8Array();
  let offsets: number[] = [];
  let type = 1;
  readFields(bytes, (tag, reader) => {
    if (tag === 1) name = reader.readString();
    if (tag === 2)
      readFields(reader.readBytes(), (field, batch) => {
        if (field === 1) values = batch.readBytes();
        if (field === 2) offsets = Array.from(new BigInt64Array(aligned(batch.readBytes())), Number);
        if (field === 3) type = batch.readVarint();
      });
  });
  if (name !== 'logprobs') return [];
  return offsets.slice(1).map((end, i) => {
    const part = values.subarray(offsets[i], end);
    if (type !== bfloat16) return floats(part);
    return floats(bytesOf(Uint32Array.from(new Uint16Array(aligned(part)), (half) => half * 0x10000)));
  });
}

const bfloat16 = 4;

export function samplesFromProtobuf(bytes: Uint8Array): SampledSequence[] {
  const sequences: SampledSequence[] = [];
  readFields(bytes, (tag, reader) => {
    if (tag !== 1) return;
    const one: SampledSequence = { tokens: [], logProbs: null, stopped: true };
    readFields(reader.readBytes(), (field, sequence) => {
      if (field === 1) one.stopped = sequence.readVarint() !== 1;
      if (field === 2) one.tokens = Array.from(new Int32Array(aligned(sequence.readBytes())));
      if (field === 3) one.logProbs = floats(sequence.readBytes());
    });
    sequences.push(one);
  });
  return sequences;
}

/** JSON has no NaN: servers write null. */
type Numbers = (number | null)[];
const numbers = (data: Numbers) => Float32Array.from(data, (value) => value ?? Number.NaN);

interface PassJson {
  loss_fn_outputs: { logprobs: { data: Numbers } }[];
  metrics?: Record<string, number>;
}

export const passFromJson = ({ loss_fn_outputs: outputs, metrics = {} }: PassJson): TinkerPassResult => ({
  logProbs: outputs.map(({ logprobs }) => numbers(logprobs.data)),
  metrics,
});

interface SamplesJson {
  sequences: { tokens: number[]; logprobs?: Numbers | null; stop_reason: string }[];
}

export const samplesFromJson = ({ sequences }: SamplesJson): SampledSequence[] =>
  sequences.map(({ tokens, logprobs, stop_reason: reason }) => ({
    tokens,
    logProbs: logprobs ? numbers(logprobs) : null,
    stopped: reason === 'stop',
  }));
