/**
 * Folders from elsewhere: whatever their JSON files say, they are loaded or refused, soon and without memory for what
 * is not there.
 */
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { UserError } from '../errors';
import { useBackend } from '../kernels/backends';
import { parseModelConfig } from '../student-files/config';
import type { JsonObject } from '../student-files/files';
import { tinyConfig, tinyTokenizer } from '../student-files/testing/tiny';
import { loadStudent, saveStudent } from './hf-folder';
import { createModel, disposeModel } from './transformer';

let folder: string;
const config = tinyConfig('llama', { vocab_size: 261 });
beforeAll(async () => {
  await useBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  const tokenizer = tinyTokenizer();
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer.json));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizer.config));
  const model = createModel(parseModelConfig(config), 1);
  saveStudent(folder, model);
  disposeModel(model);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads the folder; true when it could be. Anything thrown but a UserError fails the test. */
function loads(path = folder): boolean {
  const started = process.cpuUsage();
  try {
    disposeModel(loadStudent(path).model);
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return false;
  } finally {
    expect(process.cpuUsage(started).user).toBeLessThan(5e6); // the wall's clock runs for other programs too
  }
}

const value = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(0, -1, 1, 2, 3, 1e9, 2 ** 31, 2 ** 53, 1e308, 0.5, '4', null, true, [], {}) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown> },
);

it('has a config.json of any content', () => {
  const fields = [
    ...Object.keys(config),
    'layer_types',
    'rope_scaling',
    'rope_parameters',
    'attention_bias',
    'num_experts',
  ];
  const change = fc.tuple(fc.constantFrom(...fields), value);
  let loaded = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...Object.fromEntries(changes) }));
      if (loads()) loaded++;
    }),
    { seed: 11, numRuns: 120 },
  );
  expect(loaded).toBeGreaterThan(10); // some fields do not matter
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  expect(loads()).toBe(true);
});

it.each([
  ['num_hidden_layers', 1e9, /at most 10000/],
  ['num_hidden_layers', 10_000, /weights lack model.layers.2/],
  ['intermediate_size', 2 ** 31, /has the shape/],
  ['vocab_size', 2 ** 40, /at most 2147483648/],
  ['hidden_size', 2 ** 53, /hidden_size/],
] as const)('has a config.json with %s = %s', (field, size, message) => {
  const before = process.memoryUsage().rss;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, [field]: size }));
  expect(() => loadStudent(folder)).toThrow(message);
  expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
});

it('has an index of shards of any content', () => {
  const sharded = mkdtempSync(join(folder, 'sharded-'));
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'])
    cpSync(join(folder, name), join(sharded, name));
  renameSync(join(sharded, 'model.safetensors'), join(sharded, 'model-00001-of-00001.safetensors'));
  const index = (content: unknown) =>
    writeFileSync(join(sharded, 'model.safetensors.index.json'), JSON.stringify(content));
  index({ weight_map: { 'model.norm.weight': 'model-00001-of-00001.safetensors' } });
  expect(loads(sharded)).toBe(true);
  const shard = fc.oneof(
    fc.constantFrom(
      ...[
        'model-00001-of-00001.safetensors',
        '../model.safetensors',
        '/etc/passwd',
        'C:\\x.safetensors',
        '.safetensors',
      ],
      ...[
        '\0.safetensors',
        'a/../../model.safetensors',
        '//host/share/x.safetensors',
        'config.json',
        'CON.safetensors',
      ],
    ),
    value,
  );
  const name = fc.oneof(fc.constantFrom('model.norm.weight', '__proto__', 'constructor', 'a'), fc.string());
  const map = fc.dictionary(name, shard, { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<JsonObject>;
  fc.assert(
    fc.property(fc.oneof(map, map, value), (weightMap) => {
      index({ weight_map: weightMap });
      loads(sharded);
    }),
    { seed: 5, numRuns: 120 },
  );
});

it('has a tokenizer_config.json of any content', () => {
  const field = fc.constantFrom(
    'eos_token',
    'bos_token',
    'pad_token',
    'chat_template',
    'added_tokens_decoder',
    'tokenizer_class',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(field, value), { maxLength: 3 }), (changes) => {
      const { config: usual } = tinyTokenizer();
      writeFileSync(
        join(folder, 'tokenizer_config.json'),
        JSON.stringify({ ...usual, ...Object.fromEntries(changes) }),
      );
      loads();
    }),
    { seed: 3, numRuns: 80 },
  );
});
