import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sizeOf } from '../paths';
import { download } from './download';

const content = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
const known = { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };

let folder: string;
let file: string;
let server: Server;
let url: string;
let ranges: (string | undefined)[];
let serve: (request: IncomingMessage, response: ServerResponse, nth: number) => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-download-'));
  file = join(folder, 'deep', 'file.bin');
  ranges = [];
  serve = byRange;
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    serve(request, response, ranges.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const startOf = ({ headers }: IncomingMessage) => Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);

function byRange(request: IncomingMessage, response: ServerResponse): void {
  const start = startOf(request);
  if (start > 0) response.writeHead(206, { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` });
  response.end(content.subarray(start));
}

const quick = { delayMs: 1 };

describe('downloading a known file', () => {
  it('happens once', async () => {
    await download(url, file, known);
    await download(url, file, known);
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(ranges).toEqual([undefined]);
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it('resumes after a broken connection, and after an earlier process', async () => {
    serve = (request, response, nth) => {
      if (nth > 2) return byRange(request, response);
      const start = startOf(request);
      if (start > 0)
        response.writeHead(206, { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` });
      const breakOff = () => (sizeOf(`${file}.part`) === start + 20_000 ? response.destroy() : setTimeout(breakOff, 5));
      response.write(content.subarray(start, start + 20_000), breakOff);
    };
    const stop = new AbortController();
    const stopped = expect(download(url, file, known, { delayMs: 60_000, signal: stop.signal })).rejects.toThrow(
      'abort',
    );
    await vi.waitFor(() => expect(sizeOf(`${file}.part`)).toBe(20_000));
    stop.abort();
    await stopped;
    await download(url, file, known, quick);
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(ranges).toEqual([undefined, 'bytes=20000-', 'bytes=40000-']);
  });

  it('starts again if the server cannot resume', async () => {
    writeFileSync(join(folder, 'file.bin.part'), content.subarray(0, 100));
    file = join(folder, 'file.bin');
    serve = (_, response) => response.end(content); // no ranges: all of it, with status 200
    await download(url, file, known);
    expect(readFileSync(file).equals(content)).toBe(true);
  });

  it('retries after errors of the server', async () => {
    serve = (request, response, nth) => (nth < 3 ? response.writeHead(503).end() : byRange(request, response));
    await download(url, file, known, quick);
    expect(ranges).toHaveLength(3);
  });

  it('keeps nothing of a file with other content, a longer one, or one that never arrives', async () => {
    serve = (_, response) => response.end(Buffer.alloc(content.length));
    await expect(download(url, file, known, quick)).rejects.toThrow('a file other than the expected one');
    serve = (_, response) => response.end(Buffer.alloc(content.length + 1));
    await expect(download(url, file, known, quick)).rejects.toThrow('a file other than the expected one');
    serve = (_, response) => {
      response.write(Buffer.alloc(content.length)); // chunked: without a length
      response.end(Buffer.alloc(1));
    };
    await expect(download(url, file, known, quick)).rejects.toThrow('a file other than the expected one');
    serve = (_, response) => response.writeHead(404).end();
    await expect(download(url, file, known, quick)).rejects.toThrow('status 404');
    serve = () => {};
    await expect(download(url, file, known, { ...quick, silenceMs: 20 })).rejects.toThrow('cannot be reached');
    expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
  });

  it('gives up on a server that breaks off and resumes with other bytes, again and again', async () => {
    serve = (request, response) => {
      if (request.headers.range) return byRange(request, response);
      response.writeHead(200, { 'content-length': content.length });
      const breakOff = () => (sizeOf(`${file}.part`) === 20_000 ? response.destroy() : setTimeout(breakOff, 5));
      response.write(Buffer.alloc(20_000), breakOff);
    };
    await expect(download(url, file, known, quick)).rejects.toThrow('a file other than the expected one');
    expect(ranges).toEqual([undefined, 'bytes=20000-', undefined, 'bytes=20000-']);
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it('creates an empty file', async () => {
    await download(url, file, { bytes: 0, sha256: createHash('sha256').digest('hex') }, quick);
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('does not touch an existing file that differs', async () => {
    file = join(folder, 'mine.bin');
    writeFileSync(file, 'mine');
    await expect(download(url, file, known)).rejects.toThrow('another file is there already');
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});
