/** Short work on a student: evaluations, questions, rewrites. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { judge } from '../answers/grade';
import { withoutEnd } from '../chain/completion';
import { preset } from '../config/presets';
import { evaluate } from '../curriculum/evaluation/evaluate';
import { answerBudget, askStudent } from '../curriculum/evaluation/students';
import { prepareLessons, rewriteExercise } from '../curriculum/lessons/lessons';
import { runConfigOf } from '../curriculum/run-config';
import type { Student } from '../engine/port';
import { type Completion, type Draft, unfiltered } from '../engine-data/sampling';
import { UserError } from '../errors';
import { answerSettings } from '../evaluation/settings';
import type { AskSample, Candidate, HostResult, JobProgress } from '../protocol/control';
import { CodeRewards } from '../rewards/code/code-rewards';
import { scoreGroups } from '../rewards/score';
import { evaluationFile } from '../runs/layout';
import { runOfCheckpoint } from '../runs/reading';
import { openForWriting } from '../runs/writer';
import { largest } from '../statistics';
import type { Tokenizer } from '../student-files/tokenizer';
import { log } from './faults';
import type { JobParams } from './messages';

/** Resources of short work: the student, an abort signal, and a receiver of progress. */
export interface Bench {
  student: Student;
  tokenizer: Tokenizer;
  signal: AbortSignal;
  progress: (part: unknown) => void;
}

export async function doEvaluate(params: JobParams['evaluate'], bench: Bench): Promise<HostResult<'evaluate'>> {
  const { student, tokenizer, signal } = bench;
  const usual = runConfigOf(params.checkpoint)?.experiment.evaluation;
  const settings = answerSettings(params, usual);
  const lessons = prepareLessons(params.problems, tokenizer);
  const longest = largest(lessons.map(({ prompt }) => prompt.length));
  const part = batches<JobProgress<'evaluate'>[number]>(bench.progress);
  const { answers, ...measures } = await evaluate(student, tokenizer, lessons, {
    ...settings,
    maxNewTokens: answerBudget(student, longest, settings.maxNewTokens),
    batch: usual?.batch ?? 64,
    signal,
    answered: (answer, i) => part.add({ ...answer, gold: params.problems[i].answer }),
  });
  part.end();
  const records = answers.map((answer, i) => ({ ...answer, gold: params.problems[i].answer }));
  return { ...measures, answers: records, ...record(params, records) };
}

/**
 * Writes the answers into the run of the checkpoint. Returns the name of the record, or the reason why there is none.
 */
function record(
  { checkpoint, record: asked }: JobParams['evaluate'],
  answers: JobProgress<'evaluate'>,
): Pick<HostResult<'evaluate'>, 'recorded' | 'unrecorded'> {
  const run = runOfCheckpoint(checkpoint);
  if (asked === false || !run) return {};
  try {
    const writer = openForWriting(run);
    try {
      const name = [basename(checkpoint), asked ?? 'asked'].join('-');
      let free = name;
      for (let i = 2; existsSync(evaluationFile(run, free)); i++) free = `${name}-${i}`;
      writer.evaluation(free, answers);
      return { recorded: free };
    } finally {
      writer.close();
    }
  } catch (error) {
    // A failure to record must not lose the answers.
    if (error instanceof UserError) return { unrecorded: error.toString() };
    throw error;
  }
}

export async function doAsk(params: JobParams['ask'], bench: Bench): Promise<HostResult<'ask'>> {
  const { tokenizer, signal } = bench;
  const growth = (draft: Draft, index: number, budget: number): JobProgress<'ask'>[number] => ({
    sample: index,
    text: tokenizer.decode(withoutEnd(draft)),
    tokens: draft.tokens.length,
    done: draft.finished || draft.tokens.length >= budget,
  });
  const shown: number[] = [];
  let last = 0;
  const { prompt, completions, summary } = await askStudent(bench, params.question, {
    ...params,
    signal,
    progress(drafts, budget) {
      if (performance.now() - last < reportEvery) return;
      last = performance.now();
      const grown = drafts.flatMap((draft, i) =>
        draft.tokens.length > (shown[i] ?? 0) ? [growth(draft, i, budget)] : [],
      );
      for (const [i, draft] of drafts.entries()) shown[i] = draft.tokens.length;
      if (grown.length > 0) bench.progress(grown);
    },
  });
  return {
    prompt,
    samples: completions.map((one) => sampleOf(one, tokenizer)),
    tokensPerSecond: summary.tokensPerSecond,
  };
}

