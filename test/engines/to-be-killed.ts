/**
 * The experiment in which engine and host are killed: a tiny one of seconds, or, in the long form (`npm run
 * test:engines`), the built-in one with few updates and short answers.
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Experiment } from '../../src/config/experiment';
import { loadExperiment } from '../../src/config/load';
import { adjust } from '../../src/curriculum/adjust';
import { tinyExperiment } from '../../src/curriculum/testing/tiny';
import { packageRoot } from '../../src/paths';

export function experimentToBeKilled(workspace: string): Experiment {
  if (process.env.DISTILLERY_ENGINES !== '1') return tinyExperiment(workspace, { backend: 'torch' });
  const copy = join(workspace, 'arithmetic');
  const file = join(copy, 'arithmetic.distillery.json');
  if (!existsSync(copy)) {
    cpSync(join(packageRoot(), 'examples', 'arithmetic'), copy, { recursive: true });
    const text = readFileSync(file, 'utf8')
      .replace(/"updates": \d+/g, '"updates": 4')
      .replace(/"evaluateEvery": \d+/g, '"evaluateEvery": 2')
      .replace(/"maxNewTokens": \d+/g, '"maxNewTokens": 48');
    writeFileSync(file, text);
  }
  return adjust(loadExperiment(file, { quick: true }).experiment, { limit: 16, backend: 'torch' });
}
