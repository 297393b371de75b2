import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { matMul, tidy } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peer } from '../../scripts/peers/peers';
import { useBackend } from '../../src/kernels/backends';
import { exportStudent } from '../../src/model/export';
import { llama3, tinyConfig, writeTinyFolder } from '../../src/model/gguf/testing/tiny';
import { type LoadedStudent, loadStudent, saveStudent } from '../../src/model/hf-folder';
import { livelyModel } from '../../src/model/testing/naive';
import { disposeModel, forward, headWeight, type Model, modelFrom, pack } from '../../src/model/transformer';
import { sample } from '../../src/rollout/sample';
import { copyCompanions, loadStudentTokenizer } from '../../src/student-files/folder';
import type { MetadataField, WrittenType } from '../../src/student-files/gguf/write';
import { ggufStudents } from '../../src/student-files/testing/tiny';
import { readFixture } from '../parity/fixtures';
import { type GeneratedTexts, generated } from '../parity/texts';
import { type LlamaCpp, openLlamaCpp } from './llama';
import { prompts } from './prompts';

const [entry, smollm2, qwenTokenizer, llama2Tokenizer] = await Promise.all([
  peer('node-llama-cpp'),
  peer('smollm2'),
  peer('qwen2.5-tokenizer'),
  peer('llama2-tokenizer'),
]);
const folder = mkdtempSync(join(tmpdir(), 'distillery-llama-'));
beforeAll(async () => void (await useBackend('embedded')));
afterAll(() => rmSync(folder, { recursive: true }));

/** Our logits of one sequence: [tokens][vocabulary]. */
function logits(model: Model, ids: readonly number[]): Float32Array[] {
  const { vocabSize } = model.config;
  const all = tidy(() => matMul(forward(model, pack([ids])), headWeight(model), false, true).dataSync<'float32'>());
  return ids.map((_, i) => all.subarray(i * vocabSize, (i + 1) * vocabSize));
}

function difference(ours: Float32Array, theirs: Map<number, number>): number {
  expect(theirs.size).toBe(ours.length);
  let most = 0;
  for (const [token, logit] of theirs) most = Math.max(most, Math.abs(ours[token] - logit));
  return most;
}

async function withLlamaCpp<T>(file: string, use: (llama: LlamaCpp) => Promise<T>): Promise<T> {
  const llama = await openLlamaCpp(entry!, file);
  try {
    return await use(llama);
  } finally {
    await llama.close();
  }
}

/** Milliseconds: half a minute of work, on a machine that is also used by others. */
const patience = 900_000;

