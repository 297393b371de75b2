import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, expectTypeOf, it } from 'vitest';
import type * as z from 'zod';
import type { EngineMethod, fault, methods, progress } from '../src/engine/process/wire';
import { packageRoot } from '../src/paths';
import type * as schemas from '../src/runs/records';
import type * as engine from '../types/engine';
import type * as records from '../types/records';
import { packageTypeFiles } from './package-types';

const files = packageTypeFiles();

it.each(Object.keys(files))('types/%s is what the source says', (name) => {
  const written = readFileSync(join(packageRoot(), 'types', name), 'utf8');
  expect(written === files[name], 'Run `npx tsx scripts/generate-schemas.ts`.').toBe(true);
});

// By `npm run types`: the types that users get are those of the product's own schemas.
type Written<Name extends keyof typeof schemas> = z.input<(typeof schemas)[Name]>;
type Requests = {
  [M in EngineMethod]: {
    params: z.input<(typeof methods)[M]['params']>;
    result: z.input<(typeof methods)[M]['result']>;
  };
};

it('agrees with the schemas', () => {
  expectTypeOf<records.RunRecord>().toEqualTypeOf<Written<'runRecordSchema'>>();
  expectTypeOf<records.StageRow>().toEqualTypeOf<Written<'stageRowSchema'>>();
  expectTypeOf<records.MetricsRecord>().toEqualTypeOf<Written<'metricsRecordSchema'>>();
  expectTypeOf<records.ValidationRecord>().toEqualTypeOf<Written<'validationRecordSchema'>>();
  expectTypeOf<records.RolloutRecord>().toEqualTypeOf<Written<'rolloutRecordSchema'>>();
  expectTypeOf<records.FailureRecord>().toEqualTypeOf<Written<'failureRecordSchema'>>();
  expectTypeOf<records.RewriteRecord>().toEqualTypeOf<Written<'rewriteRecordSchema'>>();
  expectTypeOf<records.DecisionRecord>().toEqualTypeOf<Written<'decisionRecordSchema'>>();
  expectTypeOf<records.EvaluationRecord>().toEqualTypeOf<Written<'evaluationRecordSchema'>>();
  expectTypeOf<records.CheckpointState>().toEqualTypeOf<Written<'checkpointStateSchema'>>();
  expectTypeOf<engine.EngineRequests>().toEqualTypeOf<Requests>();
  expectTypeOf<engine.EngineProgress>().toEqualTypeOf<z.input<typeof progress>>();
  expectTypeOf<engine.EngineError>().toEqualTypeOf<z.input<typeof fault>>();
});
