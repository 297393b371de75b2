/** A local server with those routes of the Hub that a download needs, and faults on request. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const commit = 'c0ffee'.padEnd(40, '0');

export interface HubOptions {
  /** Kind of the repository (default: model). */
  kind?: 'model' | 'dataset';
  repository?: string;
  /** The settings at the top of its readme. */
  card?: unknown;
  /** Tree entries per answer. */
  page?: number;
  files: Record<string, Buffer | string>;
  /** Names of files stored as LFS, as weights are. */
  lfs?: (name: string) => boolean;
  /** Without this token it answers 401. */
  token?: string;
  /** Replaces the tree entries. */
  tree?: unknown[];
  /** Handles a request in place of the server, for faults: true when it did. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface TestHub extends AsyncDisposable {
  url: string;
  /** `METHOD path` of every request with its headers. */
  requests: { path: string; headers: IncomingMessage['headers'] }[];
}

export async function startHub(options: HubOptions): Promise<TestHub> {
  const {
    kind = 'model',
    repository = 'owner/student',
    card,
    page = 1000,
    files,
    token,
    intercept,
    lfs = (name) => /\.(safetensors|parquet)$/.test(name),
  } = options;
  const contents = new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)]));
  const tree = options.tree ?? [...contents].map(([name, content]) => treeEntry(name, content, lfs(name)));
  const requests: TestHub['requests'] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://hub');
    const path = decodeURIComponent(url.pathname);
    requests.push({ path, headers: request.headers });
    if (intercept?.(request, response)) return;
    if (token && request.headers.authorization !== `Bearer ${token}`) return void json(response, 401, { error: 'no' });
    if (path.startsWith(`/api/${kind}s/${repository}/revision/`))
      return void json(response, 200, {
        _id: '1',
        id: repository,
        sha: commit,
        ...(card !== undefined && { cardData: card }),
      });
    if (path === `/api/${kind}s/${repository}/tree/${commit}`) {
      const from = Number(url.searchParams.get('cursor') ?? 0);
      const recursive = url.searchParams.get('recursive');
      const all = recursive === 'true' ? tree : tree.filter((entry) => !isNested(entry));
      const next = `http://${request.headers.host}${url.pathname}?recursive=${recursive}&cursor=${from + page}`;
      if (from + page < all.length) response.setHeader('link', `<${next}>; rel="next"`);
      return void json(response, 200, all.slice(from, from + page));
    }
    const base = `/${kind === 'dataset' ? 'datasets/' : ''}${repository}/resolve/${commit}/`;
    const content = path.startsWith(base) ? contents.get(path.slice(base.length)) : undefined;
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

const isNested = (entry: unknown) => (entry as { path: string }).path.includes('/');

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
