/** Asks a teacher for several chains to each question: nothing twice, so many at a time, within pace and budget. */
import { setMaxListeners } from 'node:events';
import { sameAnswer } from '../answers/equal';
import type { Problems } from '../data/problems';
import type { Problem } from '../data/types';
import { Budget, type Prices } from './cost';
import { TeacherFault } from './faults';
import { type Entry, type Journal, requestKey } from './journal';
import { Gate, type Pace, withPatience } from './patience';
import { promptFor } from './prompt';
import { collectReply, tokensIn } from './reply';
import type { Teacher, TeacherRequest, Usage } from './types';

export interface Sampling {
  /** Chains asked for each question. */
  samples: number;
  temperature: number;
  maxTokens: number;
  /** With the question's place in it. */
  template: string;
  /** Sample i is drawn with seed + i; absent: no seed is sent. */
  seed?: number;
}

export interface GenerateOptions {
  /** Requests under way at a time. */
  concurrency: number;
  pace: Pace;
  prices?: Prices;
  /** Most money for all replies of the journal together; needs `prices`. */
  budget?: number;
  /** No more requests are begun; those under way are waited for. */
  stop?: AbortSignal;
  /** Requests under way are dropped. */
  abort?: AbortSignal;
  notify?: (progress: Progress) => void;
  now?: () => Date;
}

/** A request: one sample of one question. */
export interface Task {
  key: string;
  sample: number;
  request: TeacherRequest;
  /** The first problem that asks this; others with the same question share the reply. */
  problem: Problem;
}

export interface Progress {
  /** Replies there are and replies wanted. */
  done: number;
  total: number;
  /** Of those done, how many the journal had before. */
  cached: number;
  correct: number;
  /** How many of those done their length cut off. */
  cut: number;
  failed: number;
  underWay: number;
  /** Of the replies received now, and of those that were given up after some of it came. */
  usage: Usage;
  /** Pieces of text received now: alive, though no reply is complete. */
  pieces: number;
  /** Why nothing is sent just now. */
  waiting?: { reason: string; until: number };
}

export interface Outcome {
  progress: Progress;
  /** Requests that were refused, or failed as often as they were made; asked again the next time. */
  failures: { problemId: string; sample: number; message: string }[];
  /** What of the sampling the teacher does not take: it was left out of requests that were answered now. */
  without: string[];
  /** Why not everything was asked. */
  ended?: 'stopped' | 'budget' | TeacherFault;
}

/** Replies that were given up have cost what was set aside for whole ones. */
class Overdrawn extends Error {}

/** Refused requests, and nothing but these, after which the teacher is given up. */
const hopeless = 5;
/** Questions in a row that failed as often as they were asked: it is not them, the teacher is given up. */
const inVain = 3;

export function tasksOf(problems: Problems, teacher: Teacher, sampling: Sampling): Task[] {
  const tasks = new Map<string, Task>();
  for (const problem of problems)
    for (let sample = 0; sample < sampling.samples; sample++) {
      const task = taskOf(problem, teacher, sampling, sample);
      if (!tasks.has(task.key)) tasks.set(task.key, task);
    }
  return [...tasks.values()];
}

export function taskOf(problem: Problem, teacher: Teacher, sampling: Sampling, sample: number): Task {
  const { temperature, maxTokens, template, seed } = sampling;
  const prompt = promptFor(template, problem.question);
  const request = { prompt, temperature, maxTokens, ...(seed !== undefined && { seed: seed + sample }) };
  const key = requestKey(teacher, request, sample);
  return { key, sample, request: { ...request, key }, problem };
}

/** A reply that may be taught: whole, and right. */
export const isRight = ({ answer, finished }: Entry, gold: string) =>
  finished && answer !== null && sameAnswer(answer, gold);

