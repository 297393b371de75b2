/**
 * A stand-in for training, to be killed at any moment: resumes the run in the given folder (or starts one) and
 * records updates and checkpoints, all a pure function of the step. Usage: tsx train-until-killed.ts <runs folder>
 * <updates>
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { uniform } from '../../src/random';
import { latestCheckpoint, listRuns, openRun } from '../../src/runs/reading';
import { newRollout } from '../../src/runs/testing/rollout';
import { createRun, openForWriting } from '../../src/runs/writer';

const [root, updates] = [process.argv[2], Number(process.argv[3])];
const clock = () => new Date('2026-02-05T14:03:09.123Z');

async function train(): Promise<void> {
  const [listed] = listRuns(root).filter((entry) => 'run' in entry);
  const run = listed ? openForWriting(listed.folder, clock) : createRun(root, 'killed', {}, clock);
  const found = latestCheckpoint(openRun(run.folder));
  run.rollBack(found?.entry ?? null);
  run.update({ state: 'running' });
  for (let step = (found?.entry.step ?? 0) + 1; step <= updates; step++) {
    const logProbs = Array.from({ length: 200 }, (_, i) => -uniform(1, step, i));
    const tokens = { tokens: logProbs.map((_, i) => i), tokenTexts: logProbs.map(String), logProbs };
    run.rollouts('complete', step, [newRollout({ prompt: 'x'.repeat(1000), ...tokens })]);
    run.metrics({ stage: 'complete', step, loss: uniform(1, step) });
    if (step % 3 === 0)
      await run.checkpoint({ stage: 'complete', step, state: { cursor: step } }, (folder) => {
        for (const name of ['model.safetensors', 'optimizer.safetensors'])
          writeFileSync(join(folder, name), `${name} ${step} `.repeat(20_000));
      });
  }
  run.close({ state: 'finished' });
}

process.stdout.write('begun\n');
train().then(() => process.stdout.write('done\n'));
