import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProblems } from '../data/read';
import type { Problem } from '../data/types';
import { type ChainSelection, writeChainsOf } from './chains';
import { TeacherFault } from './faults';
import { type GenerateOptions, generate, type TeacherSampling, tasksOf } from './generate';
import { openJournal, repliesFile } from './journal';
import { openAiTeacher } from './openai';
import { checkOutput, endedEarly } from './output';
import { planOf } from './plan';
import { defaultPrompt } from './prompt';
import { type FakeServer, openServer, type ReceivedRequest } from './testing/server';

const readChains = (file: string) => [...readProblems(file, 'chains').problems];

let folder: string;
let server: FakeServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-teach-'));
  server = await openServer(right);
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const problems: Problem[] = Array.from({ length: 6 }, (_, i) => ({
  id: `q${i}`,
  question: `How much is ${i} + ${i}?`,
  answer: String(2 * i),
  meta: { row: i },
}));
const sumIn = ({ question }: ReceivedRequest) => 2 * Number(/\d+/.exec(question)![0]);
/** An equation that computes the answer. */
const stepIn = (asked: ReceivedRequest) => `it is ${sumIn(asked) / 2}+${sumIn(asked) / 2}=${sumIn(asked)}`;
const right = (asked: ReceivedRequest) => ({ text: `Step 1: ${stepIn(asked)}\nAnswer: ${sumIn(asked)}` });

const ungrounded = { count: 0, first: [] };
const sampling: TeacherSampling = { samples: 3, temperature: 0.7, maxTokens: 100, template: defaultPrompt, seed: 0 };
const pace = { firstWaitMs: 5, longestWaitMs: 20 };
const shortest: ChainSelection = { keep: 'shortest-correct', thoughts: true, unanswered: false };

async function teach(options: Partial<GenerateOptions> = {}, selection = shortest, asked = problems, how = sampling) {
  const teacher = openAiTeacher({ baseUrl: server.baseUrl, model: 'm' });
  const journal = openJournal(join(folder, 'x.teacher'));
  try {
    const tasks = tasksOf(asked, teacher, how);
    const outcome = await generate(tasks, teacher, journal, { concurrency: 4, pace, ...options });
    const out = join(folder, 'x.chains.jsonl');
    const written = writeChainsOf(
      out,
      { problems: asked, teacher, sampling: how, journal },
      selection,
      endedEarly(outcome),
    );
    return {
      outcome,
      written,
      out,
      plan: planOf(teacher, { questions: asked.length, tasks, entries: journal.entries }),
    };
  } finally {
    journal.close();
  }
}

const paidTwice = () => {
  const paid = server.asked.filter((asked) => asked.paid).map(({ question, body }) => `${question} ${body.seed}`);
  return paid.length - new Set(paid).size;
};

