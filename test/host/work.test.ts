import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HostClient } from '../../src/client/host-client';
import { UserError } from '../../src/errors';
import type { Evaluated, JobProgress } from '../../src/protocol/control';
import { readAddress } from '../../src/protocol/host-folder';
import { acquireLock } from '../../src/runs/lock';
import { evaluationNames, openRun, readEvaluation } from '../../src/runs/reading';
import { isStopped, longStage, openWorkplace, until, type Workplace } from './workplace';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let work: Workplace;
let client: HostClient;
let student: string;
beforeAll(async () => {
  work = await openWorkplace();
  ({ client } = work.client());
  student = join(work.folder, 'student');
});
afterAll(() => work?.close());

const problems = Array.from({ length: 5 }, (_, i) => ({
  id: `p${i}`,
  question: `What is ${i} + 1?`,
  answer: `${i + 1}`,
}));

describe('short work on the host', () => {
  it('evaluates, and streams the answers as they come', async () => {
    const streamed: Evaluated[] = [];
    const result = await client.request(
      'evaluate',
      { checkpoint: student, problems, maxNewTokens: 6 },
      { progress: (part) => streamed.push(...part) },
    );
    expect(result).toMatchObject({ n: 5, accuracy: expect.any(Number), accuracyInterval: [0, expect.any(Number)] });
    expect(result.answers.map(({ problemId, gold }) => [problemId, gold])).toEqual(
      problems.map(({ id, answer }) => [id, answer]),
    );
    const byId = (answers: Evaluated[]) => answers.toSorted((a, b) => a.problemId.localeCompare(b.problemId));
    expect(byId(streamed)).toEqual(result.answers);
    expect(result.recorded).toBeUndefined();
  });

  it("records an evaluation of a run's checkpoint in its folder, unless another process works on the run", async () => {
    const { run } = await client.request('start', { experiment: work.experiment('brief', longStage(2)) });
    await until('the run', () => client.status?.last?.folder === run);
    const checkpoint = join(run, 'checkpoints', 'reconstruct-2');
    const ask = (record?: string | false) =>
      client.request('evaluate', { checkpoint, problems, maxNewTokens: 4, record });
    expect((await ask('gsm8k')).recorded).toBe('reconstruct-2-gsm8k');
    expect((await ask('gsm8k')).recorded).toBe('reconstruct-2-gsm8k-2');
    expect((await ask(false)).recorded).toBeUndefined();
    expect(evaluationNames(run)).toContain('reconstruct-2-gsm8k');
    expect(readEvaluation(run, 'reconstruct-2-gsm8k')).toHaveLength(5);
    expect(openRun(run).record.state).toBe('finished');
    const lock = acquireLock(run);
    const busy = await ask();
    lock.release();
    expect(busy).toMatchObject({ n: 5, unrecorded: expect.stringContaining(`process ${process.pid} is working on`) });
    expect(busy.recorded).toBeUndefined();
  });

  it('answers a question with samples token by token, telling what there is so far', async () => {
    const parts: JobProgress<'ask'> = [];
    const asked = {
      checkpoint: student,
      question: 'What is 2 + 3?',
      samples: 2,
      temperature: 1,
      maxNewTokens: 40,
      seed: 5,
    };
    const { samples, prompt } = await client.request('ask', asked, { progress: (part) => parts.push(...part) });
    expect(prompt).toContain('What is 2 + 3?');
    expect(samples).toHaveLength(2);
    for (const { tokens, tokenTexts, logProbs } of samples) {
      expect(tokenTexts).toHaveLength(tokens.length);
      expect(logProbs).toHaveLength(tokens.length);
      expect(Math.max(...logProbs)).toBeLessThanOrEqual(0);
    }
    expect(parts.length).toBeGreaterThan(0);
    for (const { sample, tokens } of parts) expect(tokens).toBeLessThanOrEqual(samples[sample].tokens.length);
    expect((await client.request('ask', asked)).samples).toEqual(samples); // the seed decides
  });

  it("offers rewrites of a teacher's chain, best reward first", async () => {
    const { candidates, teacherTokens, reward, problems } = await client.request('rewrite', {
      checkpoint: student,
      question: 'What is 2 + 3?',
      answer: '5',
      teacherChain: 'Step 1: 2 + 3 = 5\nAnswer: 5',
      samples: 4,
      maxNewTokens: 8,
    });
    expect(candidates).toHaveLength(4);
    expect(teacherTokens).toBeGreaterThan(5);
    expect(reward).toBe('default');
    expect(problems).toEqual([]);
    const rewards = candidates.map((candidate) => candidate.reward ?? Number.NEGATIVE_INFINITY);
    expect(rewards).toEqual(rewards.toSorted((a, b) => b - a));
    expect(candidates[0].parts).toHaveProperty('correctness');
    expect(candidates[0].logProbs).toHaveLength(candidates[0].tokens.length);
  });

  it('tells what goes wrong in the reward in code of a rewrite', async () => {
    writeFileSync(join(work.folder, 'fails.mjs'), "export default () => { throw new Error('no sentence'); };");
    const reward = { components: [{ use: './fails.mjs' as const }, { use: 'correctness' as const }] };
    const { stages, ...brief } = longStage(2);
    const coded = work.experiment('coded', { ...brief, stages: { ...stages, complete: { updates: 0, reward } } });
    const { run } = await client.request('start', { experiment: coded });
    await until('the run', () => client.status?.last?.folder === run);
    const { candidates, problems } = await client.request('rewrite', {
      checkpoint: join(run, 'checkpoints', 'reconstruct-2'),
      question: 'What is 2 + 3?',
      answer: '5',
      teacherChain: 'Step 1: 2 + 3 = 5\nAnswer: 5',
      samples: 2,
      maxNewTokens: 4,
    });
    expect(candidates.map(({ parts }) => parts.fails)).toEqual([null, null]);
    expect(problems[0]).toMatch(/fails\.mjs:1:\d+: no sentence; the component "fails" did not apply there$/);
  });

  it('tokenizes, also while the engine trains', async () => {
    const { run } = await client.request('start', { experiment: work.experiment('busy', longStage(100_000)) });
    const { texts } = await client.request('tokenize', { checkpoint: student, texts: ['Step 1: 2 + 3 = 5', ''] });
    expect(texts[0].texts.join('')).toBe('Step 1: 2 + 3 = 5');
    expect(texts[0].ids).toHaveLength(texts[0].texts.length);
    expect(texts[1]).toEqual({ ids: [], texts: [] });
    await until('the news', () => client.status?.run?.folder === run);
    await client.control('cancel');
    await until('the end', () => client.state === 'idle');
  });

  it('gives prompts as the student gets them, in its chat template', async () => {
    const chats = join(work.folder, 'chats');
    cpSync(student, chats, { recursive: true });
    const file = join(chats, 'tokenizer_config.json');
    const template = '{% for m in messages %}{{ m.role }}: {{ m.content }}<|mark|>{% endfor %}assistant: <think>';
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), chat_template: template }));
    const whole = async (asked: { prompt: 'auto' | 'plain' | 'chat'; system?: string }) => {
      const { texts } = await client.request('tokenize', {
        checkpoint: chats,
        texts: ['Question: 1 + 1?\nSolution:\n'],
        asked,
      });
      return texts[0].texts.join('');
    };
    expect(await whole({ prompt: 'chat', system: 'Be brief.' })).toBe(
      'system: Be brief.<|mark|>user: Question: 1 + 1?\nSolution:<|mark|>assistant: <think>',
    );
    expect(await whole({ prompt: 'plain' })).toBe('Question: 1 + 1?\nSolution:\n');
  });

  it('reports what works on this machine', async () => {
    const report = await client.request('doctor', {});
    expect(report.backends.find(({ name }) => name === 'embedded')).toMatchObject({
      usable: true,
      gflops: expect.any(Number),
    });
    expect(report.node.version).toBe(process.version);
    expect(report.disk.folder).toBe(join(work.distillery, 'runs'));
  });

  it('ends early when it is cancelled, and leaves nothing waiting', async () => {
    const stop = new AbortController();
    const long = { checkpoint: student, question: 'Why?', samples: 32, maxNewTokens: 20_000, temperature: 1 };
    const asked = client.request('ask', long, { signal: stop.signal, progress: () => stop.abort() });
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
    await until('nothing at work', () => client.status?.jobs.length === 0);
    // So does work whose client goes.
    const other = work.client().client;
    const lost = other.request('ask', long);
    await until('work', () => client.status?.jobs.length === 1);
    other.dispose();
    await expect(lost).rejects.toThrow(UserError);
    await until('nothing at work', () => client.status?.jobs.length === 0);
  });

  it.skipIf(process.platform === 'win32')(
    'does not begin what is cancelled before the host has read of it',
    async () => {
      const happened: string[] = [];
      client.on('event', (event) => {
        if (event.type === 'job') happened.push(event.state);
      });
      await client.connect();
      const { pid } = readAddress(work.distillery)!;
      const stop = new AbortController();
      const { socket } = (client as unknown as { link: { socket: Socket } }).link;
      const sent = async () => {
        const before = socket.bytesWritten;
        await until('a message', () => socket.bytesWritten > before && socket.writableLength === 0);
      };
      process.kill(pid, 'SIGSTOP'); // so that it finds both messages at once
      try {
        await until('its stop', () => isStopped(pid));
        const params = { checkpoint: student, question: 'Why?', samples: 32, maxNewTokens: 20_000 };
        const asking = sent();
        const asked = client.request('ask', params, { signal: stop.signal });
        asked.catch(() => {});
        await asking;
        const cancelling = sent();
        stop.abort();
        await cancelling;
        process.kill(pid, 'SIGCONT');
        await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await client.request('ask', { checkpoint: student, question: 'Why?', maxNewTokens: 4 });
      await until('the one that was done', () => happened.includes('done'));
      expect(happened).toEqual(['waiting', 'working', 'done']);
    },
  );

  it('reports errors of a request', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'distillery-empty-'));
    const question = 'What is 1 + 1?';
    await expect(client.request('ask', { checkpoint: join(empty, 'gone'), question })).rejects.toMatchObject({
      code: 'checkpoint',
    });
    await expect(client.request('ask', { checkpoint: empty, question })).rejects.toMatchObject({
      file: join(empty, 'tokenizer.json'),
    });
    await expect(client.request('tokenize', { checkpoint: empty, texts: ['a'] })).rejects.toThrow(UserError);
    await expect(client.request('ask', { checkpoint: student, question: '' })).rejects.toThrow(/question/);
    expect(existsSync(empty)).toBe(true);
    rmSync(empty, { recursive: true });
    expect(client.state).toBe('idle');
  });
});
