import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExperiment } from '../../src/config/load';
import { packageRoot } from '../../src/paths';
import { type Distillery, openDistillery } from './distillery';

let distillery: Distillery;
let file: string;
/** The example with rows in GSM8K's form, and a small student in the place of the one on the Hub. */
beforeAll(async () => {
  distillery = await openDistillery();
  cpSync(join(packageRoot(), 'examples', 'gsm8k-qwen2.5'), join(distillery.folder, 'gsm8k'), { recursive: true });
  const row = (_: unknown, i: number) =>
    `${JSON.stringify({ question: `A crate holds ${i} jars, and another one 5. How many jars is that?`, answer: `It is ${i} + 5 = <<${i}+5=${i + 5}>>${i + 5} jars.\n#### ${i + 5}` })}\n`;
  distillery.write('gsm8k/data/train.jsonl', Array.from({ length: 320 }, row).join(''));
  distillery.write('gsm8k/data/test.jsonl', Array.from({ length: 120 }, row).join(''));
  file = join(distillery.folder, 'gsm8k', 'gsm8k.distillery.json');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('"path": "Qwen/Qwen2.5-3B"');
  // An adapter of rank 16 would be more than the small student's layers have room for.
  const small = text.replace('"path": "Qwen/Qwen2.5-3B"', '"path": "../student"').replace('"rank": 16', '"rank": 8');
  writeFileSync(file, small);
});
afterAll(() => distillery?.close());

describe('examples/gsm8k-qwen2.5', () => {
  it.each([false, true])('is a valid experiment (quick: %s)', (quick) => {
    const { experiment, warnings } = loadExperiment(file, { quick });
    expect(experiment.stages.complete).toMatchObject({
      loss: 'dr_grpo',
      beta: 0.02,
      group: 8,
      prompts: quick ? 4 : 16,
    });
    expect(warnings).toEqual([expect.objectContaining({ path: ['student', 'path'] })]); // the stand-in is tiny
  });

  it('is explained by preview once the data is there', async () => {
    const { code, stdout, stderr } = await distillery.run('preview', 'gsm8k');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('A crate holds');
    expect(stdout).toContain('Stage 3');
  });
});
