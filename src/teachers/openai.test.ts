import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from '../testing/errors';
import { checkBaseUrl, keyFor } from './endpoint';
import { retryAfter, TeacherFault } from './faults';
import { openAiTeacher } from './openai';
import { chainText, collectReply, withinLength } from './reply';
import { type Behaviour, type FakeServer, openServer } from './testing/server';
import type { TeacherRequest } from './types';

let server: FakeServer;
beforeEach(async () => {
  server = await openServer(() => ({ text: 'Step 1: 1 + 1 = 2\nAnswer: 2' }));
});
afterEach(() => server.close());

const request: TeacherRequest = { prompt: 'How much is 1 + 1?', temperature: 0.7, maxTokens: 100, key: 'k1' };
const never = new AbortController().signal;

interface Settings {
  apiKey?: string;
  silenceMs?: number;
  contentMs?: number;
  totalMs?: number;
}

async function ask(behaviour?: Behaviour, settings: Settings = {}) {
  if (behaviour) server.behave = () => behaviour;
  const teacher = openAiTeacher({ baseUrl: server.baseUrl, model: 'm', ...settings });
  return collectReply(withinLength(teacher.ask(request, never), request.maxTokens), request.prompt.length);
}

const faultOf = (promise: Promise<unknown>) => rejection(TeacherFault, promise);

