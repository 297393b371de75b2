import { beforeAll, describe, expect, it } from 'vitest';
import { useBackend } from '../../src/kernels/backends';
import { backends } from './fixtures';
import { compareUpdates, type Logged, readUpdates } from './grpo-updates';

const { shared, cases } = readUpdates();

/** What both compute in float32, along different ways; clip shares may differ by a token at the edge of the range. */
const tolerances: Partial<Record<Logged, number>> = { clipLow: 0.013, clipHigh: 0.013 };

// Plain JavaScript would take minutes for nothing that the kernels' own tests do not show.
describe.each(backends.filter((backend) => backend !== 'cpu'))('on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(cases)(
    'an update equals that of GRPOTrainer.train(): $name',
    async (one) => {
      const { cosine, normRatio, pairs } = await compareUpdates(shared, one);
      expect(cosine).toBeGreaterThan(0.9995);
      expect(Math.abs(normRatio - 1)).toBeLessThan(1e-3);
      for (const [name, values] of Object.entries(pairs))
        for (const [ours, theirs] of values) {
          const most = tolerances[name as Logged] ?? 2e-4 * Math.max(1, Math.abs(theirs));
          expect(Math.abs((ours ?? Number.NaN) - theirs), `${name}: ${ours}, TRL ${theirs}`).toBeLessThanOrEqual(most);
        }
    },
    60_000,
  );
});
