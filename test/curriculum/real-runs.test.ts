import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { openStudent } from '../../src/curriculum/evaluation/students';
import { startEngine } from '../../src/engine/engines';
import type { Case } from '../../src/extension/cases/case';
import { readCase } from '../../src/extension/cases/case';
import { decide, markRead, markStep, note, pick, propose, saveEdited } from '../../src/extension/cases/decide';
import { CaseReader } from '../../src/extension/chain-diff/case-reader';
import { RunCache } from '../../src/extension/workspace/run-cache';
import { doRewrite } from '../../src/host/work';
import { readDecisions } from '../../src/runs/decisions';
import { checkpointsFolder } from '../../src/runs/layout';
import * as reading from '../../src/runs/reading';
import * as records from '../../src/runs/records';
import { missingFor } from '../../webview/chain-diff/overlays';
import { makeRealRuns, type RealRuns } from './real-runs';

let made: RealRuns;
beforeAll(async () => {
  made = await makeRealRuns();
}, 600_000);
afterAll(() => made && rmSync(made.scratch, { recursive: true, force: true }));

/** Paths of the optional fields below a schema. */
function optionalFields(schema: z.core.$ZodType, path: string): string[] {
  if (schema instanceof z.ZodOptional) return [path, ...optionalFields(schema.unwrap(), path)];
  if (schema instanceof z.ZodNullable) return optionalFields(schema.unwrap(), path);
  if (schema instanceof z.ZodArray) return optionalFields(schema.element, `${path}[]`);
  if (schema instanceof z.ZodRecord) return optionalFields(schema.valueType, `${path}{}`);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => optionalFields(option, path));
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, inner]) =>
    optionalFields(inner as z.core.$ZodType, `${path}.${key}`),
  );
}

/**
 * Every path below a value that is set, written as above: list items as `[]`, and what a record's keys name as `{}`.
 */
function setFields(value: unknown, path: string, set = new Set<string>()): Set<string> {
  set.add(path);
  if (Array.isArray(value)) for (const item of value) setFields(item, `${path}[]`, set);
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      setFields(inner, `${path}.${key}`, set);
      setFields(inner, `${path}{}`, set);
    }
  return set;
}

/** What a person decides about the cases of a run, through the functions that the editor's commands call. */
async function decideSomething(run: string): Promise<void> {
  const cache = new RunCache();
  const seen = (problemId: string): Case => readCase(cache, { run, problemId });
  const [{ problemId, question, answer, teacherChain }] = reading.readFailures(run);
  pick(run, [{ problemId, question }], true);
  decide(seen(problemId), seen(problemId).rewrites.find(({ provenance }) => provenance.from === 'run')!, 'rejected');
  const checkpoint = join(checkpointsFolder(run), reading.openRun(run).record.checkpoints.at(-1)!.name);
  const engine = await startEngine('auto');
  const { student, tokenizer } = await openStudent(engine, checkpoint, {});
  const asked = { checkpoint, question, answer, teacherChain: teacherChain!, samples: 2 };
  const bench = { student, tokenizer, signal: new AbortController().signal, progress: () => {} };
  const { candidates } = await doRewrite(asked, bench);
  await engine.close();
  const provenance = { from: 'request' as const, checkpoint };
  propose(
    seen(problemId),
    candidates.map(({ text, length, reward, parts }) => ({ text, tokens: length, reward, parts, provenance })),
  );
  saveEdited(seen(problemId), `Step 1: it is ${answer}\nAnswer: ${answer}`);
  saveEdited(seen(problemId), `Answer: ${answer}`);
  markStep(seen(problemId), seen(problemId).shown!, 0);
  expect(seen(problemId).fault).toMatchObject({ step: 0, by: 'person' });
  markStep(seen(problemId), seen(problemId).shown!, null);
  note(seen(problemId), 'to be looked at again');
  markRead(seen(problemId), true);
}