export async function doRewrite(params: JobParams['rewrite'], bench: Bench): Promise<HostResult<'rewrite'>> {
  const { student, tokenizer, signal } = bench;
  const { question, answer, teacherChain, wrongStep } = params;
  const [lesson] = prepareLessons([{ id: 'asked', question, answer, chain: teacherChain }], tokenizer);
  const stages = runConfigOf(params.checkpoint)?.experiment.stages;
  const settings = stages?.rewrite || undefined;
  const reward = settings?.reward ?? (stages?.complete || undefined)?.reward ?? preset('default');
  const prompt = rewriteExercise(lesson, { hideAnswer: settings?.hideAnswer ?? false, wrongStep }, tokenizer);
  const { maxNewTokens, seed } = answerSettings(params, settings);
  const teacherTokens = lesson.teacherTokens!.length - 1;
  const { completions } = await student.sample([prompt], {
    sampling: {
      ...(settings?.sampling ?? unfiltered),
      temperature: params.temperature ?? settings?.sampling.temperature ?? 1,
    },
    maxNewTokens: answerBudget(student, prompt.length, maxNewTokens),
    eosIds: tokenizer.eosIds,
    seed,
    stream: ['rewrite/asked'],
    groupSize: params.samples ?? 8,
    signal,
  });
  const problem = { question, answer, teacher: lesson.chain ?? undefined, teacherTokens };
  const drawn = completions.map((one) => ({ ...sampleOf(one, tokenizer), bare: withoutEnd(one) }));
  const inputs = drawn.map(({ text, bare, finished }) => ({ problem, completion: { text, tokens: bare, finished } }));
  const problems: string[] = [];
  const warn = (text: string) => {
    log('warning', text);
    problems.push(text);
  };
  const code = new CodeRewards({ warn, signal });
  const [scores] = await scoreGroups(reward, [inputs], code).finally(() => code.close());
  for (const { failures } of scores)
    for (const [name, why] of Object.entries(failures)) problems.push(`the component "${name}" did not apply: ${why}`);
  const candidates = drawn.map(({ bare, ...one }, i): Candidate => {
    const verdict = judge(one.text, answer);
    const { total, parts } = scores[i];
    return {
      ...one,
      answer: verdict.answer,
      correct: verdict.correct && one.finished,
      length: bare.length,
      reward: total,
      parts,
    };
  });
  const value = ({ reward: total }: Candidate) => total ?? Number.NEGATIVE_INFINITY;
  candidates.sort((a, b) => value(b) - value(a) || a.length - b.length);
  return { candidates, teacherTokens, reward: reward.name ?? 'unnamed', problems: [...new Set(problems)] };
}

function sampleOf({ tokens, logProbs, finished }: Completion, tokenizer: Tokenizer): AskSample {
  return {
    text: tokenizer.decode(withoutEnd({ tokens, finished })),
    tokens,
    tokenTexts: tokenizer.tokenTexts(tokens),
    logProbs: Array.from(logProbs, (value) => Number(value.toPrecision(9))),
    finished,
  };
}

/** Milliseconds between two progress messages. */
const reportEvery = 100;

/** Passes on added items in lists, at most every `reportEvery`. */
function batches<T>(hand: (parts: T[]) => void): { add(part: T): void; end(): void } {
  let gathered: T[] = [];
  let last = 0;
  const end = () => {
    last = performance.now();
    if (gathered.length > 0) hand(gathered);
    gathered = [];
  };
  return {
    add(part) {
      gathered.push(part);
      if (performance.now() - last >= reportEvery) end();
    },
    end,
  };
}