describe('generating chains', () => {
  it('asks every sample once and keeps the shortest right chain, with provenance', async () => {
    server.behave = (asked) => {
      const sum = sumIn(asked);
      const words = [' at great length, and then some more', '', ' in a few words'][asked.body.seed as number];
      return { text: `Step 1: ${stepIn(asked)}${words}\nAnswer: ${asked.body.seed === 1 ? sum + 1 : sum}` };
    };
    const { outcome, written, out } = await teach();
    expect(server.asked).toHaveLength(18);
    expect(outcome).toMatchObject({ failures: [], progress: { done: 18, correct: 12, cached: 0 } });
    expect(outcome.ended).toBeUndefined();
    expect(written).toEqual({ rows: 6, solved: 6, complete: 6, questions: 6, others: 0, ungrounded });
    const chains = readChains(out);
    expect(chains.map(({ id }) => id)).toEqual(problems.map(({ id }) => id));
    expect(chains[2].chain).toBe('Step 1: it is 2+2=4 in a few words\nAnswer: 4'); // the shortest of all is wrong
    expect(chains[2].meta).toMatchObject({
      row: 2,
      teacher: {
        model: 'm',
        endpoint: expect.stringContaining('127.0.0.1'),
        samples: 3,
        correct: 2,
        sample: 2,
        temperature: 0.7,
      },
    });
    expect((chains[2].meta!.teacher as { completionTokens: number }).completionTokens).toBe(11);
  });

  it('keeps a chain of one step only where none has more', async () => {
    server.behave = (asked) => {
      const sum = sumIn(asked);
      const steps =
        asked.body.seed === 1 && sum !== 4 ? `Step 1: I look at it.\nStep 2: ${stepIn(asked)}\n` : `${stepIn(asked)}\n`;
      return { text: `${steps}Answer: ${sum}` };
    };
    const { out, written } = await teach();
    expect(written.solved).toBe(6);
    expect(readChains(out).map(({ meta }) => (meta!.teacher as { sample: number }).sample)).toEqual([1, 1, 0, 1, 1, 1]);
  });

  it('leaves out right chains whose steps do not lead to the answer, and reports them', async () => {
    server.behave = (asked) => {
      const sum = sumIn(asked);
      const step = ['Step 1: ', `Step 1: 1*${sum}=${sum}`, `Step 1: ${stepIn(asked)}, and no more than that`];
      return { text: `${step[asked.body.seed as number]}\nAnswer: ${sum}` };
    };
    const { out, written } = await teach({}, shortest, problems.slice(1, 5));
    expect(written).toMatchObject({ rows: 4, solved: 4, ungrounded: { count: 8 } });
    expect(written.ungrounded.first).toHaveLength(3);
    expect(written.ungrounded.first[0]).toEqual({ problemId: 'q1', fault: 'there are no steps, only an answer' });
    expect(readChains(out).map(({ meta }) => (meta!.teacher as { sample: number }).sample)).toEqual([2, 2, 2, 2]);
  });

  it('keeps all right chains, and questions without any, on request', async () => {
    server.behave = (asked) => (sumIn(asked) === 4 ? { text: 'Answer: 17' } : right(asked));
    const { out } = await teach({}, { ...shortest, keep: 'all-correct', unanswered: true });
    const chains = readChains(out);
    expect(chains).toHaveLength(5 * 3 + 1);
    expect(chains.find(({ id }) => id === 'q2')).toEqual({ ...problems[2] });
    expect(chains[0].id).toBe('q0#0');
  });

  it('takes no reply that was cut off by its length, though it is paid for and not asked again', async () => {
    server.behave = (asked) => ({ ...right(asked), finish: 'length' });
    expect((await teach()).written).toMatchObject({ rows: 0, solved: 0, complete: 6 });
    await teach();
    expect(server.asked).toHaveLength(18);
  });

  it('pays once for a reply that was thinking only and is not shown', async () => {
    server.behave = () => ({ text: '', finish: 'length', usage: 100 });
    const { outcome, written } = await teach();
    expect(outcome).toMatchObject({ failures: [], progress: { done: 18, cut: 18, usage: { completion: 1800 } } });
    expect(written).toMatchObject({ rows: 0 });
    expect(server.asked).toHaveLength(18);
  });

  it('keeps a reply in an unknown form, and pays for it once', async () => {
    server.behave = () => ({
      events: (send) => {
        send({ choices: [{ index: 0, delta: { role: 'assistant', content: { strange: 'Answer: 4' } } }] });
        send('[DONE]');
      },
    });
    const { outcome, written } = await teach();
    expect(outcome).toMatchObject({ failures: [], progress: { done: 18 } });
    expect(written).toMatchObject({ rows: 0 });
    await teach();
    expect(server.asked).toHaveLength(18);
  });

  it('gives up on a question with empty replies only, and continues with the others', async () => {
    server.behave = (asked) => (sumIn(asked) === 0 ? { text: '', usage: 50 } : right(asked));
    const { outcome, written } = await teach({ concurrency: 1, pace: { ...pace, attempts: 6 } });
    expect(outcome.ended).toBeUndefined();
    expect(outcome.failures.map(({ problemId, message }) => `${problemId} ${message}`)).toEqual(
      Array(3).fill('q0 the reply is empty'),
    );
    expect(outcome.progress).toMatchObject({ done: 15, failed: 3, usage: { completion: 15 * 7 + 9 * 50 } });
    expect(written).toMatchObject({ solved: 5, complete: 5 });
    // Its other samples came last, and each was tried three times.
    expect(server.asked.slice(0, 4).map(sumIn)).toEqual([0, 0, 0, 2]);
    expect(server.asked).toHaveLength(15 + 9);
  });

  it('gives up on the teacher when three questions in a row fail', async () => {
    server.behave = (asked, nth) => (nth > 4 ? { status: 502, error: 'bad gateway' } : right(asked));
    const { outcome } = await teach({ concurrency: 1, pace: { ...pace, attempts: 2 } });
    expect(outcome).toMatchObject({ ended: { kind: 'passing' }, progress: { done: 4, failed: 3 } });
    expect(outcome.failures.map(({ problemId }) => problemId)).toEqual(['q1', 'q2', 'q3']);
    expect(server.asked).toHaveLength(4 + 3 * 2);
  });

  it('leaves a file that holds more when it ends early', async () => {
    const { out } = await teach();
    const before = readFileSync(out, 'utf8');
    server.behave = () => ({ status: 404, error: 'no such model' });
    const other = { ...sampling, temperature: 0.5 };
    const failed = await teach({}, shortest, problems, other);
    expect(failed.outcome.ended).toBeInstanceOf(TeacherFault);
    expect(failed.written).toMatchObject({ rows: 0, kept: 6 });
    expect(readFileSync(out, 'utf8')).toBe(before);
    server.behave = right;
    const some = await teach({}, shortest, problems.slice(0, 2), other);
    expect(some.written).toEqual({ rows: 2, solved: 2, complete: 2, questions: 2, others: 4, ungrounded });
    expect(readChains(out).map(({ id }) => id)).toEqual(['q2', 'q3', 'q4', 'q5', 'q0', 'q1']);
  });

  it('reports a teacher that answered nothing, however few questions there are', async () => {
    server.behave = () => ({ status: 500, error: 'down' });
    const { outcome } = await teach({ pace: { ...pace, attempts: 1 } }, shortest, problems.slice(0, 1));
    expect(outcome).toMatchObject({ ended: { kind: 'passing' }, progress: { done: 0, failed: 3 } });
  });

  it('does not overwrite an output that was edited', async () => {
    const { out } = await teach();
    expect(() => checkOutput('questions.jsonl', out)).not.toThrow();
    await teach({}, shortest, problems.slice(0, 3), { ...sampling, samples: 4 });
    expect(() => checkOutput('questions.jsonl', out)).not.toThrow();
    writeFileSync(out, readFileSync(out, 'utf8').replace('it is 2', 'it is surely 2'));
    expect(() => checkOutput('questions.jsonl', out)).toThrow('was changed since its chains were written');
    rmSync(out);
    expect(() => checkOutput('questions.jsonl', out)).not.toThrow();
  });

  it('does not say that a reply had a temperature which the server did not take', async () => {
    server.behave = (asked) =>
      'temperature' in asked.body
        ? {
            status: 400,
            error: "Unsupported value: 'temperature' does not support 0.7 with this model.",
            param: 'temperature',
          }
        : right(asked);
    const { outcome, out } = await teach();
    expect(outcome).toMatchObject({ failures: [], without: ['temperature'] });
    expect(outcome.ended).toBeUndefined();
    expect(readChains(out)[0].meta!.teacher).not.toHaveProperty('temperature');
  });

  it('counts replies that were cut off, and repeats none beyond the budget', async () => {
    server.behave = () => ({ cut: 'stream' });
    const prices = { input: 0, output: 1000 };
    const { outcome } = await teach({ concurrency: 1, prices, budget: 0.101, pace: { ...pace, attempts: 6 } });
    expect(outcome).toMatchObject({ ended: 'budget', failures: [], progress: { done: 0 } });
    expect(outcome.progress.usage.completion).toBeGreaterThan(0);
    expect(server.asked).toHaveLength(1);
  });

  it('asks nothing twice: on a second run, for more samples, or for the same question in another row', async () => {
    await teach();
    const again = await teach({}, shortest, [...problems, { ...problems[0], id: 'twin', answer: '1' }], {
      ...sampling,
      samples: 5,
    });
    expect(server.asked).toHaveLength(6 * 5);
    expect(again.outcome.progress).toMatchObject({ total: 30, cached: 18, done: 30 });
    expect(again.written).toMatchObject({ solved: 6, complete: 7 }); // the twin has other gold
    expect(again.plan).toMatchObject({ requests: 30, cached: 30, expected: { prompt: 0, completion: 0 } });
    await teach({}, shortest, problems, { ...sampling, temperature: 0 });
    expect(server.asked).toHaveLength(6 * 5 + 18); // another request
  });

  it('recovers from 429, 500, truncated streams, broken JSON and silence', async () => {
    const seen = new Map<string, number>();
    server.behave = (asked) => {
      const key = `${asked.question} ${asked.body.seed}`;
      const nth = (seen.get(key) ?? 0) + 1;
      seen.set(key, nth);
      const faults = [
        { status: 429, headers: { 'retry-after-ms': '10' } },
        { status: 500 },
        { cut: 'connection' } as const,
        { cut: 'stream' } as const,
        { garbage: '{"choices": [' },
      ];
      return nth <= 2 ? faults[(sumIn(asked) / 2 + nth + (asked.body.seed as number)) % faults.length] : right(asked);
    };
    const waits: string[] = [];
    const { outcome, written } = await teach({ notify: ({ waiting }) => waiting && waits.push(waiting.reason) });
    expect(outcome.ended).toBeUndefined();
    expect(written).toMatchObject({ rows: 6, solved: 6, complete: 6 });
    expect(server.asked).toHaveLength(18 * 3);
    expect(paidTwice()).toBe(0);
    expect(new Set(waits).size).toBeGreaterThan(3);
  });

  it('delays all requests as long as a 429 requires', async () => {
    let refusedAt = 0;
    server.behave = (asked, nth) => {
      if (nth > 1) return right(asked);
      refusedAt = Date.now();
      return { status: 429, headers: { 'retry-after': '0.3' } };
    };
    await teach({ concurrency: 1 });
    expect(server.asked[1].at - refusedAt).toBeGreaterThanOrEqual(295);
  });

  it('spaces requests by the pace', async () => {
    const begun = Date.now();
    await teach({ pace: { ...pace, requestsPerMinute: 3000 } }); // 20 ms apart
    expect(server.asked).toHaveLength(18);
    expect(server.asked.at(-1)!.at - begun).toBeGreaterThanOrEqual(17 * 20 - 20);
  });

  it('never exceeds the number of concurrent requests', async () => {
    let [underWay, most] = [0, 0];
    server.behave = async (asked) => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 10));
      underWay--;
      return right(asked);
    };
    await teach({ concurrency: 3 });
    expect(most).toBe(3);
  });

  it('gives up on a refused question and continues; repeats it the next time', async () => {
    server.behave = (asked) => (sumIn(asked) === 4 ? { status: 400, error: 'context too long' } : right(asked));
    const { outcome, written } = await teach({ concurrency: 1 });
    expect(outcome.failures).toHaveLength(3);
    expect(outcome.failures[0]).toEqual({
      problemId: 'q2',
      sample: 0,
      message: expect.stringContaining('context too long'),
    });
    expect(written).toMatchObject({ solved: 5, complete: 5 });
    server.behave = right;
    expect((await teach()).written).toMatchObject({ solved: 6, complete: 6 });
  });

  it('ends at once if no request can succeed, and keeps earlier replies', async () => {
    server.behave = (asked, nth) => (nth > 5 ? { status: 401, error: 'key expired' } : right(asked));
    const { outcome } = await teach({ concurrency: 2 });
    expect(outcome.ended).toBeInstanceOf(TeacherFault);
    expect(outcome.progress.done).toBe(5);
    expect(server.asked.length).toBeLessThanOrEqual(7);
    server.behave = () => ({ status: 500 });
    const down = await teach({ pace: { ...pace, attempts: 2 } });
    expect(down.outcome).toMatchObject({ ended: { kind: 'passing' }, progress: { done: 5, cached: 5 } });
  });

  it('stops within the budget, what was paid before included', async () => {
    const prices = { input: 0, output: 1000 }; // 0.001 a token: 7 tokens a reply, 100 at most
    const first = await teach({ concurrency: 1, prices, budget: 0.15 });
    expect(first.outcome.ended).toBe('budget');
    // 100 more could be too much once 0.05 is spent.
    expect(first.outcome.progress.usage.completion).toBe(56);
    // Concurrent requests wait for each other's cost, and get equally far.
    rmSync(join(folder, 'x.teacher'), { recursive: true });
    const beside = await teach({ concurrency: 4, prices, budget: 0.15, pace: { ...pace, requestsPerMinute: 6000 } });
    expect(beside.outcome).toMatchObject({ ended: 'budget', progress: { usage: { completion: 56 } } });
    const second = await teach({ concurrency: 1, prices, budget: 0.15 });
    expect(second.outcome).toMatchObject({ ended: 'budget', progress: { done: 8, cached: 8 } });
    expect((await teach({ prices, budget: 1 })).outcome.ended).toBeUndefined();
  });

  it('waits for requests in progress when stopped, and drops them when aborted', async () => {
    const [stop, abort] = [new AbortController(), new AbortController()];
    const told = new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
    server.behave = async (asked, nth) => {
      if (nth === 4) stop.abort();
      await told;
      return right(asked);
    };
    const stopped = await teach({ stop: stop.signal });
    expect(stopped.outcome).toMatchObject({ ended: 'stopped', progress: { done: 4, underWay: 0 } });
    server.behave = (asked, nth) => {
      if (nth < 8) return right(asked);
      setTimeout(() => abort.abort(), 5);
      return 'silence';
    };
    const aborted = await teach({ abort: abort.signal, concurrency: 1 });
    expect(aborted.outcome).toMatchObject({ ended: 'stopped', progress: { done: 7 } });
    server.behave = right;
    expect((await teach()).written.complete).toBe(6);
    expect(paidTwice()).toBe(0);
  });
});

describe('the journal', () => {
  it('loses a torn last line only', async () => {
    await teach();
    const file = repliesFile(join(folder, 'x.teacher'));
    truncateSync(file, readFileSync(file).length - 10);
    const { outcome } = await teach();
    expect(outcome.progress).toMatchObject({ cached: 17, done: 18 });
    expect(server.asked).toHaveLength(19);
  });

  it('names the line that is damaged', async () => {
    await teach();
    const file = repliesFile(join(folder, 'x.teacher'));
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, lines.with(3, '{"key": "x"}').join('\n'));
    await expect(teach()).rejects.toThrow(expect.objectContaining({ file, line: 4, code: 'teacher' }));
  });

  it('is open to one process at a time', () => {
    const journal = openJournal(join(folder, 'x.teacher'));
    expect(() => openJournal(join(folder, 'x.teacher'))).toThrow(/already requesting/);
    journal.close();
    openJournal(join(folder, 'x.teacher')).close();
  });
});
