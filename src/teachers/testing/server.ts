/** A real HTTP server with `/v1/chat/completions` and `/v1/completions`, and faults on request. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How the server handles a request. */
export type Behaviour =
  | {
      text: string;
      thought?: string;
      /** The field that carries the thinking. */
      field?: 'reasoning_content' | 'reasoning';
      finish?: string;
      /** False: the server does not count tokens; a number: it reports this count. */
      usage?: boolean | number;
      /** Milliseconds before the first piece, and between two. */
      delay?: number;
      /** Number of keep-alive comments before the first piece, 20 ms apart. */
      comments?: number;
      /** The reply as one JSON object: the server does not stream. */
      whole?: boolean;
    }
  /** `body`: a refusal in the server's own form. */
  | { status: number; headers?: Record<string, string>; error?: string; param?: string; body?: object }
  /** Begins a reply and drops the connection, or ends it as if all were well. */
  | { cut: 'connection' | 'stream' }
  | { garbage: string }
  /** What the server writes, event by event; the stream ends when it returns. */
  | { events: (send: (value: unknown) => void, response: ServerResponse) => Promise<void> | void }
  /** Says nothing until the other side gives up. */
  | 'silence';

export interface ReceivedRequest {
  path: string;
  body: Record<string, unknown>;
  prompt: string;
  /** The line of the prompt that ends in a question mark. */
  question: string;
  headers: IncomingMessage['headers'];
  /** True when the whole reply was sent: that is when a provider bills. */
  paid: boolean;
  at: number;
}

export interface FakeServer {
  baseUrl: string;
  asked: ReceivedRequest[];
  behave: (asked: ReceivedRequest, nth: number) => Behaviour | Promise<Behaviour>;
  close(): Promise<void>;
}

export async function openServer(behave: FakeServer['behave']): Promise<FakeServer> {
  const asked: ReceivedRequest[] = [];
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeServer = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    behave,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
    const messages = body.messages as { content: string }[] | undefined;
    const prompt = messages?.at(-1)?.content ?? String(body.prompt ?? '');
    const question = prompt.split('\n').find((line) => line.trim().endsWith('?')) ?? prompt;
    const record: ReceivedRequest = {
      path: request.url ?? '',
      body,
      prompt,
      question,
      headers: request.headers,
      paid: false,
      at: Date.now(),
    };
    asked.push(record);
    await reply(response, record, await fake.behave(record, asked.length));
  };
  return fake;
}

async function reply(response: ServerResponse, record: ReceivedRequest, behaviour: Behaviour): Promise<void> {
  if (behaviour === 'silence') return;
  if ('status' in behaviour) {
    const { status, headers, error = 'no', param, body } = behaviour;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body ?? { error: { message: error, param: param ?? null, code: null } }));
    return;
  }
  if ('text' in behaviour && behaviour.whole) {
    const { text, thought, finish = 'stop' } = behaviour;
    const message = { role: 'assistant', content: text, reasoning_content: thought };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: finish }] }, null, 2));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (value: unknown) =>
    response.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`);
  if ('garbage' in behaviour) {
    send(behaviour.garbage);
    response.end();
    return;
  }
  if ('events' in behaviour) {
    await behaviour.events(send, response);
    response.end();
    return;
  }
  const chat = record.path.endsWith('/chat/completions');
  const piece = (text: string, field = 'content') =>
    send({
      choices: [
        chat ? { index: 0, delta: { [field]: text }, finish_reason: null } : { index: 0, text, finish_reason: null },
      ],
    });
  if ('cut' in behaviour) {
    piece('Step 1: it beg');
    await sleep(5);
    if (behaviour.cut === 'connection') response.destroy();
    else response.end();
    return;
  }
  const { text, thought = '', field = 'reasoning_content', finish = 'stop', usage = true, delay = 0 } = behaviour;
  for (let i = 0; i < (behaviour.comments ?? 0); i++) {
    response.write(': keep-alive\n\n');
    await sleep(20);
  }
  for (const [words, name] of [
    [thought, field],
    [text, 'content'],
  ]) {
    for (const word of words.match(/\S+\s*|\s+/g) ?? []) {
      if (delay > 0) await sleep(delay);
      piece(word, name);
    }
  }
  send({ choices: [{ index: 0, ...(chat ? { delta: {} } : { text: '' }), finish_reason: finish }] });
  const tokens = (words: string) => words.split(/\s+/).filter(Boolean).length;
  if (usage !== false)
    send({
      choices: [],
      usage: {
        prompt_tokens: tokens(record.prompt),
        completion_tokens: typeof usage === 'number' ? usage : tokens(thought) + tokens(text),
      },
    });
  send('[DONE]');
  await new Promise<void>((resolve) => response.end(resolve));
  // A connection closed by the client accepts nothing more.
  record.paid = !response.destroyed || response.writableFinished;
}
