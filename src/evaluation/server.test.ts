import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Teacher } from '../teachers/types';
import { evaluateOnServer } from './server';

it('ends the requests under way, and throws the reason, when its signal is aborted', async () => {
  const stop = new AbortController();
  const asked: AbortSignal[] = [];
  const student: Teacher = {
    model: 'm',
    endpoint: 'e',
    host: 'h',
    async *ask(_, signal) {
      asked.push(signal);
      await sleep(60_000, undefined, { signal });
      yield { kind: 'end', finished: true };
    },
  };
  const problems = [1, 2, 3].map((n) => ({ id: `q${n}`, question: `${n} + 1?`, answer: `${n + 1}` }));
  const settings = { maxNewTokens: 8, temperature: 0, seed: 0, concurrency: 2, prompt: 'plain' as const };
  const evaluation = evaluateOnServer(student, problems, 1, { ...settings, signal: stop.signal });
  await expect.poll(() => asked.length, { timeout: 60_000 }).toBe(2);
  stop.abort(new Error('enough'));
  await expect(evaluation).rejects.toThrow('enough');
  expect(asked.every((signal) => signal.aborted)).toBe(true);
  expect(asked).toHaveLength(2);
});
