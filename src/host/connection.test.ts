/** The host's connections: a client's messages end at most its own connection. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Address, protocolVersion, requests } from '../protocol/control';
import { serveClient } from './connection';
import { Control } from './control';
import type { ToEngine } from './messages';
import { Service } from './service';
import { framed, hostileMessages } from './testing/hostile-messages';

vi.mock('./faults', async (original) => ({ ...(await original<typeof import('./faults')>()), log: () => {} }));

let folder: string;
let server: Server;
let service: Service;
let control: Control;
const asked: ToEngine[] = [];
const open = new Set<Socket>();
const address: Address = {
  protocol: protocolVersion,
  version: '0',
  pid: process.pid,
  startTime: '',
  machine: '',
  session: 's',
  endpoint: '',
  token: 't'.repeat(64),
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'host-'));
  address.endpoint = process.platform === 'win32' ? `\\\\.\\pipe\\host-${process.pid}` : join(folder, 'host.sock');
  control = new Control({
    toEngine: (message) => asked.push(message),
    graceMs: 1e6,
    kill: () => {},
    changed: () => {},
  });
  service = new Service(control, address.session, () => {});
  server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    serveClient(socket, service, address);
  });
  await new Promise<void>((resolve) => server.listen(address.endpoint, resolve));
});
afterAll(() => {
  for (const socket of open) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

const json = (value: object) => framed(JSON.stringify(Object.assign({ jsonrpc: '2.0' }, value)));
const client = { name: 'test', version: '0', pid: 1 };
const hello = json({ id: 'h', method: 'hello', params: { protocol: protocolVersion, token: address.token, client } });

/** Sends parts as they are, then closes its side; resolves to what was said when the host has let go. */
function say(...parts: Buffer[]): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(address.endpoint, () => {
      for (const part of parts) socket.write(part);
      socket.end();
    });
    socket.on('data', (data) => (said += data));
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
  });
}

/** Somebody else is served. */
async function serves(): Promise<void> {
  const said = await converse([json({ id: 's', method: 'status' })], '"id":"s"');
  expect(said).toContain('"state":');
}

/**
 * Says hello and waits for the answer, sends parts; resolves to what was said once it holds `until`, or the host has
 * let go.
 */
