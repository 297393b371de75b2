import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { keep, randomNormal } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loraTargets } from '../../src/config/lora';
import { useBackend } from '../../src/kernels/backends';
import { fingerprint } from '../../src/model/fingerprint';
import { tinyConfig, writeTinyFolder } from '../../src/model/gguf/testing/tiny';
import { loadStudent } from '../../src/model/hf-folder';
import { createAdapter } from '../../src/model/lora';
import { saveAdapter } from '../../src/model/lora-files';
import { livelyModel } from '../../src/model/testing/naive';
import { disposeModel } from '../../src/model/transformer';
import { type Distillery, openDistillery, outcome, tinyFile } from './distillery';

let distillery: Distillery;
const at = (...names: string[]) => join(distillery.folder, ...names);
beforeAll(async () => {
  distillery = await openDistillery();
  await useBackend('cpu');
  const model = livelyModel(tinyConfig('llama', { max_position_embeddings: 4096 }), 3);
  writeTinyFolder(at('llama'), model);
  disposeModel(model);
});
afterAll(() => distillery?.close());

interface Answers {
  prompt: string;
  answers: { text: string; tokens: number; finished: boolean }[];
}

describe('a student', () => {
  it('goes into a GGUF file and back into a folder, and answers alike everywhere', async () => {
    const exported = await distillery.run('export', 'llama', 'out/llama.gguf');
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    expect(exported.stdout).toMatch(/out\/llama\.gguf +0\.\d M parameters, f32, [\d.]+ kB/);
    const imported = await distillery.run('import', 'student', 'out/llama.gguf', 'back');
    expect(imported.code).toBe(0);
    expect(imported.stdout).toContain('distillery ask back "What is 12 * 7?"');
    const ask = (student: string) =>
      distillery.json<Answers>('ask', student, 'the cat', '--max-new-tokens', '12', '--backend', 'embedded');
    const [first, ...others] = [await ask('llama'), await ask('out/llama.gguf'), await ask('out'), await ask('back')];
    expect(first.prompt).toBe('Question: the cat\nSolution:\n');
    expect(first.answers).toHaveLength(1);
    for (const { prompt, answers } of others)
      expect({ prompt, answers }).toEqual({ prompt: first.prompt, answers: first.answers });
    const weights = (folder: string) => readFileSync(at(folder, 'model.safetensors'));
    expect(weights('back').equals(weights('llama'))).toBe(true);
  });

  it('goes out with its adapter merged, and answers as with it', async () => {
    await useBackend('cpu');
    const { model } = loadStudent(at('llama'));
    const settings = { rank: 3, alpha: 6, dropout: 0, targets: [...loraTargets] };
    model.adapter = createAdapter(
      model.config,
      settings,
      { path: at('llama'), fingerprint: fingerprint(model.parameters) },
      1,
    );
    for (const [name, { shape }] of model.adapter.parameters) {
      model.adapter.parameters.get(name)!.dispose();
      model.adapter.parameters.set(name, keep(randomNormal(shape as [number, number], 0, 0.4, 'float32', 5)));
    }
    mkdirSync(at('adapter'));
    saveAdapter(at('adapter'), model.adapter);
    disposeModel(model);
    const answer = async (student: string) =>
      (await distillery.json<Answers>('ask', student, 'the cat', '--max-new-tokens', '12', '--backend', 'embedded'))
        .answers;
    const adapted = await answer('adapter');
    expect(adapted).not.toEqual(await answer('llama'));
    for (const [format, out] of [
      ['hf', 'merged'],
      ['gguf', 'merged.gguf'],
    ]) {
      expect(await distillery.run('export', 'adapter', out, '--to', format)).toMatchObject({ code: 0, stderr: '' });
      expect(await answer(out)).toEqual(adapted);
    }
  });

  it.each([
    ['hf', 'f16', 2],
    ['hf', 'bf16', 2],
    ['gguf', 'f16', 2],
    ['gguf', 'q8_0', 34 / 32],
  ] as const)('takes the room that %s in %s needs', async (format, dtype, each) => {
    const out = `sized-${format}-${dtype}`;
    const result = await distillery.json<{ files: { name: string; bytes: number }[]; parameters: number }>(
      ...['export', 'llama', out, '--to', format, '--dtype', dtype],
    );
    const { bytes } = result.files.find(({ name }) => name === (format === 'hf' ? 'model.safetensors' : out))!;
    expect(bytes).toBe(statSync(format === 'hf' ? at(out, 'model.safetensors') : at(out)).size);
    expect(bytes).toBeGreaterThan(each * result.parameters);
    expect(bytes).toBeLessThan(each * result.parameters + 20_000);
  });

  it('does not overwrite anything, and is not read from a folder without one', async () => {
    distillery.write('kept/notes.md', 'mine');
    const refused = async (...args: string[]) => {
      const { code, stderr, stdout } = await distillery.run(...args);
      expect([code, stdout]).toEqual([2, '']);
      return stderr;
    };
    expect(await refused('export', 'llama', 'kept')).toContain('the target already exists');
    expect(await refused('export', 'llama', 'x', '--dtype', 'q8_0')).toContain('cannot store q8_0');
    expect(await refused('export', 'llama', 'x', '--dtype', 'q2')).toContain('Allowed choices');
    expect(await refused('export', 'nothing', 'x')).toContain('no such student');
    expect(await refused('ask', 'kept', 'Why?')).toContain('tokenizer.json');
    expect(await refused('ask', 'kept/notes.md', 'Why?')).toContain('this is not a student');
    expect(await refused('ask', 'llama', ' ')).toContain('<question> is empty');
    distillery.write('broken.gguf', 'GGUF, but not really');
    expect(await refused('ask', 'broken.gguf', 'Why?')).toContain('it is cut off');
    expect(existsSync(at('x'))).toBe(false);
    expect((await distillery.run('export', 'llama', 'kept', '--force')).code).toBe(0);
    expect(readFileSync(at('kept', 'notes.md'), 'utf8')).toBe('mine');
  });
});

