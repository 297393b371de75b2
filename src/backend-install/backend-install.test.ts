import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import JSZip from 'jszip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uvVersion } from '../engine-install/pins';
import { UserError } from '../errors';
import { compileError, findCompiler } from './build';
import { fetchFile, type RemoteFile } from './fetch';
import pinned from './pinned-wheels.json';
import { newestTestedVersion, wheelMemberPath, wheelOf } from './pypi';
import type { InstallStep } from './report';
import { checkArchitecture, findSource, folderSource, type TensorFlowSource } from './source';
import { unzip } from './unzip';

let folder = '';
let server: Server | null = null;
const steps: InstallStep[] = [];
const watch = { progress: (step: InstallStep) => void steps.push(step) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-install-'));
  steps.length = 0;
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true });
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const content = Buffer.from('0123456789'.repeat(1000));
const remote = (url: string, bytes = content): RemoteFile => ({
  name: 'a file',
  url,
  size: content.length,
  hash: { algorithm: 'sha256', digest: createHash('sha256').update(bytes).digest('hex'), encoding: 'hex' },
});

describe('a download', () => {
  it('resumes a broken download, and checks the hash of the whole file', async () => {
    const asked: (string | undefined)[] = [];
    const path = join(folder, 'parts', 'file');
    /** Breaks the connection once the sent part is on the disk. */
    const breakOff = (response: ServerResponse) => {
      if (existsSync(path) && statSync(path).size === 4000) response.destroy();
      else setTimeout(() => breakOff(response), 5);
    };
    const url = await serve((request, response) => {
      asked.push(request.headers.range);
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (from) response.writeHead(206, { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` });
      if (from) response.end(content.subarray(from));
      else response.write(content.subarray(0, 4000), () => breakOff(response));
    });
    await fetchFile(remote(url), path, watch);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(asked).toEqual([undefined, 'bytes=4000-']);
    expect(steps[steps.length - 1]).toEqual({ doing: 'Downloading a file', done: 10_000, total: 10_000 });
  });

  it('deletes what has another hash, and refuses more bytes than announced', async () => {
    const url = await serve((_request, response) => void response.end(content));
    const path = join(folder, 'file');
    await expect(fetchFile(remote(url, Buffer.from('other')), path, watch)).rejects.toThrow(/the hash of .* differs/);
    expect(existsSync(path)).toBe(false);
    await expect(fetchFile({ ...remote(url), size: 5000 }, path, watch)).rejects.toThrow(/longer than announced/);
  });

  it('reports a missing network, and stops on request', async () => {
    const error = await fetchFile(remote('http://127.0.0.1:1/x'), join(folder, 'x'), watch).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code: 'network', remedy: expect.stringContaining('--from') });
    const stop = new AbortController();
    const url = await serve((_request, response) => {
      response.write('a');
      setTimeout(() => stop.abort(new Error('stopped')), 20);
    });
    await expect(fetchFile(remote(url), join(folder, 'y'), { ...watch, signal: stop.signal })).rejects.toThrow(
      'stopped',
    );
  });
});

describe('unpacking', () => {
  it('writes the chosen members only', async () => {
    const zip = new JSZip();
    zip.file('tensorflow/libtensorflow_cc.so.2', 'x'.repeat(100_000));
    zip.file('tensorflow/include/tensorflow/c/c_api.h', 'api', { compression: 'STORE' });
    zip.file('tensorflow/include/tensorflow/c/empty.h', '');
    zip.file('tensorflow/python/ops.py', 'python');
    const file = join(folder, 'a.whl');
    writeFileSync(file, await zip.generateAsync({ type: 'nodebuffer', compression: 'DEFLATE' }));
    expect(await unzip(file, join(folder, 'out'), wheelMemberPath, watch)).toBe(3);
    expect(readFileSync(join(folder, 'out/tensorflow/libtensorflow_cc.so.2'), 'utf8')).toBe('x'.repeat(100_000));
    expect(readFileSync(join(folder, 'out/tensorflow/include/tensorflow/c/c_api.h'), 'utf8')).toBe('api');
    expect(readFileSync(join(folder, 'out/tensorflow/include/tensorflow/c/empty.h'), 'utf8')).toBe('');
    expect(existsSync(join(folder, 'out/tensorflow/python'))).toBe(false);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - 60));
    await expect(unzip(file, join(folder, 'out2'), wheelMemberPath, watch)).rejects.toThrow(/zip file cannot be read/);
  });

  it('follows no path out of its folder', () => {
    expect(wheelMemberPath('tensorflow/include/tensorflow/c/../../../../x.h')).toBeNull();
    expect(wheelMemberPath('/etc/passwd')).toBeNull();
    expect(wheelMemberPath('tensorflow/include/xla/tsl/platform/types.h')).not.toBeNull();
  });
});

describe('a wheel', () => {
  it('is the one for this machine', () => {
    const of = (filename: string, size: number) => ({
      filename,
      size,
      url: `../files/${filename}`,
      digests: { sha256: 'f' },
    });
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    const page = {
      releases: {
        '2.20.0': [
          of(`t-cp312-manylinux_2_27_${machine}.whl`, 20),
          of(`t-cp310-manylinux_2_27_${machine}.whl`, 10),
          of('t-cp310-win_amd64.whl', 5),
        ],
      },
    };
    const asked = { project: 'tensorflow-cpu', version: '2.20.0', url: 'https://pypi.org/pypi/tensorflow-cpu/json' };
    if (process.platform === 'linux')
      expect(wheelOf(page, asked)).toMatchObject({
        name: 'tensorflow-cpu 2.20.0',
        url: `https://pypi.org/pypi/files/t-cp310-manylinux_2_27_${machine}.whl`,
      });
    expect(() => wheelOf(page, { ...asked, version: '1.0' })).toThrow(/PyPI has no tensorflow-cpu 1\.0/);
  });

  it('of a pinned release has the pinned hash, even if the index gives another', () => {
    for (const [project, version] of [
      ['tensorflow', newestTestedVersion],
      ['tensorflow-cpu', newestTestedVersion],
      ['uv', uvVersion],
    ] as const) {
      const hashes = Object.entries((pinned as Record<string, Record<string, string>>)[`${project} ${version}`]);
      expect(hashes.length, project).toBeGreaterThan(1);
      const files = hashes.map(([filename]) => ({ filename, size: 9, url: filename, digests: { sha256: 'evil' } }));
      const added = files.map((file) => ({ ...file, filename: `more-${file.filename}`, size: 1 }));
      const page = { releases: { [version]: [...files, ...added] } };
      if (process.platform !== 'linux' || process.arch !== 'x64') continue;
      const { hash, url } = wheelOf(page, { project, version, url: 'https://index/' });
      expect(hashes).toContainEqual([url.split('/').at(-1), hash.digest]);
      expect(hash.digest).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});

/** An ELF file's first bytes for a machine. */
function elf(machine: number): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32BE(0x7f454c46, 0);
  bytes.writeUInt16LE(machine, 18);
  return bytes;
}

describe.runIf(process.platform === 'linux')('a TensorFlow', () => {
  const place = (machine = process.arch === 'arm64' ? 183 : 62) => {
    const site = join(folder, 'site-packages', 'tensorflow');
    mkdirSync(join(site, 'include/tensorflow/c'), { recursive: true });
    mkdirSync(join(folder, 'site-packages/tensorflow_cpu-2.20.0.dist-info'), { recursive: true });
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
      writeFileSync(join(site, name), elf(machine));
    writeFileSync(join(site, 'include/tensorflow/c/c_api.h'), '');
    return site;
  };

  it('is found by its folder or by a Python that has it, with its version', async () => {
    const site = place();
    expect(folderSource(site)).toMatchObject({ version: '2.20.0', include: join(site, 'include') });
    const python = join(folder, 'python');
    writeFileSync(python, `#!/bin/sh\necho ${site}\n`);
    chmodSync(python, 0o755);
    expect(await findSource(python)).toMatchObject({ version: '2.20.0', origin: python });
    writeFileSync(python, '#!/bin/sh\necho\n');
    await expect(findSource(python)).rejects.toThrow(/has no TensorFlow/);
    await expect(findSource(join(folder, 'nothing'))).rejects.toThrow(/does not answer like a Python/);
  });

  it('is refused for another processor, without its headers or its library', () => {
    const site = place(process.arch === 'arm64' ? 62 : 183);
    expect(() => folderSource(site)).toThrow(/it is built for \w+, but this Node\.js for/);
    expect(() =>
      checkArchitecture(join(site, 'libtensorflow_cc.so.2'), process.arch === 'arm64' ? 'x64' : 'arm64'),
    ).not.toThrow();
    place();
    rmSync(join(site, 'include'), { recursive: true });
    expect(() => folderSource(site)).toThrow(/does not have headers/);
    rmSync(join(site, 'libtensorflow_cc.so.2'));
    expect(() => folderSource(site)).toThrow(/does not have libtensorflow_cc/);
  });
});

describe('the compiler', () => {
  it('is asked for if it is missing', async () => {
    await expect(findCompiler({ PATH: folder })).rejects.toMatchObject({
      code: 'compiler',
      message: expect.stringContaining('no C++ compiler'),
    });
    await expect(findCompiler({ PATH: folder, CXX: 'my-cc' })).rejects.toThrow(/my-cc is not installed/);
  });

  it.each([
    [
      'a.cc:1:10: fatal error: tsl/platform/x.h: No such file or directory',
      /headers are incomplete: tsl\/platform\/x\.h is missing/,
    ],
    ["a.cc:1:10: fatal error: 'tsl/x.h' file not found", /headers are incomplete: tsl\/x\.h is missing/],
    ['cc1plus: error: No space left on device', /no space left/],
    ['a.cc:3:1: error: expected ;', /does not compile with TensorFlow 2\.21\.0: a\.cc:3:1: error: expected ;/],
  ])('%s', (stderr, message) => {
    const source: TensorFlowSource = { version: '2.21.0', include: '/i', libraries: [], origin: 'x' };
    expect(compileError({ stderr }, source)).toMatchObject({ message: expect.stringMatching(message) });
  });
});
