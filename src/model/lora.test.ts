import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBackend, keep, matMul, memory, randomNormal, tidy } from '@tensorflow/tfjs-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../errors';
import { useBackend } from '../kernels/backends';
import type { EmbeddedBackend } from '../kernels/embedded/backend';
import { policyLogProbs } from '../learning/grpo';
import { createOptimizer, disposeOptimizer } from '../learning/optimizer';
import { supervisedStep } from '../learning/supervised';
import { sample } from '../rollout/sample';
import { adapterShapes } from '../student-files/adapter';
import { parseModelConfig } from '../student-files/config';
import { loadStudentTokenizer } from '../student-files/folder';
import { openSafetensors, type TensorSource, writeSafetensors } from '../student-files/safetensors';
import { tinyConfig, tinyTokenizer } from '../student-files/testing/tiny';
import { exportStudent } from './export';
import { fingerprint } from './fingerprint';
import { checkWeights, loadStudent, saveStudent } from './hf-folder';
import { addsNothing, createAdapter } from './lora';
import { saveAdapter } from './lora-files';
import { mergeAdapter } from './merge';
import { copyModel } from './testing/copy';
import { createModel, disposeModel, forward, headWeight, type Model, pack } from './transformer';

const vocabulary = 261;
const config = parseModelConfig(tinyConfig('qwen2', { vocab_size: vocabulary, eos_token_id: 0 }));
const settings = { rank: 3, alpha: 6, dropout: 0, targets: ['q', 'v', 'down'] as const };
let scratch = '';
let tensors = 0;

beforeAll(async () => {
  await useBackend('embedded');
  scratch = fs.mkdtempSync(join(tmpdir(), 'distillery-'));
  const base = createModel(config, 1);
  const { json, config: tokenizer } = tinyTokenizer();
  saveStudent(join(scratch, 'base'), base);
  fs.writeFileSync(join(scratch, 'base', 'tokenizer.json'), JSON.stringify(json));
  fs.writeFileSync(join(scratch, 'base', 'tokenizer_config.json'), JSON.stringify(tokenizer));
  disposeModel(base);
});
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));
beforeEach(() => {
  tensors = memory().numTensors;
});
afterEach(() => expect(memory().numTensors).toBe(tensors));

/** The base of the scratch folder with an adapter that does something. */
function adapted(random = true): Model {
  const { model } = loadStudent(join(scratch, 'base'));
  const base = { path: join(scratch, 'base'), fingerprint: fingerprint(model.parameters) };
  model.adapter = createAdapter(config, { ...settings, targets: [...settings.targets] }, base, 1);
  expect(addsNothing(model.adapter)).toBe(true);
  if (random)
    for (const [name, { shape }] of model.adapter.parameters) {
      model.adapter.parameters.get(name)!.dispose();
      model.adapter.parameters.set(name, keep(randomNormal(shape as [number, number], 0, 0.4, 'float32', 5)));
    }
  return model;
}

/** Checks that the student in a folder computes what `model` computes, on the same targets; disposes both. */
function expectSame(folder: string, model: Model): void {
  const loaded = loadStudent(folder).model;
  expect(loaded.adapter!.settings.targets).toEqual(model.adapter!.settings.targets);
  expectClose(loaded, model, 0);
}

/** Checks that the logits of two students differ by at most `allowed`; disposes both. */
function expectClose(one: Model, other: Model, allowed: number): void {
  expect(farthest(logits(one), logits(other))).toBeLessThanOrEqual(allowed);
  disposeModel(one);
  disposeModel(other);
}

/** Starts to track the kernels' memory; the returned function gives the maximum bytes since then. */
function peakBytes(): () => number {
  const store = (findBackend('embedded') as EmbeddedBackend).library.memory;
  const allocate = store.allocate.bind(store);
  let peak = 0;
  const watch = vi.spyOn(store, 'allocate').mockImplementation((bytes) => {
    const block = allocate(bytes);
    peak = Math.max(peak, store.usage().used);
    return block;
  });
  return () => {
    watch.mockRestore();
    return peak;
  };
}

const sequences = [
  [5, 9, 40, 200, 7],
  [260, 3],
];
const logits = (model: Model) =>
  tidy(() => matMul(forward(model, pack(sequences)), headWeight(model), false, true).dataSync());
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

