/**
 * Students whose files are damaged, or belong to different students: opening one (evaluate, ask, rewrites, export,
 * preview) fails at once, with the file and the remedy.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStudent } from '../../src/curriculum/evaluation/students';
import { tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { startEngine } from '../../src/engine/engines';
import type { Engine } from '../../src/engine/port';
import { UserError } from '../../src/errors';
import { hashFile } from '../../src/lines';
import { loadStudent } from '../../src/model/hf-folder';
import { disposeModel } from '../../src/model/transformer';

let folder = '';
let student = '';
let engine: Engine;
beforeAll(async () => {
  folder = await tinyWorkspace();
  engine = await startEngine('cpu');
});
afterAll(async () => {
  await engine?.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string) => join(student, name);
const config = 'config.json';
const weights = 'model.safetensors';
const tokenizer = 'tokenizer.json';

// biome-ignore lint/suspicious/noExplicitAny: files of any content
function edit(name: string, change: (value: any) => object): void {
  writeFileSync(at(name), JSON.stringify(change(JSON.parse(readFileSync(at(name), 'utf8')))));
}

/** Changes the bytes of the weights; `start` is where those of the first tensor begin. */
function editWeights(change: (bytes: Buffer, start: number) => Buffer): void {
  const bytes = readFileSync(at(weights));
  writeFileSync(at(weights), change(bytes, 8 + Number(bytes.readBigUInt64LE())));
}

function editHeader(change: (text: string) => string): void {
  editWeights((bytes, start) => {
    const text = Buffer.from(change(bytes.subarray(8, start).toString()).padEnd(start - 8));
    return Buffer.concat([bytes.subarray(0, 8), text, bytes.subarray(start)]);
  });
}

function replace(name: string, make: (file: string) => void): void {
  rmSync(at(name), { force: true });
  make(at(name));
}

const pipe = (file: string) => execFileSync('mkfifo', [file]);
const loop = (file: string) => symlinkSync(file, file);
const nul = (file: string) => writeFileSync(file, Buffer.alloc(4096));
const cut = (name: string) => truncateSync(at(name), Math.floor(readFileSync(at(name)).length / 2));
const otherModel = { model_type: 'gpt2', n_embd: 768, n_layer: 12, vocab_size: 50257 };
const checkpoint = () =>
  writeFileSync(
    at('state.json'),
    JSON.stringify({
      format: 1,
      stage: 'sft',
      step: 1,
      seq: 1,
      state: {},
      files: { [weights]: hashFile(at(weights)) },
    }),
  );

const damages: [what: string, damage: () => void, file: string, message: RegExp][] = [
  ['weights that are cut off', () => cut(weights), weights, /cut off/],
  ['weights that are cut off in their header', () => truncateSync(at(weights), 100), weights, /cut off/],
  ['empty weights', () => truncateSync(at(weights), 0), weights, /cut off/],
  ['weights of NULs', () => replace(weights, nul), weights, /not a safetensors file/],
  ['weights that end in NULs', () => editWeights((bytes) => bytes.fill(0, bytes.length - 6000)), weights, /power cut/],
  [
    'weights followed by NULs',
    () => editWeights((bytes) => Buffer.concat([bytes, Buffer.alloc(4096)])),
    weights,
    /4096 bytes after its last tensor/,
  ],
  [
    'weights of a checkpoint with NULs in the middle',
    () => {
      checkpoint();
      editWeights((bytes, start) => bytes.fill(0, start, start + 4096));
    },
    '',
    /model\.safetensors is damaged/,
  ],
  ['weights that are not numbers', () => editWeights((bytes, start) => bytes.fill(0xff, start, start + 8)), '', /NaN/],
  ['a tensor of another shape', () => editHeader((text) => text.replace('[24,40]', '[40,24]')), '', /has the shape/],
  ['a tensor of another type', () => editHeader((text) => text.replaceAll('"F32"', '"I32"')), weights, /of type I32/],
  ['a tensor of another name', () => editHeader((text) => text.replace('layers.1', 'layers.7')), '', /lack/],
  ['no weights', () => replace(weights, () => {}), '', /neither model\.safetensors/],
  ['a pipe as weights', () => replace(weights, pipe), weights, /pipe or device/],
  ['a folder as weights', () => replace(weights, mkdirSync), weights, /a folder/],
  ['endless zeros as weights', () => replace(weights, (file) => symlinkSync('/dev/zero', file)), weights, /device/],
  [
    'a pipe as a shard',
    () => {
      replace(weights, () => {});
      writeFileSync(at('model.safetensors.index.json'), '{"weight_map": {"model.norm.weight": "a.safetensors"}}');
      pipe(at('a.safetensors'));
    },
    'a.safetensors',
    /pipe or device/,
  ],
  ['the config.json of another family', () => writeFileSync(at(config), JSON.stringify(otherModel)), config, /gpt2/],
  [
    'the config.json of a longer model',
    () => edit(config, (value) => ({ ...value, num_hidden_layers: 4 })),
    '',
    /lack/,
  ],
  [
    'the config.json of a wider one',
    () => edit(config, (value) => ({ ...value, hidden_size: 48 })),
    '',
    /has the shape/,
  ],
  ['a config.json of NULs', () => replace(config, nul), config, /not JSON/],
  ['a config.json that is cut off', () => cut(config), config, /not JSON/],
  ['no config.json', () => replace(config, () => {}), config, /no such file/],
  ['a pipe as config.json', () => replace(config, pipe), config, /pipe or device/],
  ['a link to itself as config.json', () => replace(config, loop), config, /links lead back/],
  ['no tokenizer', () => replace(tokenizer, () => {}), tokenizer, /no such file/],
  ['a tokenizer that is cut off', () => cut(tokenizer), tokenizer, /not JSON/],
  ['a tokenizer of NULs', () => replace(tokenizer, nul), tokenizer, /not JSON/],
  ['a pipe as tokenizer', () => replace(tokenizer, pipe), tokenizer, /pipe or device/],
  ['a pipe as tokenizer_config.json', () => replace('tokenizer_config.json', pipe), 'tokenizer_config.json', /pipe/],
  ['a pipe as chat template', () => pipe(at('chat_template.jinja')), 'chat_template.jinja', /pipe/],
  [
    'a pipe as adapter',
    () => {
      writeFileSync(at('adapter_config.json'), '{}');
      pipe(at('adapter_model.safetensors'));
    },
    'adapter_model.safetensors',
    /pipe/,
  ],
  [
    'a token id beyond the model',
    () =>
      edit(tokenizer, ({ model, ...rest }) => ({ ...rest, model: { ...model, vocab: { ...model.vocab, St: 900 } } })),
    tokenizer,
    /901 tokens, the model only/,
  ],
  [
    'end tokens beyond the model',
    () => {
      edit(config, (value) => ({ ...value, eos_token_id: 5000 }));
      edit('tokenizer_config.json', ({ eos_token: _, ...value }) => value);
    },
    tokenizer,
    /end token 5000/,
  ],
];

