/** Test answers: validation dumps, logs of evaluations. */
import { describeFailure } from '../cases/describe';
import { type TextTokenizer, wordTokenizer } from '../cases/text-tokenizer';
import type { AnswerRecord, EvaluationRecord } from '../runs/records';
import { wilsonInterval } from '../statistics';
import { type LoggedCompletion, problemIdOf } from './logged';
import { isFinished, judge } from './step-writer';

/** A line of evaluations/<name>.jsonl. */
export type ImportedAnswer = Omit<EvaluationRecord, 'seq'>;

/** An answer as such a line; without any verdict it counts as wrong. */
export function evaluationOf(logged: LoggedCompletion, tokenizer?: TextTokenizer): ImportedAnswer {
  const { answer, correct } = judge(logged);
  const counted = logged.length ?? logged.tokens?.ids.length;
  const length = counted ?? (tokenizer ?? wordTokenizer()).tokenize(logged.text).ids.length;
  return {
    text: logged.text,
    answer,
    correct: correct === true,
    finished: isFinished(logged, tokenizer),
    tokens: length,
    ...(!tokenizer && counted === undefined && { unit: 'words' as const }),
    problemId: problemIdOf(logged),
    gold: logged.gold ?? '',
    question: logged.question,
  };
}

/** A failure case from the answers to one problem, none of which is right; the log's `category` takes precedence. */
export function failureOf(answers: readonly ImportedAnswer[], source: string) {
  const [{ problemId, question = '', gold }] = answers;
  const samples = answers.map(
    ({ text, answer, correct, finished, tokens, unit }): AnswerRecord => ({
      text,
      answer,
      correct,
      finished,
      tokens,
      ...(unit && { unit }),
    }),
  );
  return describeFailure({ id: problemId, question, answer: gold }, samples, source);
}

/** The summary of a test. */
export class Tally {
  n = 0;
  private right = 0;
  private tokens = 0;
  private cut = 0;
  private words = false;

  add({ correct, tokens, finished, unit }: ImportedAnswer): void {
    this.n++;
    this.right += Number(correct);
    this.tokens += tokens;
    this.cut += Number(!finished);
    this.words ||= unit === 'words';
  }

  get accuracy(): number {
    return this.right / this.n;
  }

  /** undefined if words were counted */
  get meanTokens(): number | undefined {
    return this.words ? undefined : this.tokens / this.n;
  }

  row() {
    return {
      accuracy: this.accuracy,
      accuracyInterval: wilsonInterval(this.right, this.n),
      meanTokens: this.tokens / this.n,
      ...(this.words && { unit: 'words' as const }),
      n: this.n,
      truncated: this.cut / this.n,
      wallSeconds: 0,
    };
  }
}
