import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../errors';
import { TinkerClient } from './client';
import { startTinker, tinker } from './engine';
import { RemoteModel } from './model';
import { askForTinker } from './server';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  askForTinker(undefined);
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((done) => server!.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const always = (status: number, text: string) =>
  serve((request, response) => request.resume().on('end', () => response.writeHead(status).end(text)));

async function problem(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).remedy).toBeTruthy();
  return `${(error as UserError).message} | ${(error as UserError).remedy}`;
}

it('refuses addresses and keys before anything is sent, and repeats no key', async () => {
  const start = (url: string, key?: string) => problem(startTinker({ url, key }));
  expect(await start('ftp://x')).toMatch(/address of the Tinker server/);
  expect(await start('http://example.org', 'secret')).toMatch(/unencrypted/);
  const named = await start('https://me:secret@example.org');
  expect(named).toMatch(/a name or a password/);
  const broken = await start('https://example.org', 'tml-secret\n2');
  expect(broken).toMatch(/characters that no key has.*TINKER_API_KEY/);
  expect(named + broken).not.toMatch(/secret/);
});

describe('a server that is something else', () => {
  it.each([
    [200, '<!doctype html><title>Sign in</title>', /unknown form.*docs\/cluster\.md/],
    [200, '[]', /unknown form/],
    [200, '{"ok": true}', /create_session without session_id.*docs\/cluster\.md/],
    [302, '', /with 302.*Check the address/],
    [401, '{"detail": "no"}', /with 401.*Check the key/],
    [422, '{"detail": "sdk_version"}', /with 422: .*sdk_version.*versions that are known to work/],
  ])('answers %i %s', async (status, text, message) => {
    expect(await problem(startTinker({ url: await always(status, text), key: undefined }))).toMatch(message);
  });

  it('names no model', async () => {
    const url = await always(200, '{"session_id": "s", "supported_models": [null, {"name": "x"}]}');
    expect(await problem(startTinker({ url, key: undefined }))).toMatch(/names no model/);
    askForTinker({ url });
    const [report] = await tinker.reports({ measure: false });
    expect(report).toMatchObject({ usable: false, detail: expect.stringContaining('names no model') });
  });
});

it('repeats a request whose answer breaks off', async () => {
  let requests = 0;
  const text = '{"supported_models": [{"model_name": "tiny"}]}';
  const url = await serve((_, response) => {
    response.writeHead(200, { 'content-length': text.length });
    if (requests++ > 0) response.end(text);
    else response.write(text.slice(0, 9), () => response.destroy());
  });
  expect(await new TinkerClient({ url, key: undefined }).models()).toEqual(['tiny']);
  expect(requests).toBe(2);
});

it('reports a server that is down, or silent, without delay', async () => {
  const url = await always(200, '');
  await new Promise((done) => server!.close(done));
  askForTinker({ url });
  const [report] = await tinker.reports({ measure: false });
  expect(report).toMatchObject({ usable: false, detail: expect.stringContaining('ECONNREFUSED') });
  const silent = new TinkerClient({ url: await serve(() => {}), key: undefined });
  expect(await problem(silent.models({ tries: 1, timeoutMs: 50 }))).toMatch(
    /abandoned: nothing arrived for 0.05 s.*records of the run/,
  );
});

it('says that a restarted server has lost the session, and to resume', async () => {
  let answers: [number, object] = [200, { session_id: 's' }];
  const url = await serve((_, response) => response.writeHead(answers[0]).end(JSON.stringify(answers[1])));
  const client = new TinkerClient({ url, key: undefined });
  await client.open();
  for (const [status, detail] of [
    [400, 'Model model_5 not loaded (likely stale request from previous server)'],
    [404, 'Future not found'],
    [404, 'Session not found'],
  ] as const) {
    answers = [status, { detail }];
    const told = await problem(client.result('r'));
    expect(told).toContain(`the Tinker server at ${url} has lost this session`);
    expect(told).toMatch(/records of the run are kept\. Resume it.*newest checkpoint/);
  }
  answers = [404, { detail: 'Checkpoint not found: m/c' }];
  expect(await problem(client.result('r'))).toMatch(/with 404: .*Checkpoint not found/);
  await client.close();
});

it('gives up on an answer without end, and on a result that is never ready', async () => {
  const url = await serve(async (request, response) => {
    request.resume();
    if (request.url!.endsWith('retrieve_future')) return void response.writeHead(408).end();
    response.writeHead(200);
    for (; !response.destroyed; await new Promise((resolve) => setTimeout(resolve, 5))) response.write(' ');
  });
  const client = new TinkerClient({ url, key: undefined });
  const endless = await problem(client.models({ tries: 1, timeoutMs: 1000 }));
  expect(endless).toContain(`the request to the Tinker server at ${url} was abandoned: the answer did not end in 1 s`);
  expect(endless).toMatch(/Check the address/);
  expect(await problem(client.result('r', undefined, 100))).toMatch(/no result for 0\.1 s.*log may say why/);
});

it('refuses log-probs of other rows, and results in another form', async () => {
  let result: unknown;
  const url = await serve((request, response) => {
    const future = request.url!.endsWith('retrieve_future');
    const protobuf = request.headers['content-type']?.includes('protobuf');
    response.writeHead(protobuf ? 415 : 200);
    response.end(JSON.stringify(future ? result : { request_id: 'r' }));
  });
  result = { model_id: 'm' };
  const model = await RemoteModel.create(new TinkerClient({ url, key: undefined }), 'tiny', { rank: 4, seed: 1 });
  const rows = [{ tokens: [1, 2], targets: [2, 3], weights: [1, 1] }];
  result = { loss_fn_outputs: [{ logprobs: { data: [-1] } }] };
  expect(await problem(model.forward(rows))).toMatch(/other rows/);
  result = { outputs: [] };
  expect(await problem(model.forward(rows))).toMatch(/unknown form/);
  expect(await problem(model.save('x'))).toMatch(/save_weights without path/);
  result = { loss_fn_outputs: [{ logprobs: { data: [-1, null] } }] };
  expect(await model.forward(rows)).toEqual([Float32Array.of(-1, Number.NaN)]);
});
