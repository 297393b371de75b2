/**
 * A student on a real server (`transformers serve`, which refuses parameters that it does not know) answers as it does
 * here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peer } from '../../scripts/peers/peers';
import { python } from '../../scripts/peers/python';
import { evaluate } from '../../src/curriculum/evaluation/evaluate';
import { openStudent } from '../../src/curriculum/evaluation/students';
import { prepareLessons } from '../../src/curriculum/lessons/lessons';
import { startEngine } from '../../src/engine/engines';
import { evaluateOnServer, studentOn } from '../../src/evaluation/server';
import { useBackend } from '../../src/kernels/backends';
import { exportStudent } from '../../src/model/export';
import { freePort } from '../../src/testing/ports';

const interpreter = python(['torch', 'transformers', 'fastapi', 'uvicorn']);
const smollm2 = interpreter && (await peer('smollm2'));

const problems = [
  'Anna has 12 pens and buys 7 more. How many pens does she have?',
  'A box holds 6 eggs. How many eggs are in 5 boxes?',
].map((question, i) => ({ id: `p${i}`, question, answer: String([19, 30][i]) }));
const maxNewTokens = 40;

describe.skipIf(!smollm2)('a student on `transformers serve`', () => {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-serve-'));
  const student = join(folder, 'student');
  let server: ChildProcess | undefined;
  let url = '';
  beforeAll(async () => {
    await useBackend('embedded');
    exportStudent(smollm2!, student, { format: 'hf', dtype: 'F32' });
    const port = await freePort();
    url = `http://127.0.0.1:${port}/v1`;
    const main = 'from transformers.cli.transformers import main; main()';
    server = spawn(interpreter!, ['-c', main, 'serve', student, '--port', String(port), '--device', 'cpu'], {
      stdio: 'ignore',
      env: { ...process.env, HF_HUB_OFFLINE: '1' },
    });
    const health = () =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await health())) {
      if (server.exitCode !== null) throw new Error(`transformers serve ended with ${server.exitCode}`);
      await sleep(500);
    }
  }, 240_000);
  afterAll(() => {
    server?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it.each(['chat', 'plain'] as const)('answers a %s prompt as here', async (prompt) => {
    const engine = await startEngine('embedded');
    const { student: asked, tokenizer } = await openStudent(engine, student, { prompt });
    const settings = { maxNewTokens, temperature: 0, seed: 1 };
    const here = await evaluate(asked, tokenizer, prepareLessons(problems, tokenizer), { ...settings, batch: 2 });
    await engine.close();
    const on = studentOn(url, student, prompt);
    const there = await evaluateOnServer(on, problems, 1, { ...settings, concurrency: 2, prompt });
    expect(there.answers.map(({ text }) => text)).toEqual(here.answers.map(({ text }) => text));
    expect(there.answers.every(({ tokensEstimated }) => !tokensEstimated)).toBe(true);
    expect(there.without).toContain('repeat_penalty');
    expect(there.without).not.toContain('temperature');
  });
});
