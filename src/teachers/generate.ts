/** Requests several chains per question from a teacher: without duplicates, concurrently, within pace and budget. */
import { setMaxListeners } from 'node:events';
import { sameAnswer } from '../answers/equal';
import type { Problems } from '../data/problems';
import type { Problem } from '../data/types';
import { type Prices, SpendingLimit } from './cost';
import { TeacherFault } from './faults';
import { type JournalEntry, type ReplyJournal, requestKey } from './journal';
import { promptFor } from './prompt';
import { collectReply, tokensIn, withinLength } from './reply';
import { type Pace, RequestGate, withRetries } from './retry';
import type { Teacher, TeacherRequest, Usage } from './types';

export interface TeacherSampling {
  /** Chains requested per question. */
  samples: number;
  temperature: number;
  maxTokens: number;
  /** A prompt template with a placeholder for the question. */
  template: string;
  /** Sample i has seed + i; absent: no seed is sent. */
  seed?: number;
}

export interface GenerateOptions {
  /** Concurrent requests. */
  concurrency: number;
  pace: Pace;
  prices?: Prices;
  /** Maximum cost of all replies of the journal together; needs `prices`. */
  budget?: number;
  /** No new requests are started; those in progress are awaited. */
  stop?: AbortSignal;
  /** Requests in progress are aborted. */
  abort?: AbortSignal;
  notify?: (progress: GenerationProgress) => void;
  now?: () => Date;
}

/** A request: one sample of one question. */
export interface Task {
  key: string;
  sample: number;
  request: TeacherRequest;
  /** The first problem with this question; others with the same question share the reply. */
  problem: Problem;
}

export interface GenerationProgress {
  /** Number of replies received and wanted. */
  done: number;
  total: number;
  /** Of those received, how many the journal had before. */
  cached: number;
  correct: number;
  /** How many of those received were cut off. */
  cut: number;
  failed: number;
  underWay: number;
  /** Usage of replies received now, and of those abandoned after a part had arrived. */
  usage: Usage;
  /** Pieces of text received now: a sign of life before a reply is complete. */
  pieces: number;
  /** Why nothing is sent at the moment. */
  waiting?: { reason: string; until: number };
}

export interface GenerationOutcome {
  progress: GenerationProgress;
  /** Requests that were refused, or failed at every attempt; repeated the next time. */
  failures: { problemId: string; sample: number; message: string }[];
  /** Sampling settings that the teacher does not support; they were omitted from requests answered now. */
  without: string[];
  /** Why not everything was requested. */
  ended?: 'stopped' | 'budget' | TeacherFault;
}

/** For abandoned replies, the reserved cost of complete ones is charged. */
class BudgetExceeded extends Error {}

/** The job ends after this many refused requests without a single reply. */
const mostRefusals = 5;
/**
 * The job ends after this many consecutive questions that failed at every attempt, as the questions cannot
 * be the cause.
 */
const mostFailedQuestions = 3;

export function tasksOf(problems: Problems, teacher: Teacher, sampling: TeacherSampling): Task[] {
  const tasks = new Map<string, Task>();
  for (const problem of problems)
    for (let sample = 0; sample < sampling.samples; sample++) {
      const task = taskOf(problem, teacher, sampling, sample);
      if (!tasks.has(task.key)) tasks.set(task.key, task);
    }
  return [...tasks.values()];
}

export function taskOf(problem: Problem, teacher: Teacher, sampling: TeacherSampling, sample: number): Task {
  const { temperature, maxTokens, template, seed } = sampling;
  const prompt = promptFor(template, problem.question);
  const request = { prompt, temperature, maxTokens, ...(seed !== undefined && { seed: seed + sample }) };
  const key = requestKey(teacher, request, sample);
  return { key, sample, request: { ...request, key }, problem };
}

/** A reply usable for training: complete, and right. */
export const isRight = ({ answer, finished }: JournalEntry, gold: string) =>
  finished && answer !== null && sameAnswer(answer, gold);

/**
 * Requests everything that the journal lacks. Never throws for errors of a teacher: `ended` in the outcome reports
 * them.
 */
export function generate(
  tasks: readonly Task[],
  teacher: Teacher,
  journal: ReplyJournal,
  options: GenerateOptions,
): Promise<GenerationOutcome> {
  return new TeacherRequests(tasks, teacher, journal, options).run();
}

class TeacherRequests {
  private readonly missing: Task[];
  private readonly progress: GenerationProgress;
  private readonly outcome: GenerationOutcome;
  private readonly budget?: SpendingLimit;
  private readonly gate: RequestGate;
  /** Ends the waits of all workers when one of them ends the job. */
  private readonly halt = new AbortController();
  private readonly abort: AbortSignal;
  private readonly waits: AbortSignal;
  /** Consecutive failed questions. */
  private readonly failing = new Set<string>();
  private lastFault?: TeacherFault;

  constructor(
    tasks: readonly Task[],
    private readonly teacher: Teacher,
    private readonly journal: ReplyJournal,
    private readonly options: GenerateOptions,
  ) {
    const { pace, prices, stop, abort = new AbortController().signal } = options;
    this.missing = tasks.filter(({ key }) => !journal.entries.has(key));
    this.progress = progressAtFirst(tasks, journal);
    this.outcome = { progress: this.progress, failures: [], without: [] };
    if (options.budget !== undefined && prices) this.budget = new SpendingLimit(options.budget, prices);
    for (const { usage } of journal.entries.values()) this.budget?.spend(usage);
    this.gate = new RequestGate(pace.requestsPerMinute ? 60_000 / pace.requestsPerMinute : 0);
    this.abort = abort;
    this.waits = AbortSignal.any([this.halt.signal, abort, ...(stop ? [stop] : [])]);
    setMaxListeners(0, this.waits, abort); // one for each request in progress
  }

