import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../errors';
import { sizeOf } from '../paths';
import { rejection } from '../testing/errors';
import { findStudent } from './cache';
import { type DownloadProgress, download } from './download';
import { parseStudentName } from './name';
import { type Hub, hubOf } from './request';
import { planStudent } from './student-plan';
import { commit, type HubOptions, sendRange, startHub, treeEntry } from './testing/hub';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'students-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

const name = parseStudentName('owner/student')!;
const weights = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 3));
const files = {
  'config.json': '{"model_type":"llama"}',
  'tokenizer.json': '{}',
  'tokenizer_config.json': '{"eos_token":"</s>"}',
  'model-00001-of-00002.safetensors': weights,
  'model-00002-of-00002.safetensors': weights.subarray(7),
  'model.safetensors.index.json': JSON.stringify({
    weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
  }),
  'pytorch_model.bin': 'not wanted',
  'training_args.bin': 'not wanted',
};
const hub = (url: string, more: Partial<Hub> = {}): Hub => ({ url, retryDelayMs: 1, ...more });

/** Plans and downloads from a hub with these faults. */
async function fetchFrom(options: Partial<HubOptions>, more: Partial<Hub> = {}) {
  await using server = await startHub({ files, ...options });
  const told: DownloadProgress[] = [];
  const at = hub(server.url, more);
  const folder = await download(at, await planStudent(at, name), cache, (one) => told.push(one));
  return { folder, told, requests: server.requests };
}

const refusal = (action: Promise<unknown>) => rejection(UserError, action);

