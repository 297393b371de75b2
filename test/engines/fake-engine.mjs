// An engine without a model, for tests: node fake-engine.mjs [fault...]
//
// It answers every request of the engine protocol with numbers that are functions of what it is asked, and keeps a
// count of its optimizer steps in the folders that it saves. A fault is `<what>@<method>[:<n>][=<file>]`: at the n-th
// such request (1 unless said) it
//   exit      ends with code 3, after some last words        silence   says nothing any more
//   garbage   writes what is no message                      torn      writes half a message and ends
//   memory, diverged: answers with that error                wrong     answers with a result of another shape
//   slow      takes three seconds, with progress               leave     ends, and leaves a process of its group behind
// With `=<file>` it happens once: the file is made then, and a fault whose file is there is left out.
// `banner` prints a greeting before the first message; `protocol=2` speaks another version.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const faults = process.argv.slice(2).map((text) => {
  const [, what, method, at = '1', file] = /^(\w+)(?:@(\w+)(?::(\d+))?)?(?:=(.*))?$/.exec(text) ?? [];
  return { what, method, at: Number(at), file };
});
const given = (name) => faults.find(({ what }) => what === name);
const counts = {};
const cancelled = new Set();
const students = new Map();
const snapshots = new Map();
let names = 0;

const send = (message) => process.stdout.write(frame({ jsonrpc: '2.0', ...message }));
function frame(message) {
  const body = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

const base64 = (values) => Buffer.from(values.buffer).toString('base64');
const int32 = (text) => new Int32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
const packed = (rows, Kind) => ({
  lengths: base64(Int32Array.from(rows, (row) => row.length)),
  values: base64(Kind.from(rows.flat())),
});
function unpacked({ lengths, values }) {
  let end = 0;
  const all = int32(values);
  return Array.from(int32(lengths), (length) => {
    end += length;
    return Array.from(all.subarray(end - length, end));
  });
}

const perToken = ({ completions }, value) =>
  packed(
    unpacked(completions).map((row) => row.map(value)),
    Float32Array,
  );
const stepsFile = (folder) => join(folder, 'fake-engine.json');
const sizes = { vocabSize: 0, maxPositions: 0 };

/** The facts of a student of ours, as far as its config.json has them. */
function facts(folder) {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  return {
    ...sizes,
    vocabSize: config.vocab_size,
    maxPositions: config.max_position_embeddings,
    parameters: 1000,
    trainable: 1000,
  };
}

const answers = {
  hello: () => ({
    protocol: given('protocol') ? Number(given('protocol').file) : 1,
    engine: 'fake-engine',
    version: '0',
    versions: { node: process.version, pid: String(process.pid) },
    device: 'cpu',
    devices: [{ name: 'cpu', totalBytes: 1e9 }],
    dtypes: ['float32'],
    adapters: true,
    samplers: ['fake'],
    losses: ['dapo'],
    processes: 1,
  }),
  speed: () => ({ flops: 2e12, dtype: 'float32' }),
  memory: ({ adapter }) => ({
    weights: 4000,
    trained: adapter ? 400 : 4000,
    token: 1e6,
    tokenAgain: 1e5,
    target: 40,
    targets: 1e6,
    merged: 0,
    cache: 10,
    free: 5e9,
    total: 8e9,
  }),
  open({ student, checkpoint }) {
    const id = `student-${++names}`;
    students.set(id, { folder: student, steps: checkpoint ? readSteps(checkpoint) : 0 });
    return { id, facts: facts(student), description: 'no model on no device' };
  },
  sample({ id, prompts, groupSize, maxNewTokens, eosIds, seed }) {
    const { steps } = students.get(id);
    const tokens = unpacked(prompts).flatMap((prompt, i) =>
      Array.from({ length: groupSize }, (_, k) => {
        const length = 1 + ((seed + steps + i + k + prompt.length) % Math.min(5, maxNewTokens));
        return [...prompt.slice(0, length - 1), eosIds[0]];
      }),
    );
    return {
      tokens: packed(tokens, Int32Array),
      logProbs: packed(
        tokens.map((row) => row.map((token) => -0.5 - 0.001 * (token % 100))),
        Float32Array,
      ),
      finished: tokens.map((row) => row.at(-1) === eosIds[0]),
      seconds: 0.01,
    };
  },
  logProbs: ({ examples }) => ({ logProbs: perToken(examples, () => -0.5), entropy: perToken(examples, () => 1.25) }),
  loss: ({ id }) => ({ loss: 2 / (1 + students.get(id).steps) }),
  supervisedStep({ id, examples }) {
    const tokens = unpacked(examples.prompts).flat().length + unpacked(examples.completions).flat().length;
    return { loss: 2 / (1 + students.get(id).steps++), gradNorm: 1, tokens };
  },
  grpoStep({ id, episodes, reference }) {
    students.get(id).steps++;
    const tokens = unpacked(episodes.prompts).flat().length + unpacked(episodes.completions).flat().length;
    return {
      measures: { loss: 'NaN', gradNorm: 1, tokens, entropy: 1.25, ratio: 1 },
      entropy: perToken(episodes, () => 1.25),
      refLogProbs: reference ? perToken(episodes, () => -0.75) : null,
    };
  },
  restartOptimizer: () => ({}),
  snapshot({ id, checkpoint }) {
    const snapshot = `snapshot-${++names}`;
    snapshots.set(snapshot, checkpoint ? readSteps(checkpoint) : students.get(id).steps);
    return { snapshot };
  },
  restore({ id, snapshot }) {
    students.get(id).steps = snapshots.get(snapshot);
    return {};
  },
  discard: () => ({}),
  save({ id, folder }) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(stepsFile(folder), JSON.stringify({ steps: students.get(id).steps }));
    writeFileSync(join(folder, 'model.safetensors'), '');
    return {};
  },
  load({ id, folder }) {
    students.get(id).steps = readSteps(folder);
    return {};
  },
  close({ id }) {
    students.delete(id);
    return {};
  },
  shutdown: () => ({}),
};

