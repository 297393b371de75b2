/** What would be sent where, and its possible cost: shown before anything is sent. */
import { costOf, type Prices } from './cost';
import type { Task } from './generate';
import type { JournalEntry } from './journal';
import { tokensIn } from './reply';
import type { Teacher, Usage } from './types';

export interface RequestPlan {
  endpoint: string;
  host: string;
  model: string;
  questions: number;
  requests: number;
  /** Of these, the replies that the journal has. */
  cached: number;
  /** The exact text of the first request; undefined if nothing is left to send. */
  example?: string;
  /** Expected number of tokens, and the maximum. */
  expected: Usage;
  most: Usage;
  /** Whether `expected` is based on received replies, or is a guess. */
  measured: boolean;
  cost?: { expected: number; most: number };
}

/** Assumed tokens of a reply before any was received: a worked solution of a school problem. */
const guessedReply = 300;

interface PlanInput {
  questions: number;
  tasks: readonly Task[];
  entries: ReadonlyMap<string, JournalEntry>;
  prices?: Prices;
}

export function planOf(teacher: Teacher, { questions, tasks, entries, prices }: PlanInput): RequestPlan {
  const missing = tasks.filter(({ key }) => !entries.has(key));
  const prompt = missing.reduce((sum, { request }) => sum + tokensIn(request.prompt.length), 0);
  const known = [...entries.values()].map(({ usage }) => usage.completion);
  const each = known.length > 0 ? known.reduce((a, b) => a + b) / known.length : guessedReply;
  const maxTokens = missing[0]?.request.maxTokens ?? 0;
  const expected = { prompt, completion: Math.round(missing.length * Math.min(each, maxTokens)) };
  const most = { prompt: 2 * prompt, completion: missing.length * maxTokens };
  return {
    endpoint: teacher.endpoint,
    host: teacher.host,
    model: teacher.model,
    questions,
    requests: tasks.length,
    cached: tasks.length - missing.length,
    ...(missing[0] && { example: missing[0].request.prompt }),
    expected,
    most,
    measured: known.length > 0,
    ...(prices && { cost: { expected: costOf(expected, prices), most: costOf(most, prices) } }),
  };
}
