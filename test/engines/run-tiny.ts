/**
 * A run of the tiny experiment on the PyTorch engine, to be killed: tsx run-tiny.ts <workspace>. Says where it is, line
 * by line.
 */
import { join } from 'node:path';
import { startRun } from '../../src/curriculum/session';
import { tinyExperiment } from '../../src/curriculum/testing/tiny';
import type { ProcessEngine } from '../../src/engine/process/engine';

const [workspace] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

startRun(tinyExperiment(workspace, { backend: 'torch' }), join(workspace, 'runs'), {
  signal: new AbortController().signal,
  begun: ({ folder }, engine) => say({ folder, engine: (engine as ProcessEngine).pid }),
  notify: (event) => event.type === 'update' && say({ update: event.metrics.step }),
}).then(() => say({ done: true }));
