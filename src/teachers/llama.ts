/**
 * A teacher in a GGUF file, run on this machine by llama.cpp through node-llama-cpp, an optional package that the user
 * installs: it is searched in `node_modules` of the current folder and above it, beside this program, and among Node's
 * global packages.
 */
import { closeSync, existsSync, readSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../errors';
import { openForReading } from '../lines';
import { packageRoot } from '../paths';
import { TeacherFault } from './faults';
import type { Piece, Teacher, TeacherRequest } from './types';

export interface LlamaSettings {
  file: string;
  /** Concurrent requests, each with its own context in memory. */
  concurrency: number;
  /** Maximum tokens of question and reply together. */
  contextTokens: number;
  /**
   * Default: one less than the number of cores, because llama.cpp's threads busy-wait for each other, which on a fully
   * loaded machine takes nearly forever.
   */
  threads?: number;
  /** The file to import instead of searching for the package. */
  library?: string;
  /** Folders in and above which the package is searched first. */
  near?: readonly string[];
}

/** The used part of node-llama-cpp 3; its own types are available only if it is installed. */
interface Library {
  getLlama(
    options: object,
  ): Promise<{ loadModel(options: { modelPath: string }): Promise<LlamaModel>; dispose(): Promise<void> }>;
  LlamaChatSession: new (options: { contextSequence: LlamaSequence }) => Session;
}
interface LlamaModel {
  createContext(options: {
    sequences: number;
    contextSize: number;
    threads?: number;
  }): Promise<{ getSequence(): LlamaSequence }>;
}
interface LlamaSequence {
  tokenMeter: { usedInputTokens: number; usedOutputTokens: number };
  dispose(): void;
}
interface LlamaChunk {
  type?: 'segment';
  segmentType?: 'thought' | 'comment';
  text: string;
}
interface Session {
  promptWithMeta(text: string, options: object): Promise<{ stopReason: string }>;
  dispose(options?: { disposeSequence?: boolean }): void;
}

const packageName = 'node-llama-cpp';

/**
 * Loads the file at the first question. @throws UserError when the file does not exist, node-llama-cpp is missing, or
 * llama.cpp cannot load the file
 */
export function llamaTeacher(settings: LlamaSettings): Teacher {
  const file = resolve(settings.file);
  checkHead(file);
  const library = settings.library ?? findLibrary(settings.near);
  let opened: ReturnType<typeof open> | undefined;
  return {
    model: basename(file, '.gguf'),
    endpoint: `gguf:${file}`,
    host: 'this machine',
    async *ask(request, signal) {
      opened ??= open(library, file, settings);
      const { session: Chat, sequence } = await opened;
      const held = sequence();
      const session = new Chat({ contextSequence: held });
      try {
        yield* piecesOf(session, held, request, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw error instanceof TeacherFault
          ? error
          : new TeacherFault((error as Error).message, 'request', { cause: error });
      } finally {
        session.dispose({ disposeSequence: true });
      }
    },
    async dispose() {
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}

/** Tokens of a context for the question, besides the reply. */
const questionRoom = 1024;

/**
 * A teacher for replies of this many tokens; `DISTILLERY_LLAMA` names another node-llama-cpp. Errors as for
 * llamaTeacher.
 */
export const ggufTeacher = (
  file: string,
  { maxTokens, ...more }: { maxTokens: number; concurrency: number; near?: readonly string[] },
): Teacher =>
  llamaTeacher({ file, contextTokens: maxTokens + questionRoom, library: process.env.DISTILLERY_LLAMA, ...more });

/** The start of a GGUF file (ggml's docs/gguf.md); on other files node-llama-cpp 3.22 reads endlessly. */
function checkHead(file: string): void {
  const handle = openForReading(file);
  try {
    const head = Buffer.alloc(24);
    const whole = readSync(handle, head, 0, 24, 0) === 24;
    const [version, tensors, keys] = [head.readUInt32LE(4), head.readBigUInt64LE(8), head.readBigUInt64LE(16)];
    const sound = [2, 3].includes(version) && tensors < 1_000_000n && keys < 1_000_000n;
    if (whole && head.toString('latin1', 0, 4) === 'GGUF' && sound) return;
  } finally {
    closeSync(handle);
  }
  throw new UserError('this is not a GGUF file', {
    file,
    code: 'missing',
    remedy: 'Give a model in GGUF, version 2 or 3.',
  });
}

function findLibrary(near: readonly string[] = []): string {
  const above = (folder: string): string[] => [folder, ...(dirname(folder) === folder ? [] : above(dirname(folder)))];
  const global = join(dirname(process.execPath), ...(process.platform === 'win32' ? [] : ['..', 'lib']));
  for (const folder of [...near.flatMap(above), ...above(process.cwd()), ...above(packageRoot()), global]) {
    const file = join(folder, 'node_modules', packageName, 'dist', 'index.js');
    if (existsSync(file)) return file;
  }
  throw new UserError(`a GGUF teacher needs ${packageName}, which is not installed`, {
    code: 'missing',
    remedy:
      `Install it here with \`npm install ${packageName}\` (llama.cpp, ` +
      'about 100 MB), or serve the file and give --base-url.',
  });
}

async function open(
  library: string,
  file: string,
  { concurrency, contextTokens, threads = Math.max(1, availableParallelism() - 1) }: LlamaSettings,
) {
  const { getLlama, LlamaChatSession } = (await import(pathToFileURL(library).href)) as Library;
  const fault = (error: unknown) =>
    new TeacherFault(`llama.cpp cannot load ${basename(file)}: ${(error as Error).message}`, 'teacher', {
      remedy:
        'Check that it is a GGUF file of a chat model, and that it fits ' +
        'into memory with --concurrency and --max-tokens.',
      cause: error,
    });
  // Never builds from source, prints nothing.
  const llama = await getLlama({ build: 'never', logLevel: 'error' }).catch((error) => Promise.reject(fault(error)));
  try {
    const model = await llama.loadModel({ modelPath: file });
    const context = await model.createContext({ sequences: concurrency, contextSize: contextTokens, threads });
    return { session: LlamaChatSession, sequence: () => context.getSequence(), close: () => llama.dispose() };
  } catch (error) {
    await llama.dispose();
    throw fault(error);
  }
}

/** Converts the session's callbacks to a stream. */
async function* piecesOf(
  session: Session,
  sequence: LlamaSequence,
  request: TeacherRequest,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  const waiting: Piece[] = [];
  let wake = () => {};
  const tell = (piece?: Piece) => {
    if (piece) waiting.push(piece);
    wake();
  };
  const { prompt, temperature, maxTokens, seed } = request;
  let over = false;
  const answer = session
    .promptWithMeta(prompt, {
      temperature,
      maxTokens,
      seed,
      signal,
      onResponseChunk: ({ type, segmentType, text }: LlamaChunk) => {
        if (text !== '') tell({ kind: type === 'segment' && segmentType === 'thought' ? 'thought' : 'text', text });
      },
    })
    .finally(() => {
      over = true;
      tell();
    });
  answer.catch(() => {}); // thrown below
  for (;;) {
    for (let piece = waiting.shift(); piece; piece = waiting.shift()) yield piece;
    if (over) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  const { stopReason } = await answer;
  const { usedInputTokens, usedOutputTokens } = sequence.tokenMeter;
  yield {
    kind: 'end',
    finished: stopReason !== 'maxTokens',
    usage: { prompt: usedInputTokens, completion: usedOutputTokens },
  };
}