describe('a damaged student', () => {
  it('is refused by every command with the name of the file, and reported by a preview', async () => {
    cpSync(at('llama'), at('damaged'), { recursive: true });
    truncateSync(at('damaged', 'model.safetensors'), 9000);
    distillery.write('damaged.distillery.json', { ...tinyFile(), student: { path: 'damaged' } });
    const commands = [
      ['ask', 'damaged', 'the cat'],
      ['evaluate', 'damaged', '--data', 'arithmetic'],
      ['export', 'damaged', 'out/damaged'],
      ['run', 'damaged.distillery.json'],
      ['preview', 'damaged.distillery.json'],
    ];
    const told = await Promise.all(commands.map((command) => distillery.run(...command)));
    expect(told.map(({ code }) => code)).toEqual([2, 2, 2, 2, 0]);
    for (const { stdout, stderr } of told)
      expect(`${stdout}${stderr}`).toMatch(/damaged\/model\.safetensors: .*cut off\n +The file is damaged/);
    expect(existsSync(at('out', 'damaged'))).toBe(false);
  });
});

describe('a question', () => {
  it('is answered by several samples, in the same way by the same seed', async () => {
    const ask = (seed: string) =>
      distillery.json<Answers>('ask', 'llama', 'the', '--samples', '3', '--seed', seed, '--max-new-tokens', '8');
    const [one, again, other] = [await ask('1'), await ask('1'), await ask('2')];
    expect(one.answers).toHaveLength(3);
    expect(again.answers).toEqual(one.answers);
    expect(other.answers).not.toEqual(one.answers);
  });

  it('is continued literally with --raw', async () => {
    const { prompt } = await distillery.json<Answers>('ask', 'llama', 'the cat', '--raw', '--max-new-tokens', '2');
    expect(prompt).toBe('the cat');
  });

  it('can be a line of standard input, each with an answer of its own', async () => {
    const child = spawn(process.execPath, [distillery.program, 'ask', 'llama', '--json', '--max-new-tokens', '4'], {
      cwd: distillery.folder,
    });
    child.stdin.end('the one\n\nthe other\n');
    const { code, stdout } = await outcome(child);
    expect(code).toBe(0);
    expect([...stdout.matchAll(/"question": "(.*)"/g)].map(([, question]) => question)).toEqual([
      'the one',
      'the other',
    ]);
  });

  it('ends on an interrupt with the partial answer', async () => {
    // Greedy, it repeats itself: no end token comes before the interrupt does.
    const child = distillery.start('ask', 'llama', 'the', '--max-new-tokens', '4000');
    const done = outcome(child);
    await once(child.stdout!, 'data');
    child.kill('SIGINT');
    const { code, stdout, stderr } = await done;
    expect([code, stderr]).toEqual([130, '']);
    expect(stdout.trim()).not.toBe('');
  });
});