describe('an adapter', () => {
  it('adds nothing at first, and what it adds is in the merged model', () => {
    const [plain, fresh, model] = [loadStudent(join(scratch, 'base')).model, adapted(false), adapted()];
    expect(farthest(logits(fresh), logits(plain))).toBe(0);
    expect(farthest(logits(model), logits(plain))).toBeGreaterThan(0.01);
    const merged = mergeAdapter(model);
    expect(farthest(logits(merged), logits(model))).toBeLessThan(1e-5);
    expect(merged.parameters.get('model.norm.weight')!.dataId).toBe(model.parameters.get('model.norm.weight')!.dataId);
    for (const one of [plain, fresh, model, merged]) disposeModel(one);
  });

  it("is initialised like PEFT's: A uniform within 1 / sqrt(in), different for each seed", () => {
    const model = adapted(false);
    const { base, settings: given } = model.adapter!;
    const other = createAdapter(config, given, base, 2);
    for (const [name, [, columns]] of adapterShapes(config, given)) {
      if (!name.endsWith('lora_A.weight')) continue;
      const values = model.adapter!.parameters.get(name)!.dataSync();
      const most = Math.max(...values.map(Math.abs));
      expect(most).toBeLessThanOrEqual(1 / Math.sqrt(columns));
      expect(most).toBeGreaterThan(0.8 / Math.sqrt(columns));
      expect(values).not.toEqual(other.parameters.get(name)!.dataSync());
    }
    disposeModel({ ...model, adapter: other, parameters: new Map(), ropes: null });
    disposeModel(model);
  });

  it('shares the frozen weights with its copies, which outlive it', () => {
    const model = adapted();
    const { numDataBuffers } = memory();
    const copy = copyModel(model);
    expect(memory().numDataBuffers - numDataBuffers).toBe(model.adapter!.parameters.size);
    const before = logits(model);
    disposeModel(model);
    expect(farthest(logits(copy), before)).toBe(0);
    disposeModel(copy);
  });

  it('is sampled from as it is trained', async () => {
    const model = adapted();
    const prompts = [[5, 9, 40], [7]];
    const { completions } = await sample(model, prompts, {
      sampling: { temperature: 1, topK: 0, topP: 1, minP: 0 },
      maxNewTokens: 20,
      eosIds: [-1],
      seed: 3,
      groupSize: 4,
    });
    const examples = completions.map(({ prompt, tokens }) => ({ prompt: prompts[prompt], completion: tokens }));
    const trained = await policyLogProbs(model, examples, { temperature: 1, microBatchTokens: 1000 });
    trained.forEach((values, i) => {
      expect(farthest(values, completions[i].logProbs)).toBeLessThan(2e-5);
    });
    disposeModel(model);
  });

  it('trains in less memory than the whole student, and leaks no tensor', async () => {
    const examples = [{ prompt: [1, 2, 3], completion: [4, 5, 6, 7, 0] }];
    const options = { dropout: 0.1, microBatchTokens: 1000, weightDecay: 0.01, maxGradNorm: 1 };
    const train = async (model: Model) => {
      const frozen =
        model.adapter && [...model.parameters].map(([name, one]) => [name, one.dataSync().slice()] as const);
      const optimizer = createOptimizer(model);
      const { loss } = await supervisedStep(model, optimizer, examples, 1e-2, options, 1);
      const { numTensors, numBytes } = memory();
      const peak = peakBytes();
      for (let i = 0; i < 50; i++) await supervisedStep(model, optimizer, examples, 1e-2, options, i);
      expect(memory()).toMatchObject({ numTensors, numBytes });
      const most = peak();
      expect((await supervisedStep(model, optimizer, examples, 1e-2, options, 1)).loss).toBeLessThan(loss - 0.1);
      for (const [name, values] of frozen ?? []) expect(model.parameters.get(name)!.dataSync()).toEqual(values);
      disposeOptimizer(optimizer);
      disposeModel(model);
      return most;
    };
    expect(await train(adapted(false))).toBeLessThan(0.6 * (await train(loadStudent(join(scratch, 'base')).model)));
  });
});

