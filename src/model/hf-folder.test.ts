import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { UserError } from '../errors';
import { useBackend } from '../kernels/backends';
import { parseModelConfig } from '../student-files/config';
import { modelTypes } from '../student-files/families';
import type { JsonObject } from '../student-files/files';
import { openSafetensors, type TensorSource, writeSafetensors } from '../student-files/safetensors';
import { type TinyType, tinyConfig, tinyTokenizer } from '../student-files/testing/tiny';
import { thrown } from '../testing/errors';
import { loadModel, loadStudent, saveStudent } from './hf-folder';
import { createModel, disposeModel, type Model } from './transformer';

let folder: string;
let source: string;
beforeAll(async () => {
  await useBackend('cpu');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'student-'));
  source = mkdtempSync(join(tmpdir(), 'source-'));
  const { json, config } = tinyTokenizer();
  writeFileSync(join(source, 'tokenizer.json'), JSON.stringify(json));
  writeFileSync(join(source, 'tokenizer_config.json'), JSON.stringify(config));
  writeFileSync(join(source, 'generation_config.json'), '{"eos_token_id": [0, 1]}');
});
afterEach(() => {
  for (const path of [folder, source]) rmSync(path, { recursive: true });
});

const makeModel = (type: TinyType, changes: JsonObject = {}) =>
  createModel(parseModelConfig(tinyConfig(type, { vocab_size: 261, ...changes })), 3);
const valuesOf = (model: Model) =>
  [...model.parameters].map(([name, { shape }]) => [name, shape, [...model.parameters.get(name)!.dataSync()]]);

const failure = () => thrown(UserError, () => loadStudent(folder));

it.each(modelTypes)('saves a %s and loads it back unchanged', (type) => {
  const model = makeModel(type, { an_unknown_field: [1, { a: 2 }] });
  saveStudent(folder, model, { tokenizerFrom: source });
  expect(readdirSync(folder).sort()).toEqual([
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const student = loadStudent(folder);
  expect(valuesOf(student.model)).toEqual(valuesOf(model));
  expect(student.model.config).toEqual(model.config);
  expect(student.tokenizer.eosIds).toEqual([0, 1]);
  const file = openSafetensors(join(folder, 'model.safetensors'));
  expect(file.metadata).toEqual({ format: 'pt' }); // transformers refuses files without
  file.close();
  // Saving over itself, as checkpoints of a run do, is fine.
  saveStudent(folder, student.model, { tokenizerFrom: folder });
  expect(valuesOf(loadStudent(folder).model)).toEqual(valuesOf(model));
  disposeModel(model);
});

it.each([
  ['BF16', 'bfloat16', 2 ** -8],
  ['F16', 'float16', 2 ** -10],
] as const)('saves as %s and says so', (dtype, name, precision) => {
  const model = makeModel('qwen2');
  saveStudent(folder, model, { dtype, tokenizerFrom: source });
  const loaded = loadStudent(folder).model;
  expect(loaded.config.json.torch_dtype).toBe(name);
  const [key, parameter] = [...model.parameters][3];
  const expected = parameter.dataSync();
  loaded.parameters
    .get(key)!
    .dataSync()
    .forEach((value, i) => {
      expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(precision * Math.abs(expected[i]) + 2 ** -25);
    });
});

/** The folder's weights with some tensors changed. */
function rewrite(change: (sources: TensorSource[]) => TensorSource[]): void {
  const path = join(folder, 'model.safetensors');
  const file = openSafetensors(path);
  const sources = [...file.tensors].map(([name, { shape }]): TensorSource => {
    const values = file.readFloats(name);
    return { name, dtype: 'F32', shape, values: () => values };
  });
  file.close();
  writeSafetensors(path, change(sources));
}

const vector = (name: string): TensorSource => ({
  name,
  dtype: 'F32',
  shape: [2],
  values: () => Float32Array.of(1, 2),
});

it('names missing, surplus and misshapen tensors', () => {
  saveStudent(folder, makeModel('llama'), { tokenizerFrom: source });
  rewrite((all) => [...all, vector('model.layers.0.self_attn.rotary_emb.inv_freq')]);
  loadStudent(folder); // what transformers ignores, too
  rewrite((all) => [...all, vector('score.weight')]);
  expect(failure().message).toMatch(/no place for: score.weight/);
  rewrite((all) => all.filter(({ name }) => name !== 'score.weight' && !name.includes('layers.1.mlp')));
  expect(failure().message).toMatch(
    /lack model.layers.1.mlp.gate_proj.weight, model.layers.1.mlp.up_proj.weight, model.layers.1.mlp.down_proj.weight/,
  );
  saveStudent(folder, makeModel('llama', { intermediate_size: 44 }));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(tinyConfig('llama', { vocab_size: 261 })));
  expect(failure().message).toMatch(/gate_proj.weight has the shape \[44,24\], but config.json gives \[40,24\]/);
});

it('drops the head of a tied model if it equals the embedding, else reports it', () => {
  saveStudent(folder, makeModel('llama'), { tokenizerFrom: source });
  const withHead = (change: (table: Float32Array) => Float32Array) => (all: TensorSource[]) => {
    const embedding = all.find(({ name }) => name === 'model.embed_tokens.weight')!;
    const others = all.filter(({ name }) => name !== 'lm_head.weight');
    const values = change(embedding.values() as Float32Array);
    return [...others, { ...embedding, name: 'lm_head.weight', values: () => values }];
  };
  rewrite(withHead((table) => table));
  expect(loadStudent(folder).model.parameters.has('lm_head.weight')).toBe(false);
  rewrite(withHead((table) => table.map((value) => value + 1)));
  expect(failure().message).toMatch(/ties the output layer to the embedding, but the weights have another/);
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, tie_word_embeddings: false }));
  expect(loadStudent(folder).model.parameters.has('lm_head.weight')).toBe(true);
  rewrite((all) => all.filter(({ name }) => name !== 'lm_head.weight'));
  expect(failure().message).toMatch(/asks for a separate output layer/);
});