describe('a download', () => {
  it("downloads and checks a student's files, and reports progress", async () => {
    const { folder, told } = await fetchFrom({});
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(files)
        .filter((file) => !file.endsWith('.bin'))
        .sort(),
    );
    for (const file of readdirSync(folder))
      expect(readFileSync(join(folder, file)).equals(Buffer.from(files[file as keyof typeof files]))).toBe(true);
    expect(told.at(-1)!.done).toBe(told.at(-1)!.bytes);
    expect(told.map(({ done }) => done)).toEqual(told.map(({ done }) => done).toSorted((a, b) => a - b));
    const environment = { DISTILLERY_STUDENTS_CACHE: cache };
    expect(findStudent(name, environment)).toBe(folder);
    expect(findStudent({ ...name, revision: commit }, environment)).toBe(folder);
    expect(findStudent({ ...name, revision: 'other' }, environment)).toBeNull();
    const again = await fetchFrom({});
    expect(again.requests.filter(({ path }) => path.includes('/resolve/'))).toEqual([]);
  });

  it('knows shards however many digits they are counted with', async () => {
    const shard = 'model-00001-of-000001.safetensors';
    const { 'config.json': config, 'tokenizer.json': tokenizer } = files;
    const index = JSON.stringify({ weight_map: { a: shard } });
    const counted = {
      'config.json': config,
      'tokenizer.json': tokenizer,
      'model.safetensors.index.json': index,
      [shard]: weights,
    };
    await using server = await startHub({ files: counted });
    const { files: planned } = await planStudent(hub(server.url), name);
    expect(planned.map((file) => file.name).sort()).toEqual(Object.keys(counted).sort());
  });

  it('resumes a broken stream, also in a new process', async () => {
    let cuts = 0;
    /** The part of the shard that is on the disk. */
    const partial = join(cache, 'models--owner--student', 'partial', commit, 'model-00001-of-00002.safetensors');
    const ranges: (string | undefined)[] = [];
    const cut: HubOptions['intercept'] = (request, response) => {
      if (!request.url!.endsWith('model-00001-of-00002.safetensors')) return false;
      ranges.push(request.headers.range);
      if (++cuts > 6) return false;
      const from = Number(/\d+/.exec(request.headers.range!)![0]);
      response.writeHead(206, {
        'content-range': `bytes ${from}-${weights.length - 1}/${weights.length}`,
        'content-length': weights.length - from,
      });
      // From the fourth on nothing comes at all.
      const bytes = cuts < 4 ? 50_000 : 0;
      const written = () => sizeOf(partial) === from + bytes;
      const breakOff = () => (written() ? response.destroy() : setTimeout(breakOff, 5));
      response.write(weights.subarray(from, from + bytes), breakOff);
      return true;
    };
    const { folder } = await fetchFrom({ intercept: cut });
    expect(ranges.slice(0, 4)).toEqual(['bytes=0-', 'bytes=50000-', 'bytes=100000-', 'bytes=150000-']);
    expect(readFileSync(join(folder, 'model-00001-of-00002.safetensors')).equals(weights)).toBe(true);

    rmSync(folder, { recursive: true });
    cuts = 4;
    const never = await refusal(
      fetchFrom({
        intercept: (request, response) => {
          if (!request.url!.endsWith('model-00002-of-00002.safetensors')) return false;
          response.destroy();
          return true;
        },
      }),
    );
    expect(never).toMatchObject({ code: 'network' });
    expect(never.remedy).toMatch(/is kept/);
    const { requests } = await fetchFrom({});
    expect(requests.filter(({ path }) => path.includes('model-00001'))).toEqual([]); // it was there from the last try
  });

  it('starts again if the server does not support ranges', async () => {
    const draft = join(cache, 'models--owner--student', 'partial', commit);
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, 'tokenizer_config.json'), '{"eos');
    const { folder } = await fetchFrom({
      intercept: (request, response) => {
        if (!request.url!.endsWith('/tokenizer_config.json')) return false;
        response.writeHead(200).end(files['tokenizer_config.json']);
        return true;
      },
    });
    expect(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8')).toBe(files['tokenizer_config.json']);
  });

  it('tries again when the server is busy', async () => {
    let busy = 3;
    const { folder, requests } = await fetchFrom({
      intercept: (_, response) => {
        if (busy-- <= 0) return false;
        response.writeHead(busy === 2 ? 429 : 500, { 'retry-after': '0' }).end();
        return true;
      },
    });
    expect(existsSync(join(folder, 'config.json'))).toBe(true);
    expect(requests.length).toBe(3 + 2 + 6);
    const failing = fetchFrom({ intercept: (_, response) => !!response.writeHead(503).end() });
    rmSync(folder, { recursive: true });
    expect(await refusal(failing)).toMatchObject({
      code: 'network',
      message: expect.stringMatching(/busy \(status 503\)/),
    });
  });

  it('replaces a file that an earlier attempt damaged, and refuses other hashes or sizes', async () => {
    const draft = join(cache, 'models--owner--student', 'partial', commit);
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, 'model-00001-of-00002.safetensors'), Buffer.alloc(1000));
    writeFileSync(join(draft, 'config.json'), 'x'.repeat(1000));
    const { folder } = await fetchFrom({});
    expect(readFileSync(join(folder, 'model-00001-of-00002.safetensors')).equals(weights)).toBe(true);
    rmSync(folder, { recursive: true });
    for (const sent of [Buffer.alloc(22, 'x'), Buffer.alloc(5000), Buffer.alloc(3)]) {
      const changed = fetchFrom({
        intercept: (request, response) => {
          if (!request.url!.endsWith('/config.json')) return false;
          sendRange(request, response, sent);
          return true;
        },
      });
      expect(await refusal(changed)).toMatchObject({ code: 'network' });
      expect(existsSync(folder)).toBe(false);
    }
  });

  it('can be stopped', async () => {
    const stop = new AbortController();
    const hanging: HubOptions['intercept'] = (request, response) => {
      if (!request.url!.endsWith('model-00001-of-00002.safetensors')) return false;
      response.writeHead(206, { 'content-range': `bytes 0-${weights.length - 1}/${weights.length}` });
      response.write(weights.subarray(0, 10));
      setTimeout(() => stop.abort(), 30);
      return true;
    };
    await expect(fetchFrom({ intercept: hanging }, { signal: stop.signal })).rejects.toThrow(/abort/i);
  });
});

