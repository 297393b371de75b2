/**
 * Evaluates a student on an OpenAI-compatible server (vLLM, llama.cpp, Ollama), for students too big for this machine.
 */
import { setMaxListeners } from 'node:events';
import { judge } from '../answers/grade';
import { plainPrompt } from '../chain/prompts';
import type { PromptStyle } from '../config/student';
import type { Problems } from '../data/problems';
import type { Problem } from '../data/types';
import { UserError } from '../errors';
import { TeacherFault } from '../teachers/faults';
import { openAiTeacher } from '../teachers/openai';
import { tokensIn, withinLength } from '../teachers/reply';
import { type Pace, RequestGate, withRetries } from '../teachers/retry';
import type { Teacher, TeacherRequest } from '../teachers/types';
import { type EvaluatedAnswer, type Evaluation, evaluationOf } from './figures';
import type { AnswerSettings } from './settings';

/** Sample i of a problem is drawn with seed + i. */
export interface ServerSettings extends AnswerSettings {
  /** Concurrent requests. */
  concurrency: number;
  prompt: PromptStyle;
  /** System message, for chat. */
  system?: string;
  pace?: Pace;
  /** Aborts everything; its reason is thrown. */
  signal?: AbortSignal;
  /** Called with each answer as it arrives; `index` counts problems and their samples. */
  answered?: (answer: ServerAnswer, index: number) => void;
}

export interface ServerAnswer extends EvaluatedAnswer {
  /** The server did not report it, so `tokens` is estimated from the text's length. */
  tokensEstimated?: true;
  /** Why there is no answer; it counts as wrong. */
  error?: string;
}

export interface ServerEvaluation extends Evaluation<ServerAnswer> {
  /** Sampling settings that the server does not support; it uses its own defaults. */
  without: string[];
}

/**
 * Uses `/completions`, where prompts are sent unchanged, or `/chat/completions`, where the server applies the student's
 * chat template: as the student was trained.
 */
export function studentOn(baseUrl: string, model: string, style: PromptStyle, apiKey?: string): Teacher {
  return openAiTeacher({ baseUrl, model, api: style === 'chat' ? 'chat' : 'completions', apiKey });
}

/** The evaluation ends after this many consecutive permanent failures. */
const givenUpAfter = 3;

/**
 * Answers every problem from its plain question, `samples` times one after the other, and compares with the reference
 * answers, by the same rules as local evaluation: only temperature and seed shape the sampling. `tokens` are the
 * server's counts, which with some servers include the end token. A refused question (too long) has no answer and
 * counts as wrong. @throws UserError when the server refuses every question
 */
export async function evaluateOnServer(
  student: Teacher,
  problems: Problems,
  samples: number,
  { maxNewTokens, temperature, seed, concurrency, prompt: style, system, pace = {}, signal, answered }: ServerSettings,
): Promise<ServerEvaluation> {
  const started = performance.now();
  const gate = new RequestGate(0);
  const halt = new AbortController();
  const ends = signal ? AbortSignal.any([signal, halt.signal]) : halt.signal;
  setMaxListeners(0, ends);
  const answers = new Array<ServerAnswer>(problems.length * samples);
  const without = new Set<string>();
  let [next, given, failed] = [0, 0, 0];
  const ask = async ({ question }: Problem, i: number): Promise<GivenAnswer> => {
    const plain = plainPrompt(question);
    const prompt = style === 'chat' ? plain.trimEnd() : plain; // as in student-files/prompting.ts
    const request = { prompt, system, temperature, maxTokens: maxNewTokens, seed: seed + (i % samples), neutral: true };
    try {
      const answer = await withRetries({ pace, gate, signal: ends }, () => answerOf(student, request, ends));
      given++;
      failed = 0;
      return answer;
    } catch (error) {
      if (!(error instanceof TeacherFault) || error.kind === 'teacher') throw error;
      failed++;
      // Until the first answer, failures may concern all questions; refusals arrive at once, while answers take time.
      const none = given === 0 && failed >= Math.min(Math.max(concurrency, givenUpAfter), answers.length);
      if (none || (given > 0 && failed >= givenUpAfter && error.kind === 'passing')) throw error;
      return { text: '', tokens: 0, finished: false, error: error.message };
    }
  };
  const work = async () => {
    for (let i = next++; i < answers.length; i = next++) {
      const problem = problems.at(Math.floor(i / samples))!;
      const { without: lacking = [], ...answer } = await ask(problem, i);
      for (const name of lacking) without.add(name);
      answers[i] = { problemId: problem.id, ...answer, ...judge(answer.text, problem.answer) };
      answered?.(answers[i], i);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, answers.length) }, work));
  } catch (error) {
    halt.abort();
    signal?.throwIfAborted();
    if (!(error instanceof TeacherFault)) throw error;
    const remedy =
      error.details.remedy ??
      `Check that the server runs and serves "${student.model}" at ${style === 'chat' ? '/chat' : ''}/completions.`;
    throw new UserError(error.message, { code: 'server', remedy, cause: error });
  }
  const received = answers.filter(({ error }) => error === undefined);
  const seconds = (performance.now() - started) / 1000;
  return { ...evaluationOf(answers, seconds, received), without: [...without] };
}

type GivenAnswer = Pick<ServerAnswer, 'text' | 'tokens' | 'finished' | 'tokensEstimated' | 'error'> & {
  without?: string[];
};

/** The text unchanged: it may be empty, or begin with a space. */
async function answerOf(student: Teacher, request: TeacherRequest, signal: AbortSignal): Promise<GivenAnswer> {
  let text = '';
  for await (const piece of withinLength(student.ask(request, signal), request.maxTokens)) {
    if (piece.kind === 'end') {
      const { finished, usage, without } = piece;
      const tokens = usage
        ? { tokens: usage.completion }
        : { tokens: tokensIn(text.length), tokensEstimated: true as const };
      return { text, finished, ...tokens, without };
    }
    text += piece.text;
  }
  throw new TeacherFault('the answer was cut off by the server', 'passing');
}