  async run(): Promise<GenerationOutcome> {
    const workers = Math.min(this.options.concurrency, this.missing.length);
    const results = await Promise.allSettled(Array.from({ length: workers }, () => this.work()));
    const broken = results.find((result) => result.status === 'rejected');
    if (broken) throw broken.reason;
    if (this.progress.done === 0 && this.lastFault) this.outcome.ended ??= this.lastFault;
    return this.outcome;
  }

  /**
   * One worker: handles one task after another until none is left or the job has ended. Unlike p-limit, which queues
   * all tasks at once, it takes a task only when it can be sent.
   */
  private async work(): Promise<void> {
    for (let task = this.missing.shift(); task && !this.waits.aborted; task = this.missing.shift())
      if (!(await this.settle(task))) return;
    if (this.options.stop?.aborted || this.abort.aborted) this.end('stopped');
  }

  /** Sends a request within the budget, and records the result. Returns whether to continue. */
  private async settle(task: Task): Promise<boolean> {
    const most = { prompt: 2 * tokensIn(task.request.prompt.length), completion: task.request.maxTokens };
    if (this.budget && !(await this.budget.reserve(most))) return this.spent();
    this.progress.underWay++;
    this.notify();
    let used: Usage | undefined;
    try {
      const entry = await this.ask(task);
      used = entry.usage;
      this.count(entry, task.problem);
      return true;
    } catch (error) {
      return this.fail(error, task);
    } finally {
      this.budget?.settle(most, used);
      this.progress.underWay--;
      this.notify();
    }
  }

  private async ask({ key, sample, request, problem }: Task): Promise<JournalEntry> {
    const startMs = performance.now();
    const { pace, now = () => new Date() } = this.options;
    const waiting = (fault: TeacherFault, ms: number) => {
      this.progress.waiting = { reason: fault.message, until: Date.now() + ms };
      this.notify();
    };
    const reply = await withRetries({ pace, gate: this.gate, signal: this.waits, waiting }, () => this.send(request));
    this.outcome.without = [...new Set([...this.outcome.without, ...(reply.without ?? [])])];
    const seconds = Math.round(performance.now() - startMs) / 1000;
    const { model, host } = this.teacher;
    const record = { key, problemId: problem.id, sample, model, host, time: now().toISOString(), seconds, ...reply };
    return this.journal.append(record);
  }

  private async send(request: TeacherRequest) {
    this.progress.waiting = undefined;
    if (this.budget?.overdrawn) throw new BudgetExceeded();
    const pieces = withinLength(this.teacher.ask(request, this.abort), request.maxTokens);
    return collectReply(pieces, request.prompt.length, {
      piece: () => {
        this.progress.pieces++;
      },
      lost: (usage) => {
        this.budget?.spend(usage);
        this.charge(usage);
      },
    });
  }

  private count(entry: JournalEntry, { answer }: Problem): void {
    this.charge(entry.usage);
    this.progress.done++;
    this.failing.clear();
    if (isRight(entry, answer)) this.progress.correct++;
    if (!entry.finished) this.progress.cut++;
  }

  private charge({ prompt, completion }: Usage): void {
    this.progress.usage.prompt += prompt;
    this.progress.usage.completion += completion;
  }

  /** Consequence of an error: it is rethrown, ends the job (false), or fails this task only (true). */
  private fail(error: unknown, { problem, sample }: Task): boolean {
    if (error instanceof BudgetExceeded) return this.spent();
    if (this.waits.aborted && !(error instanceof TeacherFault)) return this.end('stopped');
    if (!(error instanceof TeacherFault)) {
      this.halt.abort();
      throw error;
    }
    if (error.kind === 'teacher') return this.end(error);
    this.progress.failed++;
    this.outcome.failures.push({ problemId: problem.id, sample, message: error.message });
    this.lastFault = error;
    return this.isTeacherAtFault(error, problem) ? this.end(error) : true;
  }

  /** If the teacher is not the cause, the question's other samples are requested last. */
  private isTeacherAtFault(error: TeacherFault, { id }: Problem): boolean {
    const { done, cached, failed } = this.progress;
    if (error.kind === 'request') return done === cached && failed >= mostRefusals;
    this.missing.sort((a, b) => Number(a.problem.id === id) - Number(b.problem.id === id));
    return this.failing.add(id).size >= mostFailedQuestions;
  }

  /** The budget does not allow another request. Those in progress are paid for and continue. */
  private spent(): false {
    this.outcome.ended ??= 'budget';
    return false;
  }

  private end(reason: NonNullable<GenerationOutcome['ended']>): false {
    this.outcome.ended ??= reason;
    this.halt.abort();
    return false;
  }

  private notify(): void {
    this.options.notify?.(this.progress);
  }
}

function progressAtFirst(tasks: readonly Task[], { entries }: ReplyJournal): GenerationProgress {
  const had = tasks.filter(({ key }) => entries.has(key));
  return {
    done: had.length,
    total: tasks.length,
    cached: had.length,
    failed: 0,
    underWay: 0,
    pieces: 0,
    correct: had.filter(({ key, problem }) => isRight(entries.get(key)!, problem.answer)).length,
    cut: had.filter(({ key }) => !entries.get(key)!.finished).length,
    usage: { prompt: 0, completion: 0 },
  };
}