describe('the token', () => {
  it('goes to the Hub and not to where it redirects', async () => {
    await using store = await startHub({ repository: 'owner/student', files });
    const { requests } = await fetchFrom(
      {
        token: 'hf_secret',
        intercept: (request, response) => {
          if (!request.url!.includes('/resolve/')) return false;
          response.writeHead(302, { location: `${store.url}${request.url}` }).end();
          return true;
        },
      },
      { token: 'hf_secret' },
    );
    expect(requests.every(({ headers }) => headers.authorization === 'Bearer hf_secret')).toBe(true);
    expect(store.requests.length).toBeGreaterThan(5);
    expect(store.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  it('is requested, or insufficient, and never appears in a message', async () => {
    const none = await refusal(fetchFrom({ token: 'hf_secret' }));
    expect(none).toMatchObject({ code: 'denied', remedy: expect.stringMatching(/HF_TOKEN/) });
    const other = await refusal(fetchFrom({ token: 'hf_secret' }, { token: 'hf_other' }));
    expect(other).toMatchObject({ code: 'denied', remedy: expect.stringMatching(/license/) });
    expect(JSON.stringify([other, String(other), other.cause])).not.toMatch(/hf_other/);
  });

  it('comes from the environment, like the endpoint and the wish for no network', () => {
    expect(hubOf({ HF_TOKEN: 'hf_abc', HF_ENDPOINT: 'https://hub.example.org/' })).toMatchObject({
      url: 'https://hub.example.org',
      token: 'hf_abc',
    });
    expect(hubOf({})).toMatchObject({ url: 'https://huggingface.co' });
    expect(hubOf({})).not.toHaveProperty('token');
    expect(() => hubOf({ HF_HUB_OFFLINE: '1' })).toThrow(/HF_HUB_OFFLINE/);
    for (const HF_ENDPOINT of ['hub', 'file:///etc', 'https://me:secret@hub.example.org'])
      expect(() => hubOf({ HF_ENDPOINT })).toThrow(/HF_ENDPOINT/);
    expect(() => hubOf({ HF_TOKEN: 'hf_a\r\nx: y' })).toThrow(/HF_TOKEN/);
  });
});

describe('a Hub that never ends', () => {
  it('is abandoned, and named', async () => {
    const endless: HubOptions['intercept'] = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '.repeat(1 << 20)), 1);
      return !!response.on('close', () => clearInterval(timer));
    };
    expect(await refusal(fetchFrom({ intercept: endless }))).toMatchObject({
      code: 'network',
      message: expect.stringMatching(/request to 127\.0\.0\.1:\d+ was abandoned: more than 16 MB arrived/),
      remedy: expect.stringContaining('HF_ENDPOINT'),
    });
    // A list whose every page names another one.
    const pages = fetchFrom({ tree: [], page: -1 });
    expect(await refusal(pages)).toMatchObject({ message: expect.stringContaining('more than 500 pages') });
    const silent = fetchFrom({ intercept: () => true }, { silenceMs: 30 });
    expect(await refusal(silent)).toMatchObject({ message: expect.stringContaining('nothing arrived for 0.03 s') });
  });

  it('may begin a file again and again, but not forever', async () => {
    let parts = 0;
    const broken: HubOptions['intercept'] = ({ url }, response) => {
      if (!url!.endsWith('.safetensors')) return false;
      const part = weights.subarray(0, parts++ % 2 === 0 ? 200_000 : 100_000);
      response.writeHead(200).write(part, () => setTimeout(() => response.destroy(), 5));
      return true;
    };
    expect(await refusal(fetchFrom({ intercept: broken }))).toMatchObject({ code: 'network' });
    expect(parts).toBeLessThan(20);
  });
});

describe('missing things', () => {
  it('are distinguished', async () => {
    const without = (...gone: string[]) =>
      Object.fromEntries(Object.entries(files).filter(([file]) => !gone.some((one) => file.includes(one))));
    const cases: [Partial<HubOptions>, string, RegExp][] = [
      [{ repository: 'owner/other' }, 'missing', /has no owner\/student/],
      [{ files: without('config.json') }, 'checkpoint', /no config.json/],
      [{ files: without('tokenizer.json') }, 'checkpoint', /no tokenizer.json/],
      [{ files: { ...without('safetensors'), 'a.gguf': 'x' } }, 'checkpoint', /safetensors/],
    ];
    for (const [options, code, message] of cases)
      expect(await refusal(fetchFrom(options))).toMatchObject({ code, message: expect.stringMatching(message) });
    const nobody = hub('http://127.0.0.1:9');
    expect(await refusal(planStudent(nobody, name))).toMatchObject({ code: 'network' });
    const page = fetchFrom({ intercept: (_, response) => !!response.writeHead(200).end('<html>') });
    expect(await refusal(page)).toMatchObject({ code: 'network', message: expect.stringMatching(/does not answer/) });
  });

  it('may have paths outside of its folder, or be larger than the disk', async () => {
    const entry = (path: string) => treeEntry(path, Buffer.from('x'), false);
    const usual = Object.entries(files).map(([path, content]) =>
      treeEntry(path, Buffer.from(content), path.endsWith('.safetensors')),
    );
    const paths = [
      '../config.json',
      '/etc/passwd',
      '..\\x',
      'a/model.safetensors',
      'model-00003-of-00002.safetensors/../../x',
    ];
    const { folder } = await fetchFrom({ tree: [...usual, ...paths.map(entry)] });
    expect(readdirSync(folder).length).toBe(6);
    expect(readdirSync(cache)).toEqual(['models--owner--student']);
    rmSync(folder, { recursive: true });
    const huge = { ...usual[0], path: 'model.safetensors', lfs: { oid: 'a'.repeat(64), size: 2 ** 52 } };
    expect(await refusal(fetchFrom({ tree: [...usual, huge] }))).toMatchObject({ code: 'disk' });
    for (const broken of [{ lfs: { oid: 'zz', size: 1 } }, { size: -1 }, { oid: undefined }, { size: 'x' }])
      expect(await refusal(fetchFrom({ tree: [{ ...usual[0], ...broken }, ...usual.slice(1)] }))).toMatchObject({
        code: 'network',
      });
  });
});

describe('names', () => {
  it('are owner and name, with a revision', () => {
    expect(parseStudentName('Qwen/Qwen2.5-3B')).toEqual({ repository: 'Qwen/Qwen2.5-3B', revision: 'main' });
    expect(parseStudentName('hf:Qwen/Qwen2.5-3B@refs/pr/3')).toMatchObject({ revision: 'refs/pr/3' });
  });

  it.each([
    'student',
    './a/b',
    '../a',
    'a/b/c',
    '/a/b',
    'a\\b',
    'a/..',
    'a/b@',
    'a/b@../x',
    'a/b@x@y',
    'a/b@/etc',
    'a/b.git',
    'https://a/b',
    '',
    'a/b c',
  ])('are not %s', (text) => expect(parseStudentName(text)).toBeNull());

  it('are found in the cache of Hugging Face’s libraries, where the files are all there', () => {
    const snapshot = join(cache, 'hub', 'models--owner--student', 'snapshots', commit);
    mkdirSync(join(snapshot, '..', '..', 'refs'), { recursive: true });
    mkdirSync(snapshot, { recursive: true });
    writeFileSync(join(snapshot, '..', '..', 'refs', 'main'), commit);
    const environment = { HF_HOME: cache, DISTILLERY_STUDENTS_CACHE: join(cache, 'none') };
    for (const [file, content] of Object.entries(files)) {
      expect(findStudent(name, environment)).toBeNull();
      writeFileSync(join(snapshot, file), content);
      if (file.startsWith('model.safetensors.index')) break;
    }
    expect(findStudent(name, environment)).toBe(snapshot);
    writeFileSync(join(snapshot, '..', '..', 'refs', 'main'), '../../../elsewhere');
    expect(findStudent(name, environment)).toBeNull();
  });
});
