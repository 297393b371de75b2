/** Evaluation of a student that an OpenAI-compatible server holds (vLLM, llama.cpp, Ollama), for students too big for this machine. */
import { setMaxListeners } from 'node:events';
import { plainPrompt } from '../chain/prompts';
import type { PromptStyle } from '../config/student';
import { type EvaluatedAnswer, type Evaluation, judge } from '../curriculum/evaluate';
import type { Problem } from '../data/types';
import { UserError } from '../errors';
import { mean, wilsonInterval } from '../statistics';
import { checkBaseUrl, keyFor } from '../teachers/endpoint';
import { TeacherFault } from '../teachers/faults';
import { openAiTeacher } from '../teachers/openai';
import { Gate, type Pace, withPatience } from '../teachers/patience';
import { tokensIn } from '../teachers/reply';
import type { Teacher, TeacherRequest } from '../teachers/types';

interface Settings {
  maxNewTokens: number;
  /** 0 = greedy. */
  temperature: number;
  /** Sample i of a problem is drawn with seed + i. */
  seed: number;
  /** Requests at a time. */
  concurrency: number;
  style: PromptStyle;
  /** System message, in chat. */
  system?: string;
  pace?: Pace;
}

/**
 * The student behind `/completions`, where prompts go as they are, or behind `/chat/completions`, where the server puts them into the
 * student's chat template: as it was trained.
 */
export function studentOn(url: string, model: string, style: PromptStyle): Teacher {
  const key = keyFor(checkBaseUrl(url), process.env);
  const api = style === 'chat' ? 'chat' : 'completions';
  return openAiTeacher({ baseUrl: url, model, api, apiKey: key?.key });
}

/**
 * Answers every problem from its plain question, `samples` times one after the other, and compares with the gold answers, as `evaluate`
 * does here. `tokens` are the server's count, which with some servers includes the end token. Errors: what the server refuses.
 */
export async function evaluateOnServer(
  student: Teacher,
  problems: readonly Problem[],
  samples: number,
  { maxNewTokens, temperature, seed, concurrency, style, system, pace = {} }: Settings,
): Promise<Evaluation> {
  const started = performance.now();
  const gate = new Gate(0);
  const halt = new AbortController();
  setMaxListeners(0, halt.signal);
  const answers = new Array<EvaluatedAnswer>(problems.length * samples);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < answers.length; i = next++) {
      const problem = problems[Math.floor(i / samples)];
      const plain = plainPrompt(problem.question);
      const prompt = style === 'chat' ? plain.trimEnd() : plain; // as model/prompting.ts has it
      const request = { prompt, system, temperature, maxTokens: maxNewTokens, seed: seed + (i % samples) };
      const { text, tokens, finished } = await withPatience(pace, gate, halt.signal, () =>
        answerOf(student, request, halt.signal),
      );
      answers[i] = { problemId: problem.id, text, tokens, finished, ...judge(text, problem.answer) };
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, answers.length) }, work));
  } catch (error) {
    halt.abort();
    if (!(error instanceof TeacherFault)) throw error;
    const remedy =
      error.details.remedy ??
      `Check that the server runs and serves "${student.model}" by ${style === 'chat' ? '/chat' : ''}/completions.`;
    throw new UserError(error.message, { code: 'server', remedy, cause: error });
  }
  const right = answers.filter(({ correct }) => correct).length;
  const seconds = (performance.now() - started) / 1000;
  return {
    n: answers.length,
    accuracy: right / Math.max(answers.length, 1),
    accuracyInterval: wilsonInterval(right, answers.length),
    lenientAccuracy: mean(answers.map(({ lenientCorrect }) => Number(lenientCorrect))),
    meanTokens: mean(answers.map(({ tokens }) => tokens)),
    truncated: mean(answers.map(({ finished }) => Number(!finished))),
    answers,
    tokensPerSecond: answers.reduce((sum, { tokens }) => sum + tokens, 0) / Math.max(seconds, 1e-9),
  };
}

/** The text as it came: a student may say nothing, or begin with a space. */
async function answerOf(student: Teacher, request: TeacherRequest, signal: AbortSignal) {
  let text = '';
  for await (const piece of student.ask(request, signal))
    if (piece.kind === 'end')
      return { text, finished: piece.finished, tokens: piece.usage?.completion ?? tokensIn(text.length) };
    else text += piece.text;
  throw new TeacherFault('the answer was cut off by the server', 'passing');
}
