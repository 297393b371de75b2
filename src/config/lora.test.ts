import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkExperiment } from './check';
import type { ExperimentInput } from './experiment';
import { loadExperiment, resolveExperiment } from './load';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
  mkdirSync(join(folder, 'student'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const smol = { hidden_size: 576, num_hidden_layers: 30, num_attention_heads: 9, num_key_value_heads: 3 };
const sizes = (changes: object = {}) => ({ ...smol, intermediate_size: 1536, vocab_size: 49152, ...changes });
const student = (config: object) => writeFileSync(join(folder, 'student', 'config.json'), JSON.stringify(config));

function experiment(
  lora?: ExperimentInput['student']['lora'],
  stages: ExperimentInput['stages'] = {},
): ExperimentInput {
  const data = { format: 'arithmetic', seed: 7, count: 900 } as const;
  return { name: 'x', student: { path: 'student', lora }, data: { train: data, test: data }, stages };
}
const resolved = (...of: Parameters<typeof experiment>) => resolveExperiment(experiment(...of), folder);

it('"auto" is an adapter for students of 50 million parameters or more', () => {
  student(sizes());
  const big = resolved();
  expect(big.student.lora).toEqual({
    rank: 16,
    alpha: 32,
    dropout: 0,
    targets: ['q', 'k', 'v', 'o', 'gate', 'up', 'down'],
  });
  expect(resolveExperiment(JSON.parse(JSON.stringify(big)), '/elsewhere')).toEqual(big);
  student(sizes({ hidden_size: 128, num_hidden_layers: 3, num_attention_heads: 4, vocab_size: 640 }));
  expect(resolved().student.lora).toBe(false);
  expect(resolved({ rank: 4 }).student.lora).toMatchObject({ rank: 4, alpha: 32 });
});

it('recognizes adapter folders and other weight formats by their files', () => {
  writeFileSync(join(folder, 'student', 'model.gguf'), 'x');
  expect(resolved().student.lora).toBe(false);
  writeFileSync(join(folder, 'student', 'adapter_model.safetensors'), 'x');
  expect(resolved().student.lora).toMatchObject({ rank: 16 });
});

it('an adapter has larger learning rates, where none is given', () => {
  student(sizes());
  const rateOf = (stage: { learningRate: number } | false) => (stage ? stage.learningRate : null);
  const rates = ({ stages: { reconstruct, complete, rewrite } }: ReturnType<typeof resolved>) => [
    rateOf(reconstruct),
    rateOf(complete),
    rateOf(rewrite ? rewrite.internalise : false),
  ];
  expect(rates(resolved())).toEqual([3e-4, 1e-5, 3e-4]);
  expect(rates(resolved(false))).toEqual([1e-5, 1e-6, 1e-5]);
  expect(rates(resolved('auto', { complete: { learningRate: 5e-5 } }))).toEqual([3e-4, 5e-5, 3e-4]);
});

it('reports errors with their place', () => {
  const problems = (lora: unknown) =>
    checkExperiment(JSON.stringify(experiment(lora as never))).issues.map(({ message, remedy }) =>
      `${message} ${remedy ?? ''}`.trim(),
    );
  expect(problems({ r: 4 })).toEqual(['Unknown setting "r" in student.lora. Did you mean "rank"?']);
  expect(problems({ targets: ['q', 'gate_proj'] })[0]).toMatch(
    /^student.lora.targets\[1\] must be .* not "gate_proj". Did you mean "gate"\?$/,
  );
  expect(problems({ targets: [] })[0]).toMatch(/student.lora.targets must be a list with at least one name/);
  expect(problems({ rank: 0 })[0]).toMatch(/student.lora.rank must be a whole number from 1 to 4096, not 0/);
  expect(problems('atuo')[0]).toMatch(/student.lora must be "auto", or false, or an object in \{ \}, not "atuo"/);
});

it('warns about a rank that is larger than every layer', () => {
  student(sizes());
  const file = join(folder, 'x.distillery.json');
  const warnings = (lora: ExperimentInput['student']['lora']) => {
    writeFileSync(file, JSON.stringify({ ...experiment(lora) }));
    return loadExperiment(file).warnings.map(({ message }) => message);
  };
  expect(warnings({ rank: 256 })).toEqual([
    'Rank 256 is more than the 192 that the student\'s "k" layers have: a larger rank has no effect.',
  ]);
  expect(warnings({ rank: 256, targets: ['q', 'up'] })).toEqual([]);
});
