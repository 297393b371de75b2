/** PyTorch as a peer: bench/peer_torch.py in a separate process, which gets one task at a time. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { ProductPrecision } from '../src/engine-data/training';
import { saveStudent } from '../src/model/hf-folder';
import { createModel, disposeModel } from '../src/model/transformer';
import { packageRoot } from '../src/paths';
import { type Contender, config, modelSeed, prompts, sequences, shape } from './workload';

export interface Peer extends Contender {
  /** PyTorch's version. */
  version: string;
  close(): void;
}

/** The peer with the student of workload.ts, or the last line that Python printed if it cannot run. */
export async function openPeer(threads: number, precision: ProductPrecision): Promise<Peer | string> {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-bench-'));
  try {
    const model = createModel(config, modelSeed);
    saveStudent(folder, model);
    disposeModel(model);
    const process = startPython([join(packageRoot(), 'bench', 'peer_torch.py'), folder, String(threads), precision]);
    const first = await process.answer();
    if (typeof first === 'string') return first;
    const ask = async <T>(job: object): Promise<T> => {
      process.input.write(`${JSON.stringify(job)}\n`);
      const answer = await process.answer();
      if (typeof answer === 'string') throw new Error(`PyTorch's side of the benchmark failed: ${answer}`);
      return answer as T;
    };
    return {
      precision,
      version: (first as { version: string }).version,
      train: () => ask({ train: sequences }),
      generate: () => ask({ generate: prompts, new: shape.newTokens }),
      close: () => process.input.end(),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A Python process that answers with lines of JSON; if it ends instead, the answer is its last text. */
export function startPython(args: string[]) {
  // Set for tests; it would slow down the peer.
  const { OPENBLAS_CORETYPE: _, ...env } = process.env;
  const command = process.env.DISTILLERY_PYTHON || 'python3';
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(command, args, {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`${command}: ${error.message}`));
    child.once('close', () => resolve(`${command}: ${errors.trim().split('\n').at(-1) || 'it ended'}`));
  });
  child.stdin.on('error', () => {}); // `ended` reports it
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async (): Promise<object | string> => {
    const line = await lines.next();
    return line.done ? ended : JSON.parse(line.value);
  };
  return { input: child.stdin, answer };
}