describe.skipIf(!entry || !smollm2)('SmolLM2-135M-Instruct', { timeout: patience }, () => {
  const newTokens = 12;
  let student: LoadedStudent;
  let asked: number[][];
  let answers: number[][];
  beforeAll(async () => {
    student = loadStudent(smollm2!);
    asked = prompts.map((prompt) => student.tokenizer.encodePrompt(prompt));
    const { completions } = await sample(student.model, asked, {
      sampling: { temperature: 0, topK: 0, topP: 1, minP: 0 },
      maxNewTokens: newTokens,
      eosIds: student.tokenizer.eosIds,
      seed: 1,
    });
    answers = completions.map(({ tokens }) => tokens);
  }, patience);
  afterAll(() => disposeModel(student.model));

  /**
   * Of the first `most` prompts: the positions in our greedy texts at which llama.cpp chooses another token, and by how
   * much of a logit we prefer ours. Without such positions both write the same texts.
   */
  async function departures(llama: LlamaCpp, most = prompts.length) {
    const found: { prompt: number; token: number; gap: number }[] = [];
    for (const [prompt, ids] of asked.slice(0, most).entries()) {
      const theirs = await llama.greedy([...ids, ...answers[prompt].slice(0, -1)], ids.length);
      if (theirs.every((token, i) => token === answers[prompt][i])) continue;
      const ours = logits(student.model, [...ids, ...answers[prompt]]);
      for (const [i, token] of theirs.entries()) {
        const row = ours[ids.length - 1 + i];
        const gap = row[answers[prompt][i]] - row[token];
        if (token !== answers[prompt][i]) found.push({ prompt, token: i, gap });
      }
    }
    return found;
  }

  it('tokenises as llama.cpp does and writes its greedy texts, except for the noise of 8-bit activations', async () => {
    await withLlamaCpp(smollm2!, async (llama) => {
      for (const [i, prompt] of prompts.entries()) expect(llama.tokenize(prompt), prompt).toEqual(asked[i]);
      const tokens = answers.flat().length;
      const found = await departures(llama);
      // llama.cpp multiplies Q4_1 weights with activations that it has rounded to 8 bits: its logits are off by some
      // tenths.
      const [ours] = [logits(student.model, asked[0])];
      const [theirs] = await llama.logits(asked[0], [asked[0].length - 1]);
      const noise = difference(ours[asked[0].length - 1], theirs);
      console.info(
        `Q4_1: ${tokens} tokens, ${found.length} others, largest gap ${Math.max(0, ...found.map(({ gap }) => gap)).toFixed(3)}, noise ${noise.toFixed(3)}`,
      );
      expect(noise).toBeLessThan(2);
      expect(found.length).toBeLessThan(0.1 * tokens);
      for (const { gap } of found) expect(gap).toBeLessThan(2 * noise);
    });
  });

  it('is computed by llama.cpp as here when it is exported in F32: the same greedy texts, logits to 1e-3', async () => {
    const file = join(folder, 'smollm2.gguf');
    exportStudent(smollm2!, file, { format: 'gguf', dtype: 'F32', student });
    await withLlamaCpp(file, async (llama) => {
      let most = 0;
      for (const i of [0, 7, 15]) {
        const ids = [...asked[i], ...answers[i]].slice(0, 48);
        const ours = logits(student.model, ids);
        const places = ids.map((_, place) => place).filter((place) => place % 3 === 0 || place === ids.length - 1);
        const theirs = await llama.logits(ids, places);
        places.forEach((place, k) => {
          most = Math.max(most, difference(ours[place], theirs[k]));
        });
      }
      const found = await departures(llama, 8);
      console.info(`F32: largest difference of a logit ${most.toExponential(1)}, other tokens ${found.length}`);
      expect(most).toBeLessThan(1e-3);
      for (const { gap } of found) expect(gap).toBeLessThan(1e-3);
    });
    rmSync(file);
  });
});

/** Of test/fixtures/parity/byte-fallback.json. */
interface ByteFallback {
  special: string[];
  tokenizers: { llama: { json: { model: { vocab: Record<string, number> } } } };
}

const text = "The 12 cats of 日本 ran\n\nhome, didn't they?";

