import { judge } from '../../answers/grade';
import { describeFailure, recordedAnswer } from '../../cases/describe';
import { withoutEnd } from '../../chain/completion';
import type { RewriteSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import { unfiltered } from '../../engine-data/sampling';
import type { Context } from '../context';
import { keepSoundCompletions } from './complete';
import { decisionsFor, pickedRows } from './decisions';
import type { OwnSamples } from './replay';

interface Attempt {
  text: string;
  tokens: number[];
  answer: string | null;
  correct: boolean;
  finished: boolean;
}

/**
 * Finds problems that the student keeps getting wrong: of one greedy answer and `samples` sampled ones, at most
 * `maxCorrect` are right. Only problems with a teacher chain count, as rewriting needs one. With `source` "data",
 * recorded answers in the data (as in BRIDGE's file) are used instead. Problems that a person added are always
 * included. Writes failures.jsonl and returns the rows.
 */
export async function findFailures(
  context: Context,
  student: Student,
  settings: RewriteSettings['failures'],
  own: OwnSamples,
): Promise<number[]> {
  const { train, run, space, results } = context;
  const picked = pickedRows(context, decisionsFor(context));
  const asked = train.flatMap((lesson, row) => (lesson.chain ? [row] : [])).slice(0, settings.limit);
  const rows = [...new Set([...asked, ...picked])];
  const fromData = settings.source === 'data';
  const recorded = rows.filter((row) => train[row].problem.student);
  const failed = fromData
    ? recordedAttempts(context, recorded, picked)
    : await attempt(context, student, { rows, picked, settings, own });
  const source = fromData ? 'data' : (results.complete ?? 'student');
  const records = [...failed].map(([row, attempts]) =>
    describeFailure(
      train[row].problem,
      attempts.map(({ tokens, ...rest }) => ({ ...rest, tokens: tokens.length })),
      source,
    ),
  );
  await space.write(() => run.failures(records));
  return [...failed.keys()];
}

interface FailureSearch {
  rows: number[];
  /** Kept, whatever the answers. */
  picked: readonly number[];
  settings: RewriteSettings['failures'];
  own: OwnSamples;
}

/** Failing and picked rows with their attempts. Rows with too many right answers are not sampled further. */
async function attempt(
  context: Context,
  student: Student,
  { rows, picked, settings, own }: FailureSearch,
): Promise<Map<number, Attempt[]>> {
  const attempts = new Map<number, Attempt[]>(rows.map((row) => [row, []]));
  const open = () =>
    rows.filter((row) => attempts.get(row)!.filter(({ correct }) => correct).length <= settings.maxCorrect);
  const round = async (draw: SamplingPlan) => {
    const asked = open();
    const answers = await answer(context, student, asked, draw);
    asked.forEach((row, i) => {
      attempts.get(row)!.push(...answers[i]);
      keepSoundCompletions(own, { row, lesson: context.train[row], samples: answers[i] });
    });
  };
  if (settings.greedy) await round({ stream: 'failures/greedy', temperature: 0, groupSize: 1 });
  const { samples, temperature } = settings;
  if (samples > 0) await round({ stream: 'failures/samples', temperature, groupSize: samples });
  const chosen = new Set([...open(), ...picked]);
  return new Map([...attempts].filter(([row]) => chosen.has(row)));
}

interface SamplingPlan {
  /** Identifies the random draw. */
  stream: string;
  /** 0 means greedy. */
  temperature: number;
  /** Answers per problem. */
  groupSize: number;
}

async function answer(
  context: Context,
  student: Student,
  rows: number[],
  { stream, temperature, groupSize }: SamplingPlan,
): Promise<Attempt[][]> {
  const { train, tokenizer, experiment, signal } = context;
  const { completions } = await student.sample(
    rows.map((row) => train[row].prompt),
    {
      sampling: { temperature, ...unfiltered },
      maxNewTokens: experiment.evaluation.maxNewTokens,
      eosIds: tokenizer.eosIds,
      seed: experiment.seed,
      stream: [stream],
      groupSize,
      maxRows: experiment.evaluation.batch,
      signal,
    },
  );
  return rows.map((row, i) =>
    completions.slice(i * groupSize, (i + 1) * groupSize).map(({ tokens, finished }) => {
      const text = tokenizer.decode(withoutEnd({ tokens, finished }));
      const verdict = judge(text, train[row].problem.answer);
      return { text, tokens, finished, answer: verdict.answer, correct: verdict.correct && finished };
    }),
  );
}

function recordedAttempts(
  { train, tokenizer }: Context,
  rows: readonly number[],
  picked: readonly number[],
): Map<number, Attempt[]> {
  const failed = new Map<number, Attempt[]>();
  for (const row of new Set([...rows, ...picked])) {
    const answer = recordedAnswer(train[row].problem);
    if (answer?.correct && !picked.includes(row)) continue;
    if (!answer) failed.set(row, []);
    else {
      const { unit: _, ...verdict } = answer;
      failed.set(row, [{ ...verdict, tokens: tokenizer.encode(answer.text) }]);
    }
  }
  return failed;
}