function converse(parts: Buffer[], until: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    let greeted = false;
    const socket = connect(address.endpoint, () => socket.write(hello));
    socket.on('data', (data) => {
      said += data;
      if (!greeted && said.includes('"id":"h"')) {
        greeted = true;
        for (const part of parts) socket.write(part);
      }
      if (said.includes(until)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
  });
}

describe('the server of a host', () => {
  it.each(Object.keys(hostileMessages))('survives an unknown and a known client that sends: %s', async (name) => {
    asked.length = 0;
    expect(await say(hostileMessages[name])).not.toContain('"protocol"');
    await say(hello, hostileMessages[name], hello);
    await serves();
    expect(asked).toEqual([]);
  });

  it('answers messages before one that ends the connection, and none after it', async () => {
    const status = (id: number) => json({ id, method: 'status' });
    const said = await converse([status(1), hostileMessages['arrays 30,000 deep'], status(2)], 'no end');
    expect(said).not.toContain('"id":2');
    await serves();
  });

  it('takes long messages of a client only, up to a limit', async () => {
    const long = json({ id: 1, method: 'status', params: { a: 'x'.repeat(1 << 20) } });
    expect(await say(long)).toBe('');
    expect(await converse([long], '"id":1')).toContain('"state":');
    const head = Buffer.from(`Content-Length: ${33 << 20}\r\n\r\n`);
    expect(await converse([head, Buffer.alloc(1000)], 'no end')).not.toContain('"id":1');
  });

  it('limits the number of waiting requests of a client', async () => {
    const events = (id: number) => json({ id, method: 'events', params: { session: 's', after: 0, waitMs: 60_000 } });
    const many = Array.from({ length: 300 }, (_, id) => events(id));
    const said = await converse([...many], '"id":299');
    expect(said).toContain('requests wait for an answer');
    expect(said.match(/"code":"busy"/g)?.length).toBe(300 - 64);
  });

  const greeted = async () => {
    const socket = connect(address.endpoint);
    socket.on('error', () => {});
    socket.write(hello);
    await new Promise((resolve) => socket.once('data', resolve));
    return socket;
  };

  it('limits the bytes of long messages that arrive, of all clients together', async () => {
    const head = Buffer.from(`Content-Length: ${31 << 20}\r\n\r\n{`);
    const clients = await Promise.all(Array.from({ length: 7 }, greeted));
    for (const socket of clients) socket.write(head);
    await expect.poll(() => open.size, { timeout: 60_000 }).toBe(4);
    await serves();
    for (const socket of clients) socket.destroy();
    await expect.poll(() => open.size, { timeout: 60_000 }).toBe(0);
    const long = json({ id: 1, method: 'status', params: { a: 'x'.repeat(30 << 20) } });
    expect(await converse([long], '"id":1')).toContain('"state":');
  });

  it('limits the bytes of requests that wait', async () => {
    const problems = [{ id: '1', question: 'x'.repeat(20 << 20), answer: '1' }];
    const evaluate = (id: number) => json({ id, method: 'evaluate', params: { checkpoint: '/none', problems } });
    asked.length = 0;
    const said = await converse(
      Array.from({ length: 9 }, (_, id) => evaluate(id)),
      '"id":8',
    );
    expect(said.match(/"code":"busy","message":"the requests that wait/g)).toHaveLength(3);
    const jobs = () => asked.flatMap((message) => (message.type === 'job' ? [message.id] : []));
    const answerAll = () => {
      for (const id of jobs()) control.receive({ type: 'answer', id, result: {} });
    };
    expect(jobs()).toHaveLength(6);
    answerAll();
    const again = converse([evaluate(9)], '"id":9');
    await expect.poll(() => jobs().length, { timeout: 60_000 }).toBe(7);
    answerAll();
    expect(await again).not.toContain('busy');
    await serves();
  });

  it('disconnects a client that reads nothing', async () => {
    const socket = await greeted();
    socket.pause();
    for (let id = 0; id < 20_000; id++) socket.write(json({ id, method: 'status' }));
    await expect.poll(() => open.size, { timeout: 60_000 }).toBe(0);
    socket.destroy();
    await serves();
  });

  it('forgets clients that have disconnected', async () => {
    await Promise.all(Array.from({ length: 60 }, () => say(hello)));
    await expect.poll(() => open.size, { timeout: 60_000 }).toBe(0);
    expect(service.deserted).toBe(true);
  });
});

describe('the server of a host, fuzzed', () => {
  const seen = { seed: 17, numRuns: 150 };
  const token = fc.constantFrom(address.token, '', 'x', '__proto__');
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<unknown>(0, -1, 1, 2 ** 53, 1e308, '', 'a', '../..', null, true, [], {}) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown> },
  );
  const names = [
    ...['protocol', 'token', 'client', 'session', 'after', 'waitMs', 'experiment', 'run', 'checkpoint', 'problems'],
    ...['texts', 'question', 'samples', 'record', 'evenBusy', 'partialResultToken', 'constructor', '__proto__'],
  ];
  const params = fc.oneof(
    value,
    fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5, noNullPrototype: true }),
    fc.record({ protocol: fc.constantFrom(protocolVersion, 0, 99), token, client: fc.constant(client) }),
  );
  // What starts work is the engine's matter: it is not there.
  const methods = [...Object.keys(requests), '$/cancelRequest', '$/progress', 'toString', ''];
  const message = fc
    .record({ id: fc.option(value, { nil: undefined }), method: fc.oneof(fc.constantFrom(...methods), value), params })
    .map((one) => json(one));
  const bytes = fc.uint8Array({ maxLength: 300 }).map((one) => Buffer.from(one));
  const part = fc.oneof(
    { weight: 6, arbitrary: message },
    { weight: 2, arbitrary: fc.constant(hello) },
    { weight: 1, arbitrary: bytes },
    { weight: 1, arbitrary: bytes.map((one) => framed(one)) },
    { weight: 1, arbitrary: fc.constantFrom(...Object.values(hostileMessages)) },
  );

  it('survives messages in any order, whole or truncated anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 8 }), fc.nat(), async (parts, at) => {
        const whole = Buffer.concat(parts);
        const cut = at % (whole.length + 1);
        await say(whole.subarray(0, cut), whole.subarray(cut));
      }),
      seen,
    );
    await serves();
    await expect.poll(() => open.size, { timeout: 60_000 }).toBe(0);
  });

  it('lets no client reach the engine without the token', async () => {
    asked.length = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), async (parts) => {
        const strange = parts.filter((one) => !one.includes(address.token));
        await say(...strange);
      }),
      seen,
    );
    expect(asked).toEqual([]);
  });
});
