import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { RewardContext, ScoredCompletion } from '../../../types/rewards';
import { threadProgram } from './thread';

/** The completions of a prompt, as a module gets them. */
export interface CodeGroup {
  completions: ScoredCompletion[];
  context: RewardContext;
}

/**
 * Why values are missing: the module cannot be imported, a call threw, returned no number, took too long, or its thread
 * ended. `output`: the module printed something, which has no other place to go.
 */
type ProblemKind = 'import' | 'throw' | 'value' | 'time' | 'crash' | 'output';

export interface Problem {
  kind: ProblemKind;
  /** Calls with this problem. */
  count: number;
  message: string;
  /** The stack of an error; empty where there is none. */
  stack: string;
}

export interface BatchResult {
  /** `[group][completion]` */
  values: (number | null)[][];
  problems: Problem[];
}

export interface ThreadLimits {
  /** Seconds for a batch. */
  timeLimit: number;
  /** Memory of the module's objects. Buffers are not limited. */
  resources?: ResourceLimits;
}

const usualResources: ResourceLimits = { maxOldGenerationSizeMb: 512 };
/** Characters of its output that are reported. */
const maxOutput = 200;

/** Runs a module in a thread, which is started when it is needed, and anew after it ended or was stopped. */
export class ModuleThread {
  private worker: Worker | undefined;
  /** The first characters of what the module has printed since the last batch. */
  private printed = '';

  constructor(
    private readonly file: string,
    private readonly limits: ThreadLimits,
  ) {}

  /** Never rejects: what goes wrong is in the result. An abort stops the thread. One batch at a time. */
  async score(groups: readonly CodeGroup[], signal?: AbortSignal): Promise<BatchResult> {
    this.worker ??= this.start();
    const result = await this.ask(this.worker, groups, signal);
    const message = this.printed.trim().slice(0, maxOutput);
    this.printed = '';
    if (message) result.problems.push({ kind: 'output', count: 1, message, stack: '' });
    return result;
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private ask(worker: Worker, groups: readonly CodeGroup[], signal?: AbortSignal): Promise<BatchResult> {
    return new Promise((resolve) => {
      const finish = (result: BatchResult) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        worker.off('message', finish).off('error', failed).off('exit', ended);
        resolve(result);
      };
      const lose = (kind: ProblemKind, message: string, stack = '') => {
        void this.close();
        const values = groups.map(({ completions }) => completions.map(() => null));
        finish({ values, problems: [{ kind, count: values.flat().length, message, stack }] });
      };
      const late = () => lose('time', `took longer than its timeLimit of ${this.limits.timeLimit} s and was stopped`);
      const aborted = () => lose('time', 'was stopped');
      const failed = ({ message, stack }: Error) => lose('crash', `ended its thread: ${message}`, stack);
      const ended = (code: number) => lose('crash', `ended its thread with exit code ${code}`);
      const timer = setTimeout(late, this.limits.timeLimit * 1000);
      signal?.addEventListener('abort', aborted);
      worker.on('message', finish).on('error', failed).on('exit', ended);
      worker.postMessage(groups);
    });
  }

  private start(): Worker {
    const worker = new Worker(threadProgram, {
      eval: true,
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: this.limits.resources ?? usualResources,
      workerData: { file: this.file },
    });
    const print = (chunk: Buffer) => {
      if (this.printed.length < maxOutput) this.printed += chunk.toString();
    };
    worker.stdout.on('data', print);
    worker.stderr.on('data', print);
    worker.on('error', () => {}); // between two batches, where nothing is lost
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = undefined;
    });
    return worker;
  }
}