describe.skipIf(!entry)('a random student', { timeout: patience }, () => {
  /**
   * A file of this kind, read by both: the largest difference of a logit at every `every`-th place, and the largest
   * logit.
   */
  async function compare(from: string, dtype: WrittenType, every = 1): Promise<{ most: number; largest: number }> {
    const file = `${from}.gguf`;
    exportStudent(from, file, { format: 'gguf', dtype });
    const { model, tokenizer } = loadStudent(file);
    const ids = tokenizer.encode(text);
    expect(ids).toEqual(loadStudentTokenizer(from).encode(text));
    const compared = await withLlamaCpp(file, async (llama) => {
      expect(llama.tokenize(text)).toEqual(ids);
      const ours = logits(model, ids);
      const places = ids.map((_, place) => place).filter((place) => place % every === 0);
      const theirs = await llama.logits(ids, places);
      return {
        most: Math.max(...places.map((place, k) => difference(ours[place], theirs[k]))),
        largest: ours[0].reduce((largest, value) => Math.max(largest, Math.abs(value)), 0),
      };
    });
    disposeModel(model);
    return compared;
  }

  it.each([
    ...ggufStudents,
    ['qwen3', { tie_word_embeddings: false }],
    ['llama', llama3],
    ['llama', { rope_scaling: { rope_type: 'linear', factor: 2 } }],
    ['mistral', {}],
  ] as const)('%s %o is computed by llama.cpp as here', async (type, more) => {
    const model = livelyModel(tinyConfig(type, more), 3);
    const from = writeTinyFolder(mkdtempSync(join(folder, type)), model);
    disposeModel(model);
    const { most, largest } = await compare(from, 'F32');
    console.info(`${type}: logits up to ${largest.toFixed(1)}, largest difference ${most.toExponential(1)}`);
    // ggml looks GELU up in a table of float16 (GGML_GELU_FP16 in ggml-cpu/vec.h), which is right to 5e-4.
    expect(most).toBeLessThan(type === 'gemma3_text' ? 1e-2 : 1e-3);
  });

  // Both have the same rounded weights, but llama.cpp also rounds the other factor to their type.
  it.each([
    ['F16', 2 ** -11],
    ['BF16', 2 ** -8],
    ['Q8_0', 1 / 127],
  ] as const)('is computed by llama.cpp as here in %s, except for the rounding of activations', async (dtype, step) => {
    const model = livelyModel(tinyConfig('qwen2'), 3);
    const from = writeTinyFolder(mkdtempSync(join(folder, dtype)), model);
    disposeModel(model);
    const { most, largest } = await compare(from, dtype);
    console.info(`${dtype}: logits up to ${largest.toFixed(1)}, largest difference ${most.toExponential(1)}`);
    expect(most).toBeLessThan(8 * step * largest);
  });

  it("has tokens of SentencePiece's kind in llama.cpp, too", async () => {
    const { special, tokenizers } = readFixture<ByteFallback>('byte-fallback.json');
    const { vocab } = tokenizers.llama.json.model;
    const pieces = Object.entries(vocab).sort(([, a], [, b]) => a - b);
    const kind = (piece: string, id: number) => (id === 0 ? 2 : id < 3 ? 3 : /^<0x..>$/.test(piece) ? 6 : 1);
    const fields: MetadataField[] = [
      ['tokenizer.ggml.model', 'string', 'llama'],
      ['tokenizer.ggml.tokens', 'string', pieces.map(([piece]) => piece)],
      ['tokenizer.ggml.token_type', 'i32', pieces.map(([piece], id) => kind(piece, id))],
      ['tokenizer.ggml.scores', 'f32', pieces.map((_, id) => -id)],
      ['tokenizer.ggml.unknown_token_id', 'u32', 0],
      ['tokenizer.ggml.bos_token_id', 'u32', 1],
      ['tokenizer.ggml.eos_token_id', 'u32', 2],
      ['tokenizer.ggml.add_bos_token', 'bool', false],
    ];
    const model = livelyModel(tinyConfig('llama', { vocab_size: pieces.length, eos_token_id: 2, bos_token_id: 1 }), 3);
    const from = writeTinyFolder(join(folder, 'pieces'), model, fields);
    disposeModel(model);
    const file = `${from}.gguf`;
    exportStudent(from, file, { format: 'gguf', dtype: 'F32' });
    const tokenizer = loadStudentTokenizer(file);
    const texts = [...special, ...[...generated(readFixture<GeneratedTexts>('tokenizers.json'))].slice(0, 500)];
    await withLlamaCpp(file, async (llama) => {
      for (const one of texts) expect(llama.tokenize(one), JSON.stringify(one)).toEqual(tokenizer.encode(one));
    });
  });

  it.skipIf(!llama2Tokenizer)('has the tokenizer of Llama 2 in llama.cpp, too', async () => {
    const from = join(folder, 'llama2');
    mkdirSync(from);
    copyCompanions(llama2Tokenizer!, from);
    const model = livelyModel(tinyConfig('llama', { vocab_size: 32000, eos_token_id: 2, bos_token_id: 1 }), 3);
    saveStudent(from, model);
    disposeModel(model);
    const file = `${from}.gguf`;
    exportStudent(from, file, { format: 'gguf', dtype: 'F32' });
    const ours = loadStudentTokenizer(from);
    const texts = [...generated(readFixture<GeneratedTexts>('tokenizers.json'))].slice(0, 500);
    await withLlamaCpp(file, async (llama) => {
      for (const one of texts) expect(llama.tokenize(one), JSON.stringify(one)).toEqual(ours.encode(one));
    });
  });

  it.skipIf(!qwenTokenizer)('has the tokenizer of Qwen2.5 in llama.cpp, too', async () => {
    const more = { vocab_size: 151936, hidden_size: 32, num_hidden_layers: 1, head_dim: 8, intermediate_size: 32 };
    const model = modelFrom(tinyConfig('qwen2', { ...more, eos_token_id: 151643 }), (_, shape) =>
      Float32Array.from({ length: shape.reduce((size, dimension) => size * dimension, 1) }, (_, i) => Math.sin(i)),
    );
    const from = join(folder, 'qwen');
    mkdirSync(from);
    copyCompanions(qwenTokenizer!, from);
    saveStudent(from, model);
    disposeModel(model);
    const { most, largest } = await compare(from, 'F32', 8);
    console.info(
      `Qwen2.5's vocabulary: logits up to ${largest.toFixed(1)}, largest difference ${most.toExponential(1)}`,
    );
    expect(most).toBeLessThan(1e-3);
  });
});
