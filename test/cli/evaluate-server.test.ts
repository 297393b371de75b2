import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeServer, openServer } from '../../src/teachers/testing/server';
import { type Distillery, openDistillery } from './distillery';

interface Answer {
  question: string;
  text: string;
  finished: boolean;
  tokens: number;
}

let distillery: Distillery;
let server: FakeServer;
let recorded: Answer[];
beforeAll(async () => {
  distillery = await openDistillery();
  server = await openServer(() => 'silence');
});
afterAll(async () => {
  await server?.close();
  distillery?.close();
});

const answersIn = (name: string) =>
  readFileSync(join(distillery.folder, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
const data = ['--data', 'arithmetic', '--limit', '6', '--max-new-tokens', '8'];
const onServer = () => ['evaluate', '--server', server.baseUrl, '--model', 'my-student', ...data];

describe('evaluation on a server that holds the student', () => {
  it('gives the records and the result that an evaluation here gives', async () => {
    const here = await distillery.json('evaluate', 'student', ...data, '--out', 'here.jsonl');
    recorded = answersIn('here.jsonl');
    let faults = 0;
    server.behave = ({ prompt }, nth) => {
      if (nth % 3 === 1 && faults++ < 4) return { status: 503, headers: { 'retry-after': '0' } };
      const found = recorded.find(({ question }) => prompt === `Question: ${question}\nSolution:\n`);
      return { text: found!.text, finish: found!.finished ? 'stop' : 'length', usage: found!.tokens };
    };
    const there = await distillery.json(...onServer(), '--out', 'there.jsonl', '--concurrency', '3');
    expect(faults).toBeGreaterThan(0);
    for (const { path, body } of server.asked)
      expect([path, body]).toEqual([
        '/v1/completions',
        expect.objectContaining({ model: 'my-student', temperature: 0, max_tokens: 8, seed: 1, repetition_penalty: 1 }),
      ]);
    expect(answersIn('there.jsonl')).toEqual(recorded);
    // Whether a student has a chat template is known only where its folder is.
    const { checkpoint, out, backend, settings, tokensPerSecond, notes, ...result } = here;
    expect(there.notes).toEqual((notes as string[]).filter((note) => !note.includes('chat template')));
    expect(there).toMatchObject({
      ...result,
      model: 'my-student',
      server: server.baseUrl,
      backend: expect.stringContaining('this machine'),
    });
  });

  it('states where it sends the questions, and prints the same table', async () => {
    const { code, stdout, stderr } = await distillery.run(...onServer());
    expect([code, stderr]).toEqual([0, `Sending 6 problems to ${server.baseUrl}\n`]);
    expect(stdout).toMatch(/my-student on 6 problems, greedy[\s\S]*accuracy[\s\S]*strict-match/);
  });

  it('draws several samples with seeds of their own', async () => {
    server.asked.length = 0;
    const result = await distillery.json(...onServer(), '--samples', '2', '--out', 'samples.jsonl');
    expect(result).toMatchObject({ n: 6, samples: 2, settings: { temperature: 0.7 } });
    expect(answersIn('samples.jsonl').map((one) => (one as { sample?: number }).sample)).toEqual(
      Array(6).fill([0, 1]).flat(),
    );
    expect(new Set(server.asked.map(({ body }) => body.seed))).toEqual(new Set([1, 2]));
  });

  it('asks a student that was trained to chat in messages, as it is asked here', async () => {
    server.asked.length = 0;
    server.behave = () => ({ text: 'Answer: 1', finish: 'stop', usage: 3 });
    const result = await distillery.json(...onServer(), '--prompt', 'chat', '--system', 'Be brief.');
    expect(result).toMatchObject({ n: 6, settings: { prompt: 'chat', system: 'Be brief.' } });
    for (const { path, body } of server.asked) {
      expect(path).toBe('/v1/chat/completions');
      expect(body.messages).toEqual([
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: expect.stringMatching(/^Question: [\s\S]*\nSolution:$/) },
      ]);
    }
    const plain = await distillery.run(...onServer(), '--system', 'Be brief.');
    expect([plain.code, plain.stderr]).toEqual([2, expect.stringContaining('Add --prompt chat')]);
  });

  it('asks a checkpoint as its run asked it', async () => {
    const run = '.distillery/runs/chatty';
    distillery.write(`${run}/run.json`, {});
    const student = { path: join(distillery.folder, 'student'), prompt: 'chat', system: 'Be brief.' };
    const problems = { format: 'arithmetic', seed: 1, count: 4 };
    distillery.write(`${run}/config.json`, {
      experiment: { name: 'chatty', student, data: { train: problems, test: problems, validation: 1 } },
      environment: { datasets: { train: 'a', test: 'b' } },
    });
    cpSync(join(distillery.folder, 'student'), join(distillery.folder, run, 'checkpoints/sft'), { recursive: true });
    server.asked.length = 0;
    const [command, ...rest] = onServer();
    const result = await distillery.json(command, `${run}/checkpoints/sft`, ...rest);
    expect(result).toMatchObject({ settings: { prompt: 'chat', system: 'Be brief.' } });
    expect(server.asked[0].body.messages).toHaveLength(2);
    const plain = await distillery.json(command, `${run}/checkpoints/sft`, ...rest, '--prompt', 'plain');
    expect(plain.settings).toEqual(expect.not.objectContaining({ system: expect.anything() }));
    expect(server.asked.at(-1)!.path).toBe('/v1/completions');
  });

  it('reports estimated token counts, and settings that the server does not support', async () => {
    server.behave = ({ body }) =>
      'top_k' in body ? { status: 400, error: 'Unknown parameter: top_k' } : { text: 'Answer: 1', usage: false };
    const { stdout } = await distillery.run(...onServer(), '--out', 'guessed.jsonl');
    expect(stdout).toMatch(
      /mean tokens +3\.0 +estimated[\s\S]*The server does not accept top_k and uses its own defaults/,
    );
    expect(answersIn('guessed.jsonl')[0]).toMatchObject({ tokens: 3, tokensEstimated: true });
    expect(await distillery.json(...onServer())).toMatchObject({ tokensEstimated: true, without: ['top_k'] });
  });

  it('counts a refused question as wrong, and continues', async () => {
    const [long] = recorded;
    server.behave = ({ prompt }) =>
      prompt.includes(long.question)
        ? { status: 400, body: { object: 'error', message: 'the context has 4096 tokens', code: 400 } }
        : { text: 'Answer: 1', usage: 5 };
    const { code, stdout } = await distillery.run(...onServer(), '--out', 'one-less.jsonl');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /mean tokens +5\.0[\s\S]*Counted as wrong: 1 answer that did not arrive .400 the context has/,
      ),
    ]);
    expect(answersIn('one-less.jsonl')).toHaveLength(6);
    expect(answersIn('one-less.jsonl')[0]).toMatchObject({ correct: false, error: expect.stringContaining('4096') });
  });

  it('keeps earlier answers when the server refuses all later questions', async () => {
    rmSync(join(distillery.folder, 'there.jsonl'));
    server.behave = (_, nth) => (nth < 3 ? { text: 'Answer: 1' } : { status: 402, error: 'no money' });
    server.asked.length = 0;
    const { code, stderr } = await distillery.run(...onServer(), '--out', 'there.jsonl', '--concurrency', '1');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/2 answers arrived before the failure: there.jsonl.partial/),
    ]);
    expect(existsSync(join(distillery.folder, 'there.jsonl'))).toBe(false);
    expect(answersIn('there.jsonl.partial')).toMatchObject([{ text: 'Answer: 1' }, { text: 'Answer: 1' }]);
  });

  it('reports errors', async () => {
    server.behave = () => ({ status: 404, error: 'The model `my-student` does not exist.' });
    const unknown = await distillery.run(...onServer());
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('serves the model "my-student"')]);
    const nameless = await distillery.run('evaluate', '--server', server.baseUrl, ...data);
    expect([nameless.code, nameless.stderr]).toEqual([2, expect.stringContaining('--model')]);
    const nothing = await distillery.run('evaluate', ...data);
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('no student is given')]);
  });
});