it.each(damages)('%s: refused by name, with a remedy', async (_, damage, file, message) => {
  student = join(folder, 'damaged');
  rmSync(student, { recursive: true, force: true });
  cpSync(join(folder, 'student'), student, { recursive: true });
  damage();
  const told = await openStudent(engine, student, { prompt: 'auto' }).catch((error) => error);
  expect(told).toBeInstanceOf(UserError);
  expect(told).toMatchObject({ file: join(student, file), message: expect.stringMatching(message) });
  expect(told.remedy).toMatch(/\w/);
});

it('a checkpoint with unchanged weights is opened', async () => {
  student = join(folder, 'whole');
  cpSync(join(folder, 'student'), student, { recursive: true });
  checkpoint();
  const { student: opened } = await openStudent(engine, student);
  await opened.dispose();
  disposeModel(loadStudent(student).model);
});

it.each<[what: string, make: (file: string) => void]>([
  ['cut off', (file) => writeFileSync(file, '{"format": 1, "st')],
  ['of NULs', nul],
  ['of another program', (file) => writeFileSync(file, '{"step": "x"}')],
  ['that is a pipe', pipe],
])('a state.json %s is ignored beside a student, and refused in a checkpoint of a run', async (_, make) => {
  student = join(folder, 'foreign');
  rmSync(student, { recursive: true, force: true });
  cpSync(join(folder, 'student'), student, { recursive: true });
  make(at('state.json'));
  const { student: opened } = await openStudent(engine, student, { prompt: 'auto' });
  await opened.dispose();
  const run = join(folder, 'a-run');
  rmSync(run, { recursive: true, force: true });
  mkdirSync(join(run, 'checkpoints'), { recursive: true });
  writeFileSync(join(run, 'run.json'), '{}');
  renameSync(student, join(run, 'checkpoints', 'sft-1'));
  const refused = openStudent(engine, join(run, 'checkpoints', 'sft-1'), { prompt: 'auto' });
  await expect(refused).rejects.toMatchObject({ file: expect.stringContaining('sft-1'), remedy: expect.any(String) });
});

it('a student whose output is not a number is named', async () => {
  student = join(folder, 'overflowing');
  cpSync(join(folder, 'student'), student, { recursive: true });
  editWeights((bytes, start) => {
    for (let at = start; at + 4 <= bytes.length; at += 4) bytes.writeFloatLE(3e38, at);
    return bytes;
  });
  const { student: opened } = await openStudent(engine, student, { prompt: 'auto' });
  const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
  const told = await opened
    .sample([[1, 2]], { sampling, maxNewTokens: 2, eosIds: [], seed: 1 })
    .catch((error) => error);
  expect(told).toBeInstanceOf(UserError);
  expect(told).toMatchObject({ file: student, message: expect.stringContaining('no probabilities') });
  await opened.dispose();
});
