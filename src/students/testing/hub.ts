/** A server on this machine that speaks the Hub's routes that a download needs, with faults to order. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const commit = 'c0ffee'.padEnd(40, '0');

export interface HubOptions {
  repository?: string;
  files: Record<string, Buffer | string>;
  /** Names of files that are stored as LFS, as weights are. */
  lfs?: (name: string) => boolean;
  /** Without this token it answers 401. */
  token?: string;
  /** Entries of the tree instead of the files'. */
  tree?: unknown[];
  /** Answers instead of the server, for faults: true when it did. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface TestHub extends AsyncDisposable {
  url: string;
  /** `METHOD path` of every request with its headers. */
  requests: { path: string; headers: IncomingMessage['headers'] }[];
}

export async function startHub(options: HubOptions): Promise<TestHub> {
  const {
    repository = 'owner/student',
    files,
    token,
    intercept,
    lfs = (name) => name.endsWith('.safetensors'),
  } = options;
  const contents = new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)]));
  const tree = options.tree ?? [...contents].map(([name, content]) => treeEntry(name, content, lfs(name)));
  const requests: TestHub['requests'] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://hub').pathname);
    requests.push({ path, headers: request.headers });
    if (intercept?.(request, response)) return;
    if (token && request.headers.authorization !== `Bearer ${token}`) return void json(response, 401, { error: 'no' });
    if (path.startsWith(`/api/models/${repository}/revision/`))
      return void json(response, 200, { _id: '1', id: repository, sha: commit });
    if (path.startsWith(`/api/models/${repository}/tree/${commit}`)) return void json(response, 200, tree);
    const content = contents.get(path.split(`/${repository}/resolve/${commit}/`)[1] ?? '');
    if (!content) return void json(response, 404, { error: 'Repository not found' });
    sendRange(request, response, content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function treeEntry(path: string, content: Buffer, lfs: boolean) {
  const size = content.length;
  const oid = createHash('sha1').update(`blob ${size}\0`).update(content).digest('hex');
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { type: 'file', path, size, oid, ...(lfs && { lfs: { oid: sha256, size, pointerSize: 134 } }) };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export function sendRange(request: IncomingMessage, response: ServerResponse, content: Buffer): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const part = content.subarray(from);
  response.writeHead(206, {
    'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
    'content-length': part.length,
  });
  response.end(part);
}
