import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExperimentInput } from '../config/experiment';
import { loadStudentConfig } from '../student-files/folder';
import { durationText, secondsFor } from './duration';
import { tinyExperiment, tinyWorkspace } from './testing/tiny';

let folder: string;
beforeAll(async () => {
  folder = await tinyWorkspace();
});
afterAll(() => rmSync(folder, { recursive: true }));

const work = { train: 100, test: 50, question: 80, chain: 120 };
const off = { reconstruct: false, complete: false, rewrite: false } as const;
const only = (stages: Partial<ExperimentInput['stages']>, changes: Partial<ExperimentInput> = {}) =>
  tinyExperiment(folder, { stages: { ...off, ...stages }, baselines: { sft: false }, ...changes });
const seconds = (experiment: ReturnType<typeof only>, more: object = {}) =>
  secondsFor(experiment, loadStudentConfig(experiment.student.path), { ...work, ...more }, 1e9);

it('grows with the work', () => {
  const tested = seconds(only({}));
  const trained = (updates: number) => seconds(only({ reconstruct: { updates, batch: 4 } })) - tested;
  const again = seconds(only({}), { test: 100 }) - tested; // a trained student is tested, too
  expect(tested).toBeGreaterThan(0);
  expect(trained(20) / trained(10)).toBeGreaterThan(1.3);
  expect(trained(10)).toBeGreaterThan(again / 4);
  const sampled = (group: number) => seconds(only({ complete: { updates: 5, prompts: 4, group } }));
  expect(sampled(8)).toBeGreaterThan(1.5 * (sampled(4) - tested));
  expect(seconds(only({}, { evaluation: { count: 10, maxNewTokens: 16 } }))).toBeLessThan(tested);
});

it('counts the thinking of a student that thinks first, up to its limit', () => {
  const tested = (maxNewTokens: number, own?: number) =>
    seconds(only({}, { evaluation: { maxNewTokens } }), own === undefined ? {} : { own });
  expect(tested(4096, 4096) / tested(4096)).toBeGreaterThan(5);
  expect(tested(240, 4096)).toBe(tested(240));
  const stage = { updates: 5, prompts: 4, group: 4, maxNewTokens: 2048 };
  const sampled = (stages: Parameters<typeof only>[0]) => seconds(only(stages), { own: 4096 });
  const base = sampled({});
  const after = sampled({ reconstruct: { updates: 1, batch: 4 }, complete: stage }) - base;
  expect((sampled({ complete: stage }) - base) / after).toBeGreaterThan(2); // nothing has taught it to be short
});

it('counts no gradients of weights that an adapter does not train', () => {
  const whole = only({ reconstruct: { updates: 50 } });
  const adapter = only({ reconstruct: { updates: 50 } }, { student: { path: 'student', lora: { rank: 4 } } });
  expect(seconds(adapter)).toBeLessThan(seconds(whole));
});

it('is written in round numbers', () => {
  const one = only({});
  expect(durationText(one, loadStudentConfig(one.student.path), work, 1e9)).toBe(
    'takes roughly a minute on this machine',
  );
  const long = durationText(one, loadStudentConfig(one.student.path), { ...work, test: 1e9 }, 1e9);
  expect(long).toMatch(/^takes roughly \d+ (h|days) on this machine$/);
});
