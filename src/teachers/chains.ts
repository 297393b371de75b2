/** From the replies of a journal to chains that students learn from. */
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { groundedness } from '../chain/grounded';
import { splitChain } from '../chain/split';
import type { Problems } from '../data/problems';
import type { Problem } from '../data/types';
import { parseJson, readLines } from '../lines';
import { replaceFile } from '../writing';
import { isRight, type Sampling, taskOf } from './generate';
import type { Entry, Journal } from './journal';
import { noteOutput } from './output';
import { chainText } from './reply';
import type { Teacher } from './types';

/**
 * Of `shortest-correct`, a chain of one step is taken only where there is none of more: it has nothing to shuffle or to
 * mask.
 */
export const keepRules = ['shortest-correct', 'all-correct'] as const;

export interface Selection {
  keep: (typeof keepRules)[number];
  /** Whether the teacher's thinking is part of the chain, in front of the solution. */
  thoughts: boolean;
  /** Questions without a right chain stay in the file, without a chain: Stage 2 can still use them. */
  unanswered: boolean;
}

/** What was asked of whom, and the replies. */
export interface Asked {
  problems: Problems;
  teacher: Teacher;
  sampling: Sampling;
  journal: Journal;
}

export interface Written {
  rows: number;
  /**
   * Questions with at least one right chain whose steps arrive at the answer, questions that have all their replies,
   * questions.
   */
  solved: number;
  complete: number;
  questions: number;
  /**
   * Right chains that were left out because their steps do not arrive at the answer, the first of them with what is
   * wrong.
   */
  ungrounded: { count: number; first: { problemId: string; fault: string }[] };
  /** Rows of the file before that belong to other questions: they stay, in front. */
  others: number;
  /** The file was left as it is: of these questions it holds so many rows, more than there are now. */
  kept?: number;
}

/**
 * Writes the chains of the problems, in their order, as a `*.chains.jsonl`; the file is replaced as a whole. One that
 * holds more stays when the asking ended `early`: a wrong key or a stop at once takes nothing from anybody.
 */
export function writeChainsOf(file: string, asked: Asked, selection: Selection, early = false): Written {
  const { problems, sampling, journal } = asked;
  const earlier = earlierRows(file, problems);
  const written: Written = {
    rows: 0,
    solved: 0,
    complete: 0,
    questions: problems.length,
    ungrounded: { count: 0, first: [] },
    others: earlier.others.length,
  };
  const lines = function* () {
    yield* earlier.others;
    for (const problem of problems) {
      const { rows, replies, solved, faults } = rowsOf(problem, asked, selection);
      if (solved) written.solved++;
      written.ungrounded.count += faults.length;
      for (const fault of faults.slice(0, mostFaults - written.ungrounded.first.length))
        written.ungrounded.first.push({ problemId: problem.id, fault });
      if (replies === sampling.samples) written.complete++;
      written.rows += rows.length;
      for (const row of rows) yield JSON.stringify(row);
    }
  };
  replaceLines(file, lines, (draft) => {
    if (early && earlier.asked > written.rows) written.kept = earlier.asked;
    else noteOutput(journal.folder, [draft, file]);
    return written.kept === undefined;
  });
  return written;
}

/** Most faults of chains that are told one by one. */
const mostFaults = 3;

/** The rows of the file as it is: how many are of these problems, and the lines of all others. */
function earlierRows(file: string, problems: Problems): { asked: number; others: string[] } {
  const ids = new Set(problems.map(({ id }) => id));
  const found = { asked: 0, others: [] as string[] };
  if (!fs.existsSync(file)) return found;
  for (const { text, number } of readLines(file)) {
    if (text.trim() === '') continue;
    const { id } = parseJson(text, { file, line: number, code: 'teacher' }) as { id?: unknown };
    if (ids.has(String(id)) || ids.has(String(id).replace(/#\d+$/, ''))) found.asked++;
    else found.others.push(text);
  }
  return found;
}

function rowsOf(problem: Problem, { teacher, sampling, journal }: Asked, selection: Selection) {
  const replies: { sample: number; entry: Entry }[] = [];
  for (let sample = 0; sample < sampling.samples; sample++) {
    const entry = journal.entries.get(taskOf(problem, teacher, sampling, sample).key);
    if (entry) replies.push({ sample, entry });
  }
  const right = replies.filter(({ entry }) => isRight(entry, problem.answer));
  const read = ({ sample, entry }: (typeof right)[number]) => {
    const reply = journal.read(entry);
    return { sample, reply, chain: chainText(reply, selection.thoughts) };
  };
  const length = ({ lengths }: Entry) => lengths.text + (selection.thoughts ? lengths.thought : 0);
  const faults: string[] = [];
  // A right answer is no lesson where the steps do not arrive at it.
  const isSound = ({ chain }: ReturnType<typeof read>) => {
    const { fault } = groundedness(problem.question, chain);
    if (fault !== null) faults.push(fault);
    return fault === null;
  };
  const shortest = () => {
    // Stable: of two as short, the earlier sample.
    const sorted = right.toSorted((a, b) => length(a.entry) - length(b.entry));
    let first: ReturnType<typeof read> | undefined;
    for (const one of sorted) {
      const candidate = read(one);
      if (!isSound(candidate)) continue;
      if (splitChain(candidate.chain).steps.length > 1) return [candidate];
      first ??= candidate;
    }
    return first ? [first] : [];
  };
  const kept = selection.keep === 'all-correct' ? right.map(read).filter(isSound) : shortest();
  const { id, question, answer, meta } = problem;
  const rows: object[] = kept.map(({ sample, reply, chain }) => {
    const provenance = {
      model: reply.model,
      endpoint: reply.host,
      time: reply.time,
      samples: replies.length,
      correct: right.length,
      sample,
      ...(!reply.without?.includes('temperature') && { temperature: sampling.temperature }),
      promptTokens: reply.usage.prompt,
      completionTokens: reply.usage.completion,
      ...(reply.estimated && { tokensEstimated: true }),
    };
    return {
      id: selection.keep === 'all-correct' ? `${id}#${sample}` : id,
      question,
      answer,
      chain,
      meta: { ...meta, teacher: provenance },
    };
  });
  if (rows.length === 0 && selection.unanswered) rows.push({ id, question, answer, ...(meta && { meta }) });
  return { rows, replies: replies.length, solved: kept.length > 0, faults };
}

/**
 * A line at a time: all chains together may be too long for one text. `wanted` is asked once they are all there, in the
 * draft.
 */
function replaceLines(file: string, lines: () => Iterable<string>, wanted: (draft: string) => boolean): void {
  const write = (handle: number) => {
    for (const line of lines()) fs.writeFileSync(handle, `${line}\n`);
  };
  replaceFile(dirname(resolve(file)), file, write, { wanted });
}