describe('an adapter folder', () => {
  const folder = () => fs.mkdtempSync(join(scratch, 'adapter-'));
  const patch = (at: string, changes: object) => {
    const file = join(at, 'adapter_config.json');
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), ...changes }));
  };
  const saved = () => {
    const at = folder();
    const model = adapted();
    saveAdapter(at, model.adapter!);
    disposeModel(model);
    return at;
  };

  it('is what PEFT writes, and loads as a student', () => {
    const at = saved();
    const model = adapted();
    expect(fs.readdirSync(at).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    const file = openSafetensors(join(at, 'adapter_model.safetensors'));
    expect([...file.tensors.keys()].slice(0, 2)).toEqual([
      'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight',
      'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight',
    ]);
    file.close();
    expectSame(at, model);
  });

  it('is merged when a student is saved', () => {
    const model = adapted();
    const at = folder();
    saveStudent(at, model, { tokenizerFrom: join(scratch, 'base') });
    const plain = loadStudent(at).model;
    expect(plain.adapter).toBeNull();
    expectClose(plain, model, 1e-5);
  });

  it('may hold its base itself, or have it named by a relative path', () => {
    const at = saved();
    patch(at, { base_model_name_or_path: '../base' });
    disposeModel(loadStudent(at).model);
    patch(at, { base_model_name_or_path: 'Qwen/Qwen2.5-0.5B' });
    expect(() => loadStudent(at)).toThrow(/Qwen\/Qwen2.5-0.5B of the adapter is missing/);
    disposeModel(loadStudent(at, { base: join(scratch, 'base') }).model);
    for (const name of fs.readdirSync(join(scratch, 'base')))
      fs.copyFileSync(join(scratch, 'base', name), join(at, name));
    const { model } = loadStudent(at);
    expect(model.adapter?.base.path).toBe(at);
    disposeModel(model);
  });

  it('finds a base of the Hub that is on this machine, and says how to fetch one that is not', () => {
    const at = saved();
    patch(at, { base_model_name_or_path: 'Tiny/Student', revision: null });
    expect(() => loadStudent(at)).toThrow(
      expect.objectContaining({ remedy: 'Download it: distillery download Tiny/Student' }),
    );
    const cache = folder();
    vi.stubEnv('HF_HUB_CACHE', cache);
    const commit = 'c'.repeat(40);
    const repository = join(cache, 'models--Tiny--Student');
    const snapshot = join(repository, 'snapshots', commit);
    fs.mkdirSync(join(repository, 'refs'), { recursive: true });
    fs.writeFileSync(join(repository, 'refs', 'main'), commit);
    fs.cpSync(join(scratch, 'base'), snapshot, { recursive: true });
    const { model } = loadStudent(at);
    expect(model.adapter?.base.path).toBe(snapshot);
    disposeModel(model);
    patch(at, { revision: 'other' });
    expect(() => loadStudent(at)).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining('Student@other') }),
    );
    vi.unstubAllEnvs();
  });

  it("is asked and exported with its own tokenizer, and its base's end tokens", () => {
    const at = saved();
    const base = folder();
    fs.cpSync(join(scratch, 'base'), base, { recursive: true });
    fs.writeFileSync(join(base, 'generation_config.json'), JSON.stringify({ eos_token_id: [0, 5], top_p: 0.8 }));
    patch(at, { base_model_name_or_path: base });
    const { json, config: words } = tinyTokenizer();
    fs.writeFileSync(join(at, 'tokenizer.json'), JSON.stringify(json));
    const trained = { ...words, eos_token: '<|mark|>', chat_template: 'mine {{ messages[0].content }}' };
    fs.writeFileSync(join(at, 'tokenizer_config.json'), JSON.stringify(trained));
    const { model, tokenizer } = loadStudent(at);
    disposeModel(model);
    for (const one of [tokenizer, loadStudentTokenizer(at)])
      expect(one).toMatchObject({
        eosId: 1,
        eosIds: [1, 0, 5],
        chatTemplate: { source: expect.stringMatching(/^mine/) },
      });
    const out = join(folder(), 'out');
    exportStudent(at, out, { format: 'hf', dtype: 'F32' });
    const exported = loadStudentTokenizer(out);
    expect(exported).toMatchObject({ eosId: 1, chatTemplate: { source: expect.stringMatching(/^mine/) } });
    expect(JSON.parse(fs.readFileSync(join(out, 'generation_config.json'), 'utf8'))).toMatchObject({ top_p: 0.8 });
  });

  it.each([
    ['DoRA', { use_dora: true }, /use_dora must be false/],
    ['trained biases', { bias: 'all' }, /bias must be "none"/],
    ['whole modules', { modules_to_save: ['lm_head'] }, /modules_to_save/],
    ['a field of a newer PEFT', { some_future_config: { a: 1 } }, /some_future_config must be absent/],
    ['some layers only', { layers_to_transform: [0] }, /layers_to_transform/],
    ['one layer named', { target_modules: ['model.layers.0.self_attn.q_proj'] }, /target_modules/],
    ['other modules', { target_modules: ['q_proj', 'lm_head'] }, /target_modules/],
    ['other kinds', { peft_type: 'IA3' }, /peft_type must be "LORA"/],
    ['changed bases', { init_lora_weights: 'pissa' }, /init_lora_weights/],
    ['no rank', { r: 'four' }, /r must be a whole number/],
    ['another rank', { r: 4 }, /is \[3,24\], but must be \[4,24\]/],
    [
      'more targets',
      { target_modules: ['q_proj', 'v_proj', 'down_proj', 'o_proj'] },
      /o_proj.lora_A.weight is \[absent\]/,
    ],
    ['fewer targets', { target_modules: ['q_proj', 'v_proj'] }, /Tensor .* is unexpected/],
  ])('is refused with %s', (_, changes, message) => {
    const at = saved();
    patch(at, changes);
    expect(() => loadStudent(at)).toThrow(UserError);
    expect(() => loadStudent(at)).toThrow(message);
    expect(() => checkWeights(at)).toThrow(message);
  });

  it('may name its layers by a pattern', () => {
    const at = saved();
    const model = adapted();
    patch(at, { target_modules: '(?:.*?(?:language|text).*?)|(?:\\bmodel\\.layers\\.[\\d]{1,}\\..*)' });
    expectSame(at, model);
    patch(at, { target_modules: 'all-linear', exclude_modules: '.*(?:k_proj|o_proj|gate_proj|up_proj)' });
    expectSame(at, adapted());
  });

  it('may have the name of the adapter in the names of its tensors', () => {
    const at = saved();
    const path = join(at, 'adapter_model.safetensors');
    const file = openSafetensors(path);
    const sources = [...file.tensors].map(([name, { shape }]): TensorSource => {
      const values = file.readFloats(name);
      return { name: name.replace(/\.weight$/, '.default.weight'), dtype: 'F32', shape, values: () => values };
    });
    file.close();
    writeSafetensors(path, sources);
    expectSame(at, adapted());
  });

  it('may have layers with other ranks and alphas, which compute what PEFT computes', () => {
    const at = saved();
    const path = join(at, 'adapter_model.safetensors');
    const file = openSafetensors(path);
    // Twice the rank with zeros in it, and twice the alpha, is the same layer.
    const sources = [...file.tensors].map(([name, { shape }]): TensorSource => {
      const values = file.readFloats(name);
      if (!name.includes('q_proj')) return { name, dtype: 'F32', shape, values: () => values };
      const [rows, columns] = shape;
      const isA = name.includes('lora_A');
      const wider = isA ? [2 * rows, columns] : [rows, 2 * columns];
      const wide = new Float32Array(2 * values.length);
      values.forEach((value, i) => {
        wide[isA ? i : Math.floor(i / columns) * 2 * columns + (i % columns)] = value;
      });
      return { name, dtype: 'F32', shape: wider, values: () => wide };
    });
    file.close();
    writeSafetensors(path, sources);
    patch(at, { rank_pattern: { q_proj: 2 * settings.rank }, alpha_pattern: { q_proj: 2 * settings.alpha } });
    const loaded = loadStudent(at).model;
    expect(loaded.adapter!.settings.rank).toBe(2 * settings.rank);
    expectClose(loaded, adapted(), 1e-6);
  });

  it.each(['-unsloth-bnb-4bit', '-bnb-8bit', '-AWQ', '-GPTQ-Int4', '-FP8'])(
    'of a quantized base (%s) is loaded on the model that the base was made from',
    (ending) => {
      const at = saved();
      patch(at, { base_model_name_or_path: `unsloth/qwen2.5-0.5b-instruct${ending}` });
      expect(() => loadStudent(at)).toThrow(
        expect.objectContaining({ remedy: 'Download it: distillery download unsloth/qwen2.5-0.5b-instruct' }),
      );
    },
  );

  it('is refused as a pickle, or with an embedding of its own, and says what to do', () => {
    const at = saved();
    const path = join(at, 'adapter_model.safetensors');
    const file = openSafetensors(path);
    const name = 'base_model.model.model.embed_tokens.weight';
    const embedding: TensorSource = { name, dtype: 'F32', shape: [2], values: () => new Float32Array(2) };
    const all = [...file.tensors].map(([key, { shape }]): TensorSource => {
      const values = file.readFloats(key);
      return { name: key, dtype: 'F32', shape, values: () => values };
    });
    file.close();
    writeSafetensors(path, [...all, embedding]);
    expect(() => loadStudent(at)).toThrow(/embedding or output layer of its own/);
    fs.rmSync(path);
    fs.writeFileSync(join(at, 'adapter_model.bin'), 'PK');
    expect(() => loadStudent(at)).toThrow(/Python pickle/);
  });

  it('is refused on another student than its own', () => {
    const at = saved();
    const other = createModel(config, 2);
    const elsewhere = join(scratch, 'other');
    fs.mkdirSync(elsewhere);
    saveStudent(elsewhere, other, { tokenizerFrom: join(scratch, 'base') });
    disposeModel(other);
    expect(() => loadStudent(at, { base: elsewhere })).toThrow(/trained on another student than the one in .*other/);
  });
});