const readSteps = (folder) => JSON.parse(readFileSync(stepsFile(folder), 'utf8')).steps;

function faultAt(method) {
  counts[method] = (counts[method] ?? 0) + 1;
  const found = faults.find((fault) => fault.method === method && fault.at === counts[method]);
  if (!found || (found.file && existsSync(found.file))) return undefined;
  if (found.file) writeFileSync(found.file, '');
  return found.what;
}

const refuse = (id, data) => send({ id, error: { code: -32000, message: data.message, data } });

async function answer({ id, method, params }) {
  switch (faultAt(method)) {
    case 'exit':
      process.stderr.write(`the last words before ${method}\n`);
      return process.exit(3);
    case 'silence':
      return;
    case 'garbage':
      return void process.stdout.write('Traceback (most recent call last):\n');
    case 'torn':
      return void process.stdout.write('Content-Length: 100\r\n\r\n{"jsonrpc"', () => process.exit(0));
    case 'memory':
      return refuse(id, { code: 'memory', message: 'the device has 0 bytes left', remedy: 'Lower microBatchTokens.' });
    case 'diverged':
      return refuse(id, { code: 'diverged', message: 'Training diverged: the loss is not a finite number.' });
    case 'wrong':
      return send({ id, result: { tokens: 'many' } });
    case 'leave': {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      process.stderr.write(`left ${child.pid}\n`);
      return process.exit(1);
    }
    case 'slow':
      for (let done = 0; done < 30 && !cancelled.has(id); done++) {
        send({ method: 'progress', params: { request: id, done, total: 30 } });
        await sleep(100);
      }
  }
  if (cancelled.has(id)) return send({ id, error: { code: -32800, message: 'cancelled' } });
  try {
    send({ id, result: answers[method](params) });
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    send({ id, error: { code: -32603, message: error.message } });
  }
  if (method === 'shutdown') process.stdin.destroy();
}

if (given('banner')) process.stdout.write('Welcome to the cluster\nLoading module cuda/12.4\n');
let held = Buffer.alloc(0);
let turn = Promise.resolve();
process.stdin.on('data', (bytes) => {
  held = Buffer.concat([held, bytes]);
  for (;;) {
    const end = held.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/.exec(held.toString('latin1', 0, end))[1]);
    if (held.length < end + 4 + length) return;
    const message = JSON.parse(held.toString('utf8', end + 4, end + 4 + length));
    held = held.subarray(end + 4 + length);
    if (message.method === '$/cancelRequest') cancelled.add(message.params.id);
    else turn = turn.then(() => answer(message));
  }
});