it('is asked with a tokenizer that has a token more, which no text may hold', () => {
  saveStudent(folder, makeModel('llama'), { tokenizerFrom: source });
  const { json } = tinyTokenizer();
  const added = json.added_tokens as object[];
  const padding = { ...added[0], id: 261, content: '[PAD]' };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...json, added_tokens: [...added, padding] }));
  writeFileSync(join(folder, 'tokenizer_config.json'), '{"eos_token": "<|endoftext|>", "pad_token": "[PAD]"}');
  const { tokenizer, model } = loadStudent(folder);
  expect(tokenizer).toMatchObject({ eosId: 0, padId: 0, vocabSize: 261 });
  expect(tokenizer.decode(tokenizer.encode('Step 1'))).toBe('Step 1');
  expect(() => tokenizer.encode('Step [PAD]')).toThrow(/the token "\[PAD\]", which the model has no embedding for/);
  disposeModel(model);
});

it('names missing files and a tokenizer of another student', () => {
  saveStudent(folder, makeModel('llama', { vocab_size: 200 }), { tokenizerFrom: source });
  expect(failure().message).toMatch(/261 tokens, the model only 200/);
  saveStudent(folder, makeModel('llama'));
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json']) {
    renameSync(join(folder, name), join(folder, 'away'));
    const { file, message } = failure();
    expect(`${file} ${message}`).toContain(name);
    renameSync(join(folder, 'away'), join(folder, name));
  }
  loadStudent(folder);
});

it('reads shards by their index, and only from the folder', () => {
  const model = makeModel('qwen3');
  saveStudent(folder, model, { tokenizerFrom: source });
  const names = [...model.parameters.keys()];
  const shardOf = (name: string) => `model-0000${1 + (names.indexOf(name) % 2)}-of-00002.safetensors`;
  for (const shard of new Set(names.map(shardOf)))
    writeSafetensors(
      join(folder, shard),
      names
        .filter((name) => shardOf(name) === shard)
        .map((name) => {
          const parameter = model.parameters.get(name)!;
          return { name, dtype: 'F32', shape: parameter.shape, values: () => parameter.dataSync<'float32'>() };
        }),
    );
  rmSync(join(folder, 'model.safetensors'));
  const index = (changes: JsonObject = {}) =>
    writeFileSync(
      join(folder, 'model.safetensors.index.json'),
      JSON.stringify({ weight_map: { ...Object.fromEntries(names.map((name) => [name, shardOf(name)])), ...changes } }),
    );
  index();
  const loaded = loadModel(folder);
  for (const [name, parameter] of model.parameters)
    expect([...loaded.parameters.get(name)!.dataSync()]).toEqual([...parameter.dataSync()]);

  copyFileSync(join(folder, shardOf(names[0])), join(source, 'outside.safetensors'));
  for (const outside of ['../source/outside.safetensors', join(source, 'outside.safetensors'), 'a\\b.safetensors', 7]) {
    index({ [names[0]]: outside });
    expect(failure().message).toMatch(/not a safetensors file of this folder/);
  }
  index({ [names[0]]: shardOf(names[1]) });
  expect(failure().message).toMatch(/which does not contain it/);
  index({ [names[0]]: 'gone.safetensors' });
  expect(failure()).toMatchObject({ message: 'no such file or folder', file: join(folder, 'gone.safetensors') });
  index();
  copyFileSync(join(folder, shardOf(names[0])), join(folder, 'again.safetensors'));
  index({ [names[0]]: 'again.safetensors' });
  expect(failure().message).toMatch(/is in .* too/);
});

it('leaves the last checkpoint whole when it cannot write', () => {
  const model = makeModel('llama');
  saveStudent(folder, model, { tokenizerFrom: source });
  const before = readFileSync(join(folder, 'model.safetensors'));
  disposeModel(model); // reading its values fails from here on
  expect(() => saveStudent(folder, { ...makeModel('llama'), parameters: new Map([['a', brokenTensor()]]) })).toThrow(
    UserError,
  );
  expect(readFileSync(join(folder, 'model.safetensors'))).toEqual(before);
  loadStudent(folder);
});

function brokenTensor() {
  return {
    shape: [1],
    dataSync: () => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    },
  } as never;
}
