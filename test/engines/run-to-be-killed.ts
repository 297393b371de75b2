/**
 * A run on the PyTorch engine, to be killed: tsx run-to-be-killed.ts <workspace>. Prints its progress, a line for each
 * update.
 */
import { join } from 'node:path';
import { startRun } from '../../src/curriculum/session';
import type { ProcessEngine } from '../../src/engine/process/engine';
import { experimentToBeKilled } from './to-be-killed';

const [workspace] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

startRun(experimentToBeKilled(workspace), join(workspace, 'runs'), {
  signal: new AbortController().signal,
  onStart: ({ folder }, engine) => say({ folder, engine: (engine as ProcessEngine).pid }),
  notify: (event) => event.type === 'update' && say({ update: event.metrics.step }),
}).then(() => say({ done: true }));
