import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { resolveExperiment } from '../config/load';
import { testedBackend } from '../kernels/testing/backends';
import { packageRoot } from '../paths';
import * as records from '../runs/records';
import { startRun } from './session';

const folder = mkdtempSync(join(tmpdir(), 'distillery-records-'));
let run = '';
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);

/** The built-in student goes through everything, a few updates each: unlike a random one it is right now and then, and slips now and then. */
beforeAll(async () => {
  const supervised = { updates: 1, batch: 2, learningRate: 1e-4 };
  const grpo = {
    updates: 2,
    prompts: 3,
    group: 4,
    maxNewTokens: 240,
    learningRate: 1e-4,
    sampling: { temperature: 0.9 },
  };
  const data = { format: 'arithmetic', operations: [3, 4] as [number, number], maxValue: 60 } as const;
  const experiment = resolveExperiment(
    {
      name: 'records',
      backend: testedBackend,
      student: { path: join(packageRoot(), 'examples/arithmetic/student') },
      data: { train: { ...data, seed: 3, count: 16 }, test: { ...data, seed: 4, count: 4 }, validation: 4 },
      stages: {
        reconstruct: supervised,
        complete: { ...grpo, clipLow: 1e-4, clipHigh: 1e-4, iterations: 2 },
        rewrite: { ...grpo, internalise: supervised, failures: { samples: 2, maxCorrect: 2 } },
      },
      baselines: { sft: supervised },
      evaluation: { maxNewTokens: 240, every: 1 },
    },
    folder,
  );
  const quiet = { notify: () => {}, signal: new AbortController().signal };
  run = (await startRun(experiment, join(folder, 'runs'), quiet)).folder;
}, 240_000);

/** The optional fields of a schema, as paths: `checkpoints[].keep`. */
function optionalFields(schema: unknown, path = ''): string[] {
  if (schema instanceof z.ZodOptional) return [path, ...optionalFields(schema.unwrap(), path)];
  if (schema instanceof z.ZodArray) return optionalFields(schema.element, `${path}[]`);
  if (!(schema instanceof z.ZodObject)) return [];
  const at = (name: string) => (path ? `${path}.${name}` : name);
  return Object.entries(schema.shape).flatMap(([name, field]) => optionalFields(field, at(name)));
}

/** The fields that a value has. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((element) => fieldsOf(element, `${path}[]`))];
  if (value === null || typeof value !== 'object') return [path];
  const at = (name: string) => (path ? `${path}.${name}` : name);
  return [path, ...Object.entries(value).flatMap(([name, field]) => fieldsOf(field, at(name)))];
}

const lines = (file: string) =>
  readFileSync(join(run, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const all = (below: string) =>
  readdirSync(join(run, below), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => lines(join(below, name)));

// Not of a run that goes well: why one ended otherwise, and what was counted in answers that were imported without a tokenizer.
const elsewhere = ['reason', 'unit', 'samples[].unit'];

it.each<[string, z.ZodType, () => unknown]>([
  ['run.json', records.runRecordSchema, () => JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))],
  ['summary.json', z.array(records.stageRowSchema), () => JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8'))],
  ['metrics.jsonl', z.array(records.metricsRecordSchema), () => lines('metrics.jsonl')],
  ['validation.jsonl', z.array(records.validationRecordSchema), () => lines('validation.jsonl')],
  ['rollouts', z.array(records.rolloutRecordSchema), () => all('rollouts')],
  ['failures.jsonl', z.array(records.failureRecordSchema), () => lines('failures.jsonl')],
  ['rewrites.jsonl', z.array(records.rewriteRecordSchema), () => lines('rewrites.jsonl')],
  ['evaluations', z.array(records.evaluationRecordSchema), () => all('evaluations')],
])('a run sets every optional field of %s', (_, schema, read) => {
  const written = new Set(fieldsOf(read()));
  const bare = (path: string) => path.replace(/^\[\]\.?/, '');
  const missing = optionalFields(schema).filter((path) => !written.has(path) && !elsewhere.includes(bare(path)));
  expect(missing).toEqual([]);
});
