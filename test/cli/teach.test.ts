import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readProblems } from '../../src/data/read';
import { Random } from '../../src/random';
import { type FakeServer, openServer, type ReceivedRequest } from '../../src/teachers/testing/server';
import { type Distillery, openDistillery, outcome } from './distillery';

const readChains = (file: string) => [...readProblems(file, 'chains').problems];

let distillery: Distillery;
let server: FakeServer;
beforeAll(async () => {
  const opened = await openDistillery();
  distillery = opened.with({ DISTILLERY_API_KEY: secret, OPENAI_API_KEY: otherSecret });
  const rows = Array.from({ length: count }, (_, i) => ({ id: `q${i}`, question: questionOf(i), answer: `${i * 3}` }));
  distillery.write('questions.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});
afterAll(() => distillery?.close());
beforeEach(async () => {
  server = await openServer(right);
});
afterEach(() => server.close());

const secret = 'sk-distillery-5ecret';
const otherSecret = 'sk-openai-0ther5ecret';
const count = 20;
const questionOf = (i: number) => `Three boxes hold ${i} nails each. How many nails is that?`;
const right = ({ question }: ReceivedRequest) => {
  const n = Number(/hold (\d+)/.exec(question)![1]);
  return { text: `Step 1: 3 * ${n} = ${3 * n}\nAnswer: ${3 * n}` };
};
const command = (out: string, ...more: string[]) => [
  ...['teach', 'questions.jsonl', '--out', out, '--base-url', server.baseUrl, '--model', 'tiny'],
  ...['--samples', '2', '--seed', '1', '--concurrency', '4', ...more],
];
const identity = ({ question, body }: ReceivedRequest) => `${question} ${body.seed}`;

function checkComplete(out: string) {
  const chains = readChains(join(distillery.folder, out));
  expect(chains.map(({ id, answer, chain }) => [id, answer, chain])).toEqual(
    Array.from({ length: count }, (_, i) => [`q${i}`, `${3 * i}`, `Step 1: 3 * ${i} = ${3 * i}\nAnswer: ${3 * i}`]),
  );
}

const journalLines = (name: string) => {
  const file = join(distillery.folder, `${name}.teacher`, 'replies.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
};

/** The identities of the requests whose replies are in the journal; a line that a kill tore is none. */
const journaled = (name: string) => {
  const text = readFileSync(join(distillery.folder, `${name}.teacher`, 'replies.jsonl'), 'utf8');
  const records = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { problemId: string; sample: number });
  return new Set(records.map(({ problemId, sample }) => `${questionOf(Number(problemId.slice(1)))} ${1 + sample}`));
};

describe('distillery teach', () => {
  it('sends nothing before the user has seen the plan', async () => {
    const asked = await distillery.run(...command('plan.chains.jsonl'));
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain(`${server.baseUrl}, model tiny`);
    expect(asked.stderr).toContain('from DISTILLERY_API_KEY, over a connection that is not encrypted');
    expect(asked.stderr).toContain('20 questions, in 40 requests');
    expect(asked.stderr).toContain(questionOf(0));
    expect(asked.stderr).toContain('--yes');
    const dry = await distillery.json<{ plan: object }>(
      ...command('plan.chains.jsonl', '--dry-run', '--price-in', '1', '--price-out', '10'),
    );
    expect(dry.plan).toMatchObject({
      requests: 40,
      cached: 0,
      cost: { expected: expect.any(Number), most: expect.any(Number) },
    });
    expect(server.asked).toHaveLength(0);
  });

  it('writes right chains, and the keys nowhere', async () => {
    const { code, stdout, stderr } = await distillery.run(...command('ok.chains.jsonl', '--yes'));
    expect([code, stderr.includes('error')]).toEqual([0, false]);
    expect(stdout).toContain('20 chains in ok.chains.jsonl: 20 of 20 questions solved, 100.0 % of 40 replies right');
    checkComplete('ok.chains.jsonl');
    expect(server.asked).toHaveLength(40);
    expect(server.asked.every(({ headers }) => headers.authorization === `Bearer ${secret}`)).toBe(true);
    // A server that says the key back, in an error.
    server.behave = ({ headers }) => ({ status: 401, error: `Incorrect API key provided: ${headers.authorization}` });
    const refused = await distillery.run(...command('refused.chains.jsonl', '--yes'));
    expect([refused.code, refused.stderr.includes('refuses the key')]).toEqual([2, true]);
    for (const text of [stdout, stderr, refused.stdout, refused.stderr, ...allFiles(distillery.folder)])
      expect([text.includes(secret), text.includes(otherSecret)]).toEqual([false, false]);
  });

  it('loses nothing and pays nothing twice when it is killed with all other requests under way', async () => {
    let held = 0;
    server.behave = async (asked, nth) => {
      if (nth <= 10) return right(asked);
      held++;
      return 'silence'; // unanswered, so unpaid
    };
    const child = distillery.start(...command('kill.chains.jsonl', '--yes'));
    while (journalLines('kill') < 10 || held < 4) await sleep(10);
    child.kill('SIGKILL');
    await once(child, 'close');
    server.behave = right;
    const { code } = await distillery.run(...command('kill.chains.jsonl', '--yes'));
    expect(code).toBe(0);
    checkComplete('kill.chains.jsonl');
    const paid = server.asked.filter((asked) => asked.paid).map(identity);
    expect([paid.length, new Set(paid).size]).toEqual([40, 40]);
  });

  it('repeats only requests in progress after a kill at any point', async () => {
    const random = new Random(7, 'kill');
    const doubtful = new Set<string>();
    server.behave = async (asked) => {
      await sleep(5 + 20 * random.uniform());
      return right(asked);
    };
    for (let round = 0; round < 4; round++) {
      const before = server.asked.length;
      const child = distillery.start(...command('any.chains.jsonl', '--yes'));
      while (server.asked.length < before + 5 && child.exitCode === null) await sleep(1);
      await sleep(60 * random.uniform());
      child.kill('SIGKILL');
      await once(child, 'close');
      const kept = journaled('any');
      for (const asked of server.asked.slice(before)) if (!kept.has(identity(asked))) doubtful.add(identity(asked));
    }
    expect((await distillery.run(...command('any.chains.jsonl', '--yes'))).code).toBe(0);
    checkComplete('any.chains.jsonl');
    const times = new Map<string, number>();
    for (const asked of server.asked) times.set(identity(asked), (times.get(identity(asked)) ?? 0) + 1);
    expect(times.size).toBe(40);
    expect([...times].filter(([key, n]) => n > 1 && !doubtful.has(key))).toEqual([]);
    expect(server.asked.length - 40).toBeLessThanOrEqual(4 * 4); // at most what was under way, a kill each
  });

  it('waits for replies in progress at Ctrl-C, and resumes later', async () => {
    server.behave = async (asked) => {
      await sleep(40);
      return right(asked);
    };
    const child = distillery.start(...command('stop.chains.jsonl', '--yes', '--concurrency', '2'));
    const ended = outcome(child);
    while (server.asked.length < 6) await sleep(5);
    child.kill('SIGINT');
    const stopped = await ended;
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toContain('Stopped.');
    expect(server.asked.every(({ paid }) => paid)).toBe(true);
    expect(journalLines('stop')).toBe(server.asked.length);
    expect((await distillery.run(...command('stop.chains.jsonl', '--yes'))).code).toBe(0);
    checkComplete('stop.chains.jsonl');
    expect(server.asked).toHaveLength(40);
  });

  it('reports errors before the first request', async () => {
    const faults: [string[], string][] = [
      [['teach', 'questions.jsonl', '--out', 'x.chains.jsonl'], 'no teacher is given'],
      [command('questions.jsonl'), 'this is the file of the questions'],
      [command('x.chains.jsonl', '--budget', '1'), 'a budget needs prices'],
      [[...command('x.chains.jsonl'), '--base-url', 'https://me:word@host/v1'], 'contains a name, a password'],
      [['teach', 'nothing.jsonl', ...command('x.chains.jsonl').slice(2)], 'no such file'],
    ];
    for (const [args, message] of faults) {
      const { code, stderr } = await distillery.run(...args);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    expect(server.asked).toHaveLength(0);
  });
});

function allFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'));
}
