import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { AnswerCutOff, type AnswerLimits, fetchWithin, release } from './answer-limits';
import { rejection } from './testing/errors';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Writes `piece` again and again, without end; `opened` counts the connections that are open. */
async function endless(piece: string, everyMs = 5): Promise<{ url: string; opened: () => number }> {
  let opened = 0;
  const url = await serve(async (_, response) => {
    opened++;
    response.on('close', () => opened--);
    response.writeHead(200);
    while (!response.destroyed) {
      response.write(piece);
      await sleep(everyMs);
    }
  });
  return { url, opened: () => opened };
}

const cutOff = async (url: string, limits: AnswerLimits) =>
  rejection(
    AnswerCutOff,
    fetchWithin(limits, url).then((answer) => answer.text()),
  );

const patient = { silenceMs: 60_000 };

describe('an answer', () => {
  it('without end is abandoned by time or size, and its connection is closed', async () => {
    const drip = await endless(' ');
    expect(await cutOff(drip.url, { ...patient, totalMs: 100 })).toMatchObject({
      message: 'the answer did not end in 0.1 s',
    });
    await expect.poll(drip.opened, { timeout: 60_000 }).toBe(0);
    expect(await cutOff(drip.url, { ...patient, contentMs: 100 })).toMatchObject({
      message: expect.stringContaining('signs of life'),
    });
    const flood = await endless('x'.repeat(1 << 20));
    expect(await cutOff(flood.url, { ...patient, bytes: 3 << 20 })).toMatchObject({
      message: 'more than 3 MB arrived',
    });
    await expect.poll(flood.opened, { timeout: 60_000 }).toBe(0);
  });

  it('that does not arrive, or stops midway, is abandoned after the time limit', async () => {
    const never = await cutOff(await serve(() => {}), { silenceMs: 50, totalMs: 50 });
    expect(never).toMatchObject({ message: 'nothing arrived for 0.05 s', arrived: false });
    const url = await serve((_, response) => response.writeHead(200).write('half'));
    expect(await cutOff(url, { silenceMs: 1000 })).toMatchObject({ message: 'nothing arrived for 1 s', arrived: true });
  });

  it('is complete with its status and headers, however slowly it is read', async () => {
    const url = await serve((_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-1/2', 'content-type': 'text/plain' });
      response.write('a');
      response.end('b');
    });
    const answer = await fetchWithin({ silenceMs: 1000 }, url);
    expect([answer.status, answer.headers.get('content-range')]).toEqual([206, 'bytes 0-1/2']);
    await sleep(1200); // no request waits for the server meanwhile
    expect(await answer.text()).toBe('ab');
    const empty = await serve((_, response) => response.writeHead(204).end());
    expect((await fetchWithin(patient, empty)).body).toBeNull();
  });

  it('that is not read is dropped', async () => {
    const { url, opened } = await endless('x');
    const answer = await fetchWithin(patient, url);
    await release(answer);
    await expect.poll(opened, { timeout: 60_000 }).toBe(0);
    const stop = new AbortController();
    const asked = fetchWithin(patient, await serve(() => {}), { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });
});