/** Asks everything that the journal does not have. Never throws for what a teacher does: that is told in `ended`. */
export async function generate(
  tasks: readonly Task[],
  teacher: Teacher,
  journal: Journal,
  options: GenerateOptions,
): Promise<Outcome> {
  const { concurrency, pace, prices, stop, abort = new AbortController().signal, now = () => new Date() } = options;
  const missing = tasks.filter(({ key }) => !journal.entries.has(key));
  const had = tasks.filter(({ key }) => journal.entries.has(key));
  const progress: Progress = {
    done: had.length,
    total: tasks.length,
    cached: had.length,
    failed: 0,
    underWay: 0,
    pieces: 0,
    correct: had.filter(({ key, problem }) => isRight(journal.entries.get(key)!, problem.answer)).length,
    cut: had.filter(({ key }) => !journal.entries.get(key)!.finished).length,
    usage: { prompt: 0, completion: 0 },
  };
  const budget = options.budget !== undefined && prices ? new Budget(options.budget, prices) : undefined;
  for (const { usage } of journal.entries.values()) budget?.spend(usage);
  const outcome: Outcome = { progress, failures: [], without: [] };
  const notify = () => options.notify?.(progress);
  const gate = new Gate(pace.requestsPerMinute ? 60_000 / pace.requestsPerMinute : 0);
  const halt = new AbortController(); // ends the waits of all workers when one finds that it is over
  const waits = AbortSignal.any([halt.signal, abort, ...(stop ? [stop] : [])]);
  setMaxListeners(0, waits, abort); // one for each request under way
  const end = (reason: NonNullable<Outcome['ended']>) => {
    outcome.ended ??= reason;
    halt.abort();
  };

  const failing = new Set<string>();
  let lastFault: TeacherFault | undefined;
  /** Whether it is the teacher that fails. If not, the question's other samples are asked after all else. */
  const isHopeless = (error: TeacherFault, { id }: Problem): boolean => {
    if (error.kind === 'request') return progress.done === progress.cached && progress.failed >= hopeless;
    missing.sort((a, b) => Number(a.problem.id === id) - Number(b.problem.id === id));
    return failing.add(id).size >= inVain;
  };

  const charge = ({ prompt, completion }: Usage) => {
    progress.usage.prompt += prompt;
    progress.usage.completion += completion;
  };

  const askOne = async ({ key, sample, request, problem }: Task) => {
    const begun = performance.now();
    const reply = await withPatience(
      pace,
      gate,
      waits,
      () => {
        progress.waiting = undefined;
        if (budget?.overdrawn) throw new Overdrawn();
        return collectReply(teacher.ask(request, abort), request.prompt.length, {
          piece: () => {
            progress.pieces++;
          },
          lost: (usage) => {
            budget?.spend(usage);
            charge(usage);
          },
        });
      },
      (fault, ms) => {
        progress.waiting = { reason: fault.message, until: Date.now() + ms };
        notify();
      },
    );
    outcome.without = [...new Set([...outcome.without, ...(reply.without ?? [])])];
    const seconds = Math.round(performance.now() - begun) / 1000;
    const { model, host } = teacher;
    const record = { key, problemId: problem.id, sample, model, host, time: now().toISOString(), seconds, ...reply };
    return journal.append(record);
  };

  const work = async () => {
    for (let task = missing.shift(); task && !waits.aborted; task = missing.shift()) {
      const most = { prompt: 2 * tokensIn(task.request.prompt.length), completion: task.request.maxTokens };
      if (budget && !(await budget.reserve(most))) {
        outcome.ended ??= 'budget'; // what is under way is paid for: it goes on
        return;
      }
      progress.underWay++;
      notify();
      let used: Usage | undefined;
      try {
        const entry = await askOne(task);
        used = entry.usage;
        charge(used);
        progress.done++;
        failing.clear();
        if (isRight(entry, task.problem.answer)) progress.correct++;
        if (!entry.finished) progress.cut++;
      } catch (error) {
        if (error instanceof Overdrawn) {
          outcome.ended ??= 'budget';
          return;
        }
        if (waits.aborted && !(error instanceof TeacherFault)) return end('stopped');
        if (!(error instanceof TeacherFault)) {
          halt.abort();
          throw error;
        }
        if (error.kind === 'teacher') return end(error);
        progress.failed++;
        outcome.failures.push({ problemId: task.problem.id, sample: task.sample, message: error.message });
        lastFault = error;
        if (isHopeless(error, task.problem)) return end(error);
      } finally {
        budget?.settle(most, used);
        progress.underWay--;
        notify();
      }
    }
    if (stop?.aborted || abort.aborted) end('stopped');
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(concurrency, missing.length) }, work));
  const broken = results.find((result) => result.status === 'rejected');
  if (broken) throw broken.reason;
  if (progress.done === 0 && lastFault) outcome.ended ??= lastFault;
  return outcome;
}
