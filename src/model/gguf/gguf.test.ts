import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../errors';
import { useBackend } from '../../kernels/backends';
import { expectClose } from '../../kernels/testing/close';
import { loadStudentConfig, loadStudentTokenizer } from '../../student-files/folder';
import { configJson } from '../../student-files/gguf/config';
import { openGguf } from '../../student-files/gguf/file';
import { interleave, separate } from '../../student-files/gguf/names';
import { tokenizerFiles } from '../../student-files/gguf/tokenizer';
import { type MetadataField, writeGguf } from '../../student-files/gguf/write';
import { parameterShapes } from '../../student-files/parameters';
import { type PromptSettings, promptStyle } from '../../student-files/prompting';
import { ggufStudents } from '../../student-files/testing/tiny';
import { makeTokenizer } from '../../student-files/tokenizer';
import { exportStudent } from '../export';
import { type LoadedStudent, loadStudent } from '../hf-folder';
import { livelyModel } from '../testing/naive';
import { disposeModel } from '../transformer';
import { llama3, metadata, tinyConfig, tokens, vocabulary, writeTinyFolder } from './testing/tiny';

const folder = fs.mkdtempSync(join(tmpdir(), 'distillery-gguf-'));
const at = (name: string) => join(folder, name);
beforeAll(() => useBackend('cpu'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

function tiny(...[type, more]: Parameters<typeof tinyConfig>): LoadedStudent {
  const { tokenizer, tokenizerConfig, eosIds } = tokenizerFiles(metadata(vocabulary()), 'x.gguf');
  return {
    model: livelyModel(tinyConfig(type, more), 5),
    tokenizer: makeTokenizer(tokenizer, tokenizerConfig, eosIds),
  };
}

const tinyFolder = (name: string, { model }: LoadedStudent) => writeTinyFolder(at(name), model);

describe('a student', () => {
  it.each([
    ...ggufStudents,
    ['llama', llama3],
    ['llama', { rope_scaling: { rope_type: 'linear', factor: 2 } }],
    ['qwen2', { rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 } }],
  ] as const)('%s %o is the same after a round trip through GGUF', (type, more) => {
    const student = tiny(type, more);
    const from = tinyFolder(`there-${type}-${Object.keys(more).length}`, student);
    const file = at(`${type}.gguf`);
    exportStudent(from, file, { format: 'gguf', dtype: 'F32', force: true });
    const back = loadStudent(file);
    const same = [...parameterShapes(student.model.config).keys()];
    expect([...back.model.parameters.keys()]).toEqual(same);
    for (const name of same) {
      const [read, written] = [back, student].map(({ model }) => model.parameters.get(name)!.dataSync());
      // GGUF has the factors of norms, which take a bit more than what Gemma has of them.
      if (student.model.config.normOffset === 0) expect(read, name).toEqual(written);
      else expectClose(read, written, 1e-6);
    }
    const { json: _, ...config } = back.model.config;
    const { json: __, ...wanted } = student.model.config;
    expect(config).toEqual({ ...wanted, bosId: null, padId: 259 });
    const text = 'the cat, the 12 dogs<|im_end|>\n é 日';
    expect(back.tokenizer.encode(text)).toEqual(student.tokenizer.encode(text));
    expect(back.tokenizer.eosIds).toEqual([259]);
    expect(loadStudentConfig(file)).toEqual(back.model.config);
    expect(loadStudentTokenizer(file).vocabSize).toBe(261);
    for (const { model } of [student, back]) disposeModel(model);
  });

  it.each([
    ['F16', 2 ** -11],
    ['BF16', 2 ** -8],
    ['Q8_0', 1 / 127],
  ] as const)('is close to the original as %s', (dtype, step) => {
    const student = tiny('qwen2');
    const from = tinyFolder('near', student);
    exportStudent(from, at('near.gguf'), { format: 'gguf', dtype, force: true });
    const back = loadStudent(at('near.gguf'));
    for (const [name, tensor] of student.model.parameters) {
      const [wanted, found] = [tensor, back.model.parameters.get(name)!].map((one) => [...one.dataSync<'float32'>()]);
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const allowed = tensor.shape.length === 1 ? 0 : step * largest;
      const error = wanted.reduce((most, value, i) => Math.max(most, Math.abs(found[i] - value)), 0);
      expect(error, name).toBeLessThanOrEqual(allowed);
    }
    for (const { model } of [student, back]) disposeModel(model);
  });

  it('goes into a Hugging Face folder, from a folder that holds a GGUF file and nothing else', () => {
    const student = tiny('llama');
    const from = tinyFolder('plain', student);
    fs.mkdirSync(at('holds'), { recursive: true });
    exportStudent(from, join(at('holds'), 'model.gguf'), { format: 'gguf', dtype: 'F32' });
    const { files, parameters } = exportStudent(at('holds'), at('out'), { format: 'hf', dtype: 'BF16' });
    const names = [
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ];
    expect(files.map(({ name }) => name).sort()).toEqual(names);
    expect(fs.readdirSync(at('out')).sort()).toEqual(names);
    expect(files.find(({ name }) => name === 'model.safetensors')!.bytes).toBeGreaterThan(2 * parameters);
    disposeModel(loadStudent(at('out')).model);
    disposeModel(student.model);
    fs.writeFileSync(join(at('holds'), 'other.gguf'), '');
    expect(() => loadStudent(at('holds'))).toThrow('2 GGUF files');
  });

  it('ends its texts with its own end token, whatever its base used', () => {
    const student = tiny('qwen2');
    const from = tinyFolder('chatting', student);
    const edit = (name: string, changes: object) => {
      const file = join(from, name);
      const before = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
      fs.writeFileSync(file, JSON.stringify({ ...before, ...changes }));
    };
    edit('config.json', { eos_token_id: 259 });
    edit('generation_config.json', { eos_token_id: 259, temperature: 0.6 });
    edit('tokenizer_config.json', {
      chat_template: "{% for message in messages %}{{ message.content + '<|im_end|>' }}{% endfor %}",
    });
    const exported = (name: string, format: 'hf' | 'gguf', prompts?: PromptSettings) => {
      exportStudent(from, at(name), { format, dtype: 'F32', prompts });
      return loadStudentTokenizer(at(name));
    };
    expect(exported('as-base', 'hf').eosIds).toEqual([259]);
    expect(exported('as-base.gguf', 'gguf').eosIds).toEqual([259]);
    const chatting = exported('as-chat', 'hf', { prompt: 'chat' });
    expect(new Set(chatting.eosIds)).toEqual(new Set([259, 260]));
    expect(promptStyle(chatting, {})).toBe('chat');
    const generation = JSON.parse(fs.readFileSync(join(at('as-chat'), 'generation_config.json'), 'utf8'));
    expect(generation).toEqual({ eos_token_id: [260, 259], temperature: 0.6 });
    expect(exported('as-chat.gguf', 'gguf', { prompt: 'chat' })).toMatchObject({ eosId: 260, eosIds: [260, 259] });
    disposeModel(student.model);
  });

  it('overwrites neither existing files nor its source unless requested', () => {
    const student = tiny('qwen2');
    const from = tinyFolder('kept', student);
    const to = at('kept.gguf');
    const write = (path: string, options = {}) =>
      exportStudent(from, path, { format: 'gguf', dtype: 'F32', student, ...options });
    write(to);
    const written = fs.statSync(to).mtimeMs;
    expect(() => write(to)).toThrow('the target already exists');
    expect(fs.statSync(to).mtimeMs).toBe(written);
    write(to, { force: true });
    expect(() => write(from, { format: 'hf', force: true })).toThrow('the student itself');
    expect(() => write(folder, { force: true })).toThrow('a folder, not a file');
    expect(() => write(to, { format: 'hf', force: true })).toThrow('a file, not a folder');
    expect(() => write(at('q'), { format: 'hf', dtype: 'Q8_0' })).toThrow('cannot store q8_0');
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
    // Forced over another student, nothing of that one stays to confuse a reader.
    fs.mkdirSync(at('other'), { recursive: true });
    for (const name of [
      'model.safetensors.index.json',
      'model-00001-of-00002.safetensors',
      'adapter_config.json',
      'notes.md',
    ])
      fs.writeFileSync(join(at('other'), name), '{}');
    write(at('other'), { format: 'hf', force: true });
    expect(fs.readdirSync(at('other')).filter((name) => /index|00001|adapter|notes/.test(name))).toEqual(['notes.md']);
    disposeModel(loadStudent(at('other')).model);
    disposeModel(student.model);
  });

  it('reports that llama.cpp has no name for its tokenizer', () => {
    const student = tiny('qwen2');
    const from = tinyFolder('own', student);
    const file = join(from, 'tokenizer.json');
    const json = JSON.parse(fs.readFileSync(file, 'utf8'));
    json.pre_tokenizer.pretokenizers[0].pattern.Regex = '\\w+';
    fs.writeFileSync(file, JSON.stringify(json));
    expect(() => exportStudent(from, at('own.gguf'), { format: 'gguf', dtype: 'F32', student })).toThrow(
      'which llama.cpp does not support',
    );
    disposeModel(student.model);
  });
});

it('puts rotary rows into the order of llama.cpp and back', () => {
  const rows = Float32Array.from({ length: 16 }, (_, i) => i); // 2 heads of 4 rows of 2
  expect([...interleave(rows, 8, 2)]).toEqual([0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]);
  expect(separate(interleave(rows, 8, 2), 8, 2)).toEqual(rows);
});

describe('the architecture', () => {
  const facts = (...more: MetadataField[]) => ({
    metadata: metadata([
      ['general.architecture', 'string', 'llama'],
      ['llama.attention.head_count', 'u32', 2],
      ['llama.embedding_length', 'u32', 8],
      ['llama.block_count', 'u32', 1],
      ['llama.context_length', 'u32', 64],
      ['llama.feed_forward_length', 'u32', 16],
      ['llama.attention.layer_norm_rms_epsilon', 'f32', 1e-5],
      ...more,
    ]),
    tensors: new Map([['token_embd.weight', { shape: [10, 8] }]]),
    readFloats: () => new Float32Array(0),
    file: 'x.gguf',
  });

  it('has YaRN from its context length, unless it names another', () => {
    const yarn: MetadataField[] = [
      ['llama.rope.scaling.type', 'string', 'yarn'],
      ['llama.rope.scaling.factor', 'f32', 4],
    ];
    const original = (...more: MetadataField[]) => configJson(facts(...yarn, ...more)).rope_scaling;
    expect(original()).toMatchObject({ original_max_position_embeddings: 64 });
    const named: MetadataField = ['llama.rope.scaling.original_context_length', 'u32', 16];
    expect(original(named)).toMatchObject({ original_max_position_embeddings: 16 });
  });

  it('is that of a model that is supported here; each refusal has its own remedy', () => {
    const refusal =
      (...more: MetadataField[]) =>
      () =>
        configJson(facts(...more));
    const withRemedy = (remedy: RegExp) => expect.objectContaining({ remedy: expect.stringMatching(remedy) });
    expect(refusal(['general.type', 'string', 'adapter'])).toThrow(withRemedy(/llama-export-lora/));
    expect(refusal(['general.type', 'string', 'mmproj'])).toThrow(withRemedy(/the model's own file/));
    expect(refusal(['general.architecture', 'string', 'olmo2'])).toThrow(withRemedy(/engine install/));
    const biased = { ...facts(), tensors: new Map(facts().tensors).set('blk.0.attn_q.bias', { shape: [8] }) };
    expect(() => configJson(biased)).toThrow(withRemedy(/^The Hugging Face folder .*engine install/));
  });

  it('is not in one part of several', () => {
    const part = facts(['split.no', 'u32', 1], ['split.count', 'u32', 3]);
    expect(() => configJson(part)).toThrow('is part 2 of 3 of a model');
  });
});

describe('a tokenizer', () => {
  it.each([
    ['of another kind', ['tokenizer.ggml.model', 'string', 'bert'], 'of the kind "bert"'],
    ['with no scores', ['tokenizer.ggml.model', 'string', 'llama'], 'has no tokenizer.ggml.scores'],
    ['cut in an unknown way', ['tokenizer.ggml.pre', 'string', 'chameleon'], 'uses the pre-tokenizer "chameleon"'],
    ['with merges of other tokens', ['tokenizer.ggml.merges', 'string', ['q qq']], 'the merge "q qq"'],
    ['with too few kinds', ['tokenizer.ggml.token_type', 'i32', [1]], 'not as many kinds'],
    ['with a token twice', ['tokenizer.ggml.tokens', 'string', [...tokens.slice(0, 261), 'he']], 'twice'],
    ['without tokens', ['tokenizer.ggml.tokens', 'string', []], 'no tokenizer.ggml.tokens'],
  ] as [string, MetadataField, string][])('%s is refused', (_, field, message) => {
    const kinds: MetadataField = ['tokenizer.ggml.token_type', 'i32', Array(262).fill(1)];
    const fields = [...vocabulary(), ...(field[0].endsWith('tokens') ? [kinds] : []), field];
    expect(() => tokenizerFiles(metadata(fields), 'x.gguf')).toThrow(message);
  });

  it('adds the beginning-of-text token if the file requires it', () => {
    const fields: MetadataField[] = [...vocabulary(), ['tokenizer.ggml.add_bos_token', 'bool', true]];
    const { tokenizer, tokenizerConfig, eosIds } = tokenizerFiles(metadata(fields), 'x.gguf');
    const made = makeTokenizer(tokenizer, tokenizerConfig, eosIds);
    expect(made.encodePrompt(' the')).toEqual([259, 258]);
    expect(made.eosIds).toEqual([259, 260]);
  });
});

describe('a damaged file', () => {
  const file = at('seed.gguf');
  let bytes: Buffer;
  beforeAll(() => {
    const values = () => new Float32Array(64).fill(1);
    writeGguf(
      file,
      [
        ['general.architecture', 'string', 'qwen2'],
        ['a.list', 'f32', [1, 2]],
        ['a.flag', 'bool', true],
      ],
      [
        { name: 'a', type: 'F32', shape: [2, 32], values },
        { name: 'b', type: 'Q8_0', shape: [2, 32], values },
      ],
    );
    bytes = fs.readFileSync(file);
  });
  /** The message about the file with some bytes replaced. */
  function about(change: (copy: Buffer) => Buffer | undefined): string {
    const copy = Buffer.from(bytes);
    fs.writeFileSync(at('bad.gguf'), change(copy) ?? copy);
    try {
      openGguf(at('bad.gguf')).close();
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
    return 'read';
  }
  const place = (text: string) => bytes.indexOf(text) + text.length;
  const u64 = (copy: Buffer, at: number, value: bigint) => void copy.writeBigUInt64LE(value, at);

  it.each([
    ['nothing of it', () => Buffer.alloc(0), 'too few'],
    ['another magic', (c) => void c.write('GGML'), 'does not begin with GGUF'],
    ['version 1', (c) => void c.writeUInt32LE(1, 4), 'version 1'],
    ['big-endian', (c) => void c.writeUInt32BE(3, 4), 'big-endian'],
    ['2^60 tensors', (c) => u64(c, 8, 1n << 60n), 'tensors'],
    ['2^60 values', (c) => u64(c, 16, 1n << 60n), 'metadata values'],
    ['a huge key', (c) => u64(c, 24, 1n << 40n), 'the maximum is 1024'],
    ['a huge string', (c) => u64(c, place('general.architecture') + 4, 1n << 40n), 'the maximum is 4194304'],
    ['a huge array', (c) => u64(c, place('a.list') + 8, 1n << 40n), 'claims 1099511627776 items'],
    ['an unknown value type', (c) => void c.writeUInt32LE(77, place('a.flag')), 'unknown type'],
    ['an array of arrays', (c) => void c.writeUInt32LE(9, place('a.list') + 4), 'array of arrays'],
    ['a boolean of 2', (c) => void c.writeUInt8(2, place('a.flag') + 4), 'not true or false'],
    ['a key twice', (c) => void c.write('a.list', bytes.indexOf('a.flag')), 'twice'],
    ['a type of tensor not read', (c) => void c.writeUInt32LE(10, tensorAt() + 21), 'Q2_K'],
    ['an unknown type of tensor', (c) => void c.writeUInt32LE(777, tensorAt() + 21), 'number 777'],
    ['5 dimensions', (c) => void c.writeUInt32LE(5, tensorAt() + 1), '5 dimensions'],
    ['a shape beyond any file', (c) => u64(c, tensorAt() + 13, 1n << 62n), 'too large'],
    ['an empty dimension', (c) => u64(c, tensorAt() + 13, 0n), 'the shape'],
    ['an odd offset', (c) => u64(c, tensorAt() + 25, 1n), 'not at a multiple of 32'],
    ['an offset beyond the file', (c) => u64(c, tensorAt() + 25, 1n << 32n), 'cut off'],
    ['an overlap', (c) => u64(c, tensorAt('b') + 25, 32n), 'overlaps'],
    ['a cut', (c) => c.subarray(0, c.length - 64), 'cut off'],
    ['a cut header', (c) => c.subarray(0, 90), 'cut off inside its header'],
  ] as [string, (copy: Buffer) => Buffer | undefined, string][])('with %s is refused', (_, change, message) => {
    expect(about(change)).toContain(message);
  });
  /** Where a tensor is described, after the length of its name. */
  function tensorAt(tensor = 'a'): number {
    const name = Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(tensor), Buffer.from([2, 0, 0, 0])]);
    return bytes.indexOf(name) + 8;
  }

  it('has every tensor at its place', () => {
    const read = openGguf(file);
    expect([...read.readFloats('a')]).toEqual(Array(64).fill(1));
    for (const value of read.readFloats('b')) expect(value).toBeCloseTo(1, 3);
    expect(read.metadata.get('a.list')).toEqual([1, 2]);
    read.close();
  });

  it('fails only with a UserError, whatever bytes are changed, and uses no excessive memory', () => {
    const edit = fc.record({
      at: fc.nat(bytes.length - 1),
      with: fc.uint8Array({ minLength: 1, maxLength: 8 }),
      drop: fc.nat(8),
    });
    const start = process.memoryUsage().rss;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.option(fc.nat(bytes.length)), (edits, cut) => {
        let changed: Buffer = bytes;
        for (const { at, with: put, drop } of edits)
          changed = Buffer.concat([changed.subarray(0, at), put, changed.subarray(at + drop)]);
        fs.writeFileSync(at('fuzzed.gguf'), changed.subarray(0, cut ?? undefined));
        try {
          const read = openGguf(at('fuzzed.gguf'));
          for (const name of read.tensors.keys()) read.readFloats(name);
          tokenizerFiles(read.metadata, 'fuzzed.gguf');
          read.close();
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { seed: 7, numRuns: 1000 },
    );
    expect(process.memoryUsage().rss - start).toBeLessThan(256 << 20);
  });
});