describe('records', () => {
  it('every optional field of every record is set by some real run', async () => {
    await decideSomething(made.whole);
    const runs = [made.whole, made.continued, made.cancelled, made.imported, ...made.foreign];
    const all: Record<string, unknown[]> = {
      runRecordSchema: runs.map((run) => reading.openRun(run).record),
      stageRowSchema: runs.flatMap((run) => reading.readSummary(run)),
      metricsRecordSchema: runs.flatMap((run) => reading.readMetrics(run)),
      validationRecordSchema: runs.flatMap((run) => reading.readValidation(run)),
      rolloutRecordSchema: runs.flatMap((run) =>
        reading.rolloutSteps(run).flatMap(({ stage, step }) => reading.readRollouts(run, stage, step)),
      ),
      failureRecordSchema: runs.flatMap((run) => reading.readFailures(run)),
      rewriteRecordSchema: runs.flatMap((run) => reading.readRewrites(run)),
      decisionRecordSchema: runs.flatMap((run) => readDecisions(run)),
      evaluationRecordSchema: runs.flatMap((run) =>
        reading.evaluationNames(run).flatMap((name) => reading.readEvaluation(run, name)),
      ),
      checkpointStateSchema: runs.flatMap((run) =>
        reading.openRun(run).record.checkpoints.flatMap(({ name }) => {
          const file = join(checkpointsFolder(run), name, 'state.json');
          return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8'))] : [];
        }),
      ),
    };
    // Parts of other records, whose fields are looked for there.
    const parts = ['stageSchema', 'checkpointEntrySchema', 'updateMetricsSchema', 'answerSchema'];
    const schemas = Object.entries(records).filter(([name]) => name.endsWith('Schema') && !parts.includes(name));
    expect(Object.keys(all).sort()).toEqual(schemas.map(([name]) => name).sort());
    const unset = schemas.flatMap(([name, schema]) => {
      expect(all[name].length, name).toBeGreaterThan(0);
      const set = new Set(all[name].flatMap((record) => [...setFields(record, name)]));
      return optionalFields(schema as z.core.$ZodType, name).filter((field) => !set.has(field));
    });
    // It is in run.json only while a checkpoint is written or removed (src/runs/writer.test.ts).
    // Only a run on a Tinker server has spent something (test/engines/tinker.test.ts).
    const spent = ['', '.money', '.unpriced'].map((field) => `runRecordSchema.spent${field}`);
    expect(unset).toEqual(['runRecordSchema.pending', ...spent]);
  });
});

describe('the chain diff', () => {
  const overlays = ['logProb', 'refLogProb', 'entropy', 'kl', 'advantage'] as const;
  /** The first problem that was answered at such a moment, at that moment. */
  async function caseAt(run: string, at: RegExp) {
    const reader = new CaseReader(run, 'a run');
    await reader.refresh();
    for (const problemId of reader.problems()) {
      const { view } = await reader.read({ run, problemId });
      const moment = view.moments.find(({ key }) => at.test(key));
      if (moment) return { moment, ...(await reader.read({ run, problemId, moment: moment.key })) };
    }
    throw new Error(`nothing at ${at}`);
  }
  /** Why each overlay has nothing to show in a column. */
  async function lacking(run: string, at: RegExp, of: 'student' | 'teacher' = 'student') {
    const { view } = await caseAt(run, at);
    return overlays.map((overlay) => missingFor(view[of]!, overlay));
  }

  it('has something to show in every overlay where the settings have it', async () => {
    expect(await lacking(made.whole, /rollouts\/complete/)).toEqual([null, null, null, null, null]);
  });

  it('explains why an overlay has no values', async () => {
    const beta = 'there is no reference policy because beta is 0';
    expect(await lacking(made.whole, /rollouts\/rewrite/)).toEqual([null, beta, null, beta, null]);
    const off = 'the setting tokenMeasures is off';
    expect(await lacking(made.continued, /rollouts\/complete/)).toEqual([null, off, off, off, null]);
    const every = (why: string) => Array<string>(5).fill(why);
    expect(await lacking(made.whole, /evaluations/)).toEqual(every('test answers are recorded as text only'));
    expect(await lacking(made.imported, /failures/)).toEqual(every('the records were imported as text'));
    expect(await lacking(made.whole, /failures/, 'teacher')).toEqual(
      every('the student did not sample the teacher’s chain'),
    );
  });

  it('shows the masks of a prompt, and calls the start of a continued run by its checkpoint', async () => {
    const prompts = reading
      .rolloutSteps(made.whole)
      .filter(({ stage }) => stage === 'complete')
      .flatMap(({ stage, step }) => reading.readRollouts(made.whole, stage, step));
    expect(prompts.some(({ prompt }) => prompt.includes('[MASK]'))).toBe(true);
    const { checkpoint } = reading.readSummary(made.whole).find(({ stage }) => stage === 'complete')!;
    const { moment } = await caseAt(made.continued, /evaluations\/base/);
    expect(moment).toMatchObject({ stage: `Start: ${checkpoint}`, label: `test of ${checkpoint}` });
  });
});
