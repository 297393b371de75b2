import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { matMul, tidy } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peer } from '../../scripts/peers/peers';
import { python } from '../../scripts/peers/python';
import { useBackend } from '../../src/kernels/backends';
import { exportStudent } from '../../src/model/export';
import { tinyConfig, writeTinyFolder } from '../../src/model/gguf/testing/tiny';
import { loadStudent } from '../../src/model/hf-folder';
import { livelyModel } from '../../src/model/testing/naive';
import { disposeModel, forward, headWeight, pack } from '../../src/model/transformer';
import { packageRoot } from '../../src/paths';
import { ggufStudents } from '../../src/student-files/testing/tiny';
import { prompts } from './prompts';

const interpreter = python(['torch', 'transformers']);
const smollm2 = interpreter && (await peer('smollm2'));
const folder = mkdtempSync(join(tmpdir(), 'distillery-transformers-'));
beforeAll(async () => void (await useBackend('embedded')));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Largest difference of a logit between transformers and us on an exported folder, whose tokens must be the same, too.
 */
function compare(exported: string, texts: readonly string[]): number {
  const out = join(folder, 'logits');
  const script = join(packageRoot(), 'scripts', 'peers', 'transformers_logits.py');
  const printed = execFileSync(interpreter!, [script, exported, out, ...texts], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const bytes = readFileSync(out);
  const theirs = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const { model, tokenizer } = loadStudent(exported);
  const ids = texts.map((text) => tokenizer.encode(text));
  expect(JSON.parse(printed.trim().split('\n').at(-1)!)).toEqual(ids);
  const ours = tidy(() => matMul(forward(model, pack(ids)), headWeight(model), false, true).dataSync<'float32'>());
  disposeModel(model);
  expect(ours.length).toBe(theirs.length);
  return ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
}

describe.skipIf(!interpreter)('transformers', () => {
  it.skipIf(!smollm2)('loads SmolLM2-135M-Instruct as it is exported from GGUF, and has our logits to 1e-3', () => {
    const { path } = exportStudent(smollm2!, join(folder, 'smollm2'), { format: 'hf', dtype: 'F32' });
    const most = compare(path, [...prompts.slice(0, 2), prompts[6], prompts[13]]);
    console.info(`SmolLM2-135M: largest difference of a logit ${most.toExponential(1)}`);
    expect(most).toBeLessThan(1e-3);
  });

  it.each(ggufStudents)('loads a %s %o that went through GGUF, and has our logits to 1e-3', (type, more) => {
    const model = livelyModel(tinyConfig(type, more), 3);
    const from = writeTinyFolder(join(folder, type), model);
    disposeModel(model);
    exportStudent(from, `${from}.gguf`, { format: 'gguf', dtype: 'F32' });
    const { path } = exportStudent(`${from}.gguf`, `${from}-back`, { format: 'hf', dtype: 'F32' });
    expect(compare(path, ['The 12 cats', 'of the 日本'])).toBeLessThan(1e-3);
  });
});
