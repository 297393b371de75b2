/** The figures of an evaluation, and their text. */
import type { PromptStyle } from '../../config/student';
import { deviations } from '../../evaluation/caveats';
import type { Evaluation } from '../../evaluation/figures';
import type { EvaluationAnswerRecord } from '../../evaluation/records';
import type { ServerEvaluation } from '../../evaluation/server';
import { mean, wilsonInterval } from '../../statistics';
import { shortPath } from '../inputs/places';
import { columns, percent, percentRange, plural } from '../terminal/format';
import { pc } from '../terminal/terminal';

export function summarise(
  { answers: _, without = [], ...figures }: Evaluation & Partial<ServerEvaluation>,
  answers: readonly EvaluationAnswerRecord[],
  samples: number,
) {
  const n = answers.length / samples;
  const share = (test: (answer: EvaluationAnswerRecord) => boolean) =>
    mean(answers.map((answer) => Number(test(answer))));
  const solved = Array.from({ length: n }, (_, i) =>
    Number(answers.slice(i * samples, (i + 1) * samples).some(({ correct }) => correct)),
  );
  const unanswered = answers.filter(({ error }) => error !== undefined);
  return {
    ...figures,
    n,
    samples,
    // Answers to one problem are not independent, so the interval uses the number of problems, which is conservative.
    accuracyInterval: wilsonInterval(figures.accuracy * n, n),
    ...(samples > 1 && { passAtK: mean(solved) }),
    lmEval: {
      strictMatch: share((answer) => answer.strictMatch),
      flexibleExtract: share((answer) => answer.flexibleExtract),
    },
    ...(answers.some((answer) => answer.tokensEstimated) && { tokensEstimated: true }),
    ...(unanswered.length > 0 && { unanswered: { count: unanswered.length, first: unanswered[0].error } }),
    ...(without.length > 0 && { without }),
  };
}

export type EvaluateResult = ReturnType<typeof summarise> & {
  settings: { maxNewTokens: number; temperature: number; prompt?: PromptStyle };
  backend: string;
  /** Caveats about the accuracy. */
  notes?: string[];
  out?: string;
};

export function resultText(result: EvaluateResult, student: string): string {
  const { n, samples, accuracy, accuracyInterval, lenientAccuracy, passAtK, lmEval, settings } = result;
  const { tokensEstimated, unanswered, without } = result;
  const rows = [
    ['accuracy', percent(accuracy), `95 % interval ${percentRange(accuracyInterval)}`],
    ['lenient', percent(lenientAccuracy), 'the last number, where no answer is marked'],
    ...(passAtK === undefined ? [] : [[`pass@${samples}`, percent(passAtK), 'any answer right']]),
    ['strict-match', percent(lmEval.strictMatch), 'lm-evaluation-harness: "#### n"'],
    ['flexible-extract', percent(lmEval.flexibleExtract), 'lm-evaluation-harness: the last number'],
    [
      'mean tokens',
      result.meanTokens.toFixed(1),
      tokensEstimated ? 'estimated from text lengths: the server does not count tokens' : '',
    ],
    ['cut off', percent(result.truncated), `at ${settings.maxNewTokens} tokens`],
  ];
  const drawn = settings.temperature === 0 ? 'greedy' : `temperature ${settings.temperature}`;
  const how = settings.prompt === 'chat' ? `${drawn}, in its chat template` : drawn;
  return [
    `${pc.bold(student)} on ${plural(n, 'problem')}, ${samples > 1 ? `${samples} samples each, ` : ''}${how}`,
    '',
    ...columns(
      rows.map(([name, value, note]) => [name, pc.bold(value.padStart(7)), pc.dim(note)]),
      3,
    ),
    '',
    pc.dim(`${result.tokensPerSecond.toFixed(0)} tokens/s, ${result.backend}`),
    ...deviations(unanswered, without).map((text) => pc.yellow(text)),
    ...(result.notes ?? []).map((note) => pc.yellow(`! ${note}`)),
    ...(result.out ? [`Every answer: ${shortPath(result.out)}`] : []),
  ].join('\n');
}