describe('an OpenAI-compatible teacher', () => {
  it('sends the question and reads the streamed text and its usage', async () => {
    const reply = await ask();
    expect(reply).toEqual({
      thought: '',
      text: 'Step 1: 1 + 1 = 2\nAnswer: 2',
      finished: true,
      usage: { prompt: 6, completion: 9 },
    });
    const [{ body, headers, path }] = server.asked;
    expect(path).toBe('/v1/chat/completions');
    expect(body).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'How much is 1 + 1?' }],
      stream: true,
      temperature: 0.7,
      max_tokens: 100,
      stream_options: { include_usage: true },
    });
    expect(headers.authorization).toBeUndefined();
    expect(headers['idempotency-key']).toBe('k1');
  });

  it('sends a key as a bearer token', async () => {
    await ask(undefined, { apiKey: 'sk-test' });
    expect(server.asked[0].headers.authorization).toBe('Bearer sk-test');
  });

  it.each(['reasoning_content', 'reasoning'] as const)('takes thinking from %s', async (field) => {
    const reply = await ask({ thought: 'Hmm, two.', text: 'Answer: 2', field });
    expect(reply).toMatchObject({ thought: 'Hmm, two.', text: 'Answer: 2' });
    expect(chainText(reply)).toBe('<think>\nHmm, two.\n</think>\nAnswer: 2');
    expect(chainText(reply, false)).toBe('Answer: 2');
  });

  it('takes thinking from a block in the text, also where its opening mark was in the prompt', async () => {
    expect(await ask({ text: '<think>\nHmm.\n</think>\n\nAnswer: 2' })).toMatchObject({
      thought: 'Hmm.',
      text: 'Answer: 2',
    });
    expect(await ask({ text: 'Hmm.\n</think>\nAnswer: 2' })).toMatchObject({ thought: 'Hmm.', text: 'Answer: 2' });
    expect(await ask({ text: '<think> never ends', finish: 'length' })).toMatchObject({
      thought: 'never ends',
      text: '',
      finished: false,
    });
  });

  it('estimates tokens where the server does not count them', async () => {
    expect(await ask({ text: 'x'.repeat(400), usage: false })).toMatchObject({
      estimated: true,
      usage: { prompt: 5, completion: 100 },
    });
  });

  it('leaves out what a server refuses, from then on', async () => {
    server.behave = ({ body }) =>
      'stream_options' in body
        ? { status: 400, error: 'Unrecognized request argument supplied: stream_options' }
        : 'max_tokens' in body
          ? { status: 400, error: "Use 'max_completion_tokens' instead.", param: 'max_tokens' }
          : { text: 'Answer: 2' };
    const teacher = openAiTeacher({ baseUrl: server.baseUrl, model: 'o9' });
    for (let i = 0; i < 2; i++)
      expect(await collectReply(teacher.ask(request, never), 0)).toMatchObject({ text: 'Answer: 2' });
    expect(server.asked).toHaveLength(4);
    expect(server.asked[3].body).toMatchObject({ max_completion_tokens: 100 });
  });

  it('does not drop a setting whose value is out of range, which the user must fix', async () => {
    const error = "Invalid 'temperature': decimal above maximum value. Expected a value <= 1, but got 1.5 instead.";
    server.behave = ({ body }) =>
      'temperature' in body ? { status: 400, error, param: 'temperature' } : { text: 'Answer: 2' };
    const teacher = openAiTeacher({ baseUrl: server.baseUrl, model: 'm' });
    const fault = await faultOf(collectReply(teacher.ask({ ...request, temperature: 1.5 }, never), 0));
    expect(fault).toMatchObject({ kind: 'request', message: expect.stringContaining('above maximum') });
    expect(server.asked).toHaveLength(1);
  });

  it('recognizes refusals in all their forms', async () => {
    const forms = [
      { detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs are not permitted' }] },
      { object: 'error', message: 'seed is not supported', type: 'BadRequestError', code: 400 },
      { detail: 'Unknown field: seed' },
      { error: 'unknown field seed' },
    ];
    for (const body of forms) {
      server.behave = (asked) => ('seed' in asked.body ? { status: 422, body } : { text: 'Answer: 2' });
      const teacher = openAiTeacher({ baseUrl: server.baseUrl, model: 'm' });
      const reply = await collectReply(teacher.ask({ ...request, seed: 3 }, never), 0);
      expect(reply).toMatchObject({ text: 'Answer: 2', without: ['seed'] });
    }
    const told = async (body: object) => (await faultOf(ask({ status: 400, body }))).message;
    expect(await told({ object: 'error', message: 'context length is 4096' })).toContain('context length is 4096');
    expect(await told({ detail: [{ loc: ['body', 'messages', 0], msg: 'too long' }] })).toContain('messages: too long');
    expect(await told({ reason: 'Tuesday' })).toContain('Tuesday');
  });

  it('neutralizes other sampling settings on request, as far as the server supports it', async () => {
    const range = 'top_k must be -1 (disable), or at least 1, got 0.';
    server.behave = ({ body }) =>
      'top_k' in body
        ? { status: 400, error: range }
        : 'repeat_penalty' in body
          ? {
              status: 422,
              body: { detail: [{ loc: ['body', 'repeat_penalty'], msg: 'Extra inputs are not permitted' }] },
            }
          : { text: 'Answer: 2' };
    for (const api of ['chat', 'completions'] as const) {
      const teacher = openAiTeacher({ baseUrl: server.baseUrl, model: 'm', api });
      const reply = await collectReply(teacher.ask({ ...request, neutral: true }, never), 0);
      expect(reply.without).toEqual(['top_k', 'repeat_penalty']);
      expect(server.asked.at(-1)!.body).toMatchObject({
        top_p: 1,
        min_p: 0,
        presence_penalty: 0,
        repetition_penalty: 1,
      });
    }
  });

  it.each<[object, string]>([
    [{ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hmm.' }] }] }, 'as Mistral does'],
    [{ content: [{ type: 'thinking', thinking: 'Hmm.' }] }, 'as Anthropic does'],
    [{ content: '', reasoning: 'Hmm.', reasoning_details: [{ type: 'reasoning.text', text: 'Hmm.' }] }, 'twice'],
    [{ content: null, thinking: 'Hmm.' }, 'as Ollama does'],
    [{ content: '', thinking_blocks: [{ type: 'thinking', thinking: 'Hmm.' }] }, 'as LiteLLM does'],
    [{ content: [{ text: 'Hmm.', thought: true }] }, 'as Gemini does'],
  ])('takes thinking from %j, %s', async (delta, _) => {
    const choice = (more: object, finish: string | null = null) => ({
      choices: [{ index: 0, delta: more, finish_reason: finish }],
    });
    const reply = await ask({
      events(send) {
        send(choice(delta));
        send(choice({ content: [{ type: 'text', text: 'Answer: ' }, 7, null, { type: 'image' }] }));
        send(choice({ content: '2' }, 'stop'));
        send('[DONE]');
      },
    });
    expect(reply).toMatchObject({ thought: 'Hmm.', text: 'Answer: 2', finished: true });
  });

  it('accepts a stream that says it is complete even without a finish reason', async () => {
    const choice = { index: 0, delta: { content: 'Answer: 2' }, finish_reason: null };
    const said = (mark: string): Behaviour => ({
      events(send, response) {
        send({ choices: [choice] });
        response.write(mark);
      },
    });
    for (const mark of ['data: [DONE]\n\n', 'data:[DONE]\r\n\r\n'])
      expect(await ask(said(mark))).toMatchObject({ text: 'Answer: 2', finished: true });
    const quoted = { choices: [{ ...choice, delta: { content: ' data: [DONE]' } }] };
    expect(await faultOf(ask(said(`data: ${JSON.stringify(quoted)}\n\n`)))).toMatchObject({ kind: 'passing' });
  });

  it('takes a whole reply from a server that does not stream', async () => {
    const reply = await ask({ whole: true, thought: 'Hmm.', text: 'Answer: 2' });
    expect(reply).toMatchObject({ thought: 'Hmm.', text: 'Answer: 2', finished: true, estimated: true });
    expect(server.asked).toHaveLength(1);
  });

  it('says whether asking again may help', async () => {
    const limited = await faultOf(ask({ status: 429, headers: { 'retry-after': '7' } }));
    expect(limited).toMatchObject({ kind: 'passing', details: { retryAfterMs: 7000, throttled: true } });
    expect(await faultOf(ask({ status: 500 }))).toMatchObject({ kind: 'passing' });
    expect(await faultOf(ask({ status: 401, error: 'bad key' }))).toMatchObject({ kind: 'teacher' });
    expect(await faultOf(ask({ status: 404 }))).toMatchObject({ kind: 'teacher' });
    expect(await faultOf(ask({ status: 402 }))).toMatchObject({ kind: 'teacher' });
    expect(await faultOf(ask({ status: 400, error: 'context too long' }))).toMatchObject({ kind: 'request' });
    expect(await faultOf(ask({ status: 302, headers: { location: 'http://elsewhere.example/' } }))).toMatchObject({
      kind: 'teacher',
    });
    expect(server.asked.every(({ path }) => path === '/v1/chat/completions')).toBe(true);
  });

  it('accepts no truncated, garbled or empty reply', async () => {
    for (const behaviour of [
      { cut: 'connection' },
      { cut: 'stream' },
      { garbage: '{"choices": [' },
      { garbage: '7' },
      { garbage: '{"error": {"message": "the engine died", "code": 500}}' },
      { text: '' },
    ] as Behaviour[])
      expect(await faultOf(ask(behaviour))).toMatchObject({ kind: 'passing' });
    expect(await faultOf(ask({ text: 'x', finish: 'content_filter' }))).toMatchObject({ kind: 'request' });
  });

  it('gives up after a time limit', async () => {
    expect(await faultOf(ask('silence', { silenceMs: 60 }))).toMatchObject({
      kind: 'passing',
      message: `no complete reply from ${new URL(server.baseUrl).host}: nothing arrived for 0.06 s`,
      details: { remedy: expect.stringContaining('--timeout') },
    });
    // The silence may come after some words, too.
    expect(await faultOf(ask({ text: 'one two', delay: 150 }, { silenceMs: 100 }))).toMatchObject({
      message: expect.stringContaining('nothing arrived for 0.1 s'),
    });
  });

  /** Writes `part` every `everyMs` milliseconds, without end. */
  const endless = (part: string, everyMs = 5): Behaviour => ({
    async events(_, response) {
      while (!response.destroyed) {
        response.write(part);
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    },
  });
  const delta = (text: string) => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`;

  it.each([
    ['comments', ': ping\n\n'],
    ['line ends', '\n'],
    ['line ends of every kind', '\r\n\r\r\n\n'],
    ['events without data', 'event: ping\n\n'],
    ['events with empty data', 'data:\n\n'],
    ['events with an empty object', 'data: {}\n\n'],
    ['deltas without text', 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'],
    ['counts', 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'],
  ])('gives up on endless %s, without end or content', async (_, part) => {
    const fault = await faultOf(ask(endless(part), { contentMs: 100 }));
    expect(fault).toMatchObject({ kind: 'passing', details: { remedy: expect.stringContaining('log of the server') } });
    expect(fault.message).toMatch(/127\.0\.0\.1:\d+: nothing but signs of life arrived for 0\.1 s/);
  });

  it.each([
    ['a mark', '[DONE]'],
    ['a reason', { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }],
  ])('takes a reply that %s ends, although the server continues endlessly', async (_, mark) => {
    const reply = await ask(
      {
        async events(send, response) {
          send({ choices: [{ index: 0, delta: { content: 'Answer: 2' } }] });
          send(mark);
          for (; !response.destroyed; await new Promise((resolve) => setTimeout(resolve, 5)))
            response.write(': ping\n\n');
        },
      },
      { contentMs: 1000 },
    );
    expect(reply).toMatchObject({ text: 'Answer: 2', finished: true });
  });

  it('gives up on an endless reply, in time, in size or in pieces', async () => {
    const told = async (part: string, settings: Settings, everyMs?: number) =>
      (await faultOf(ask(endless(part, everyMs), settings))).message;
    expect(await told(delta('x'), { totalMs: 400 })).toContain('the answer did not end in 0.4 s');
    const flood = `${'\n'.repeat(1 << 19)}: ${'x'.repeat(4 << 20)}`;
    expect(await told(flood, {}, 1)).toContain('more than 16 MB arrived without content');
    expect(await told(delta('x'.repeat(1 << 20)), {})).toContain('longer than 1000000 characters');
    expect(await told(delta('x').repeat(100), {}, 1)).toContain('more than 2600 pieces for 100 tokens');
  });

  it('waits as long as comments keep the connection alive', async () => {
    expect(await ask({ comments: 100, text: 'Answer: 2' }, { silenceMs: 1500 })).toMatchObject({ text: 'Answer: 2' });
  });

  it('is a transient fault if nothing listens', async () => {
    await server.close();
    const teacher = openAiTeacher({ baseUrl: server.baseUrl, model: 'm' });
    const fault = await faultOf(collectReply(teacher.ask(request, never), 0));
    expect(fault).toMatchObject({ kind: 'passing', message: expect.stringContaining('ECONNREFUSED') });
  });

  it('stops on request', async () => {
    server.behave = () => 'silence';
    const abort = new AbortController();
    const reply = collectReply(openAiTeacher({ baseUrl: server.baseUrl, model: 'm' }).ask(request, abort.signal), 0);
    setTimeout(() => abort.abort(), 30);
    await expect(reply).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });
});

describe('endpoints and keys', () => {
  it('refuses URLs that hold secrets or are none', () => {
    for (const text of [
      'localhost:8000/v1',
      'ftp://x/',
      'https://me:secret@x/v1',
      'https://x/v1?key=secret',
      'nonsense',
    ])
      expect(() => checkBaseUrl(text)).toThrow(/base URL/);
    expect(checkBaseUrl('http://localhost:8000/v1/chat/completions').href).toBe('http://localhost:8000/v1');
  });

  it("sends OpenAI's key to OpenAI only", () => {
    const environment = { OPENAI_API_KEY: 'sk-o' };
    expect(keyFor(new URL('https://api.openai.com/v1'), environment)).toEqual({ key: 'sk-o', from: 'OPENAI_API_KEY' });
    for (const url of [
      'https://api.openai.com.evil.example/v1',
      'http://api.openai.com/v1',
      'http://localhost/v1',
      'https://notopenai.com',
    ])
      expect(keyFor(new URL(url), environment)).toBeUndefined();
    expect(keyFor(new URL('http://localhost/v1'), { ...environment, DISTILLERY_API_KEY: 'd' })?.from).toBe(
      'DISTILLERY_API_KEY',
    );
  });

  it('reads Retry-After as seconds and as a date', () => {
    const at = (value: string) => retryAfter(new Headers({ 'retry-after': value }), Date.parse('2026-01-01T00:00:00Z'));
    expect([at('2'), at('0.5'), at('Thu, 01 Jan 2026 00:00:30 GMT'), at('soon')]).toEqual([
      2000,
      500,
      30_000,
      undefined,
    ]);
    expect(retryAfter(new Headers({ 'retry-after-ms': '120' }))).toBe(120);
  });
});
