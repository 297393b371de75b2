/** Selects chains for training from the replies of a journal. */
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { groundedness } from '../chain/grounded';
import { splitChain } from '../chain/split';
import type { Problems } from '../data/problems';
import type { Problem } from '../data/types';
import { parseJson, readLines } from '../lines';
import { replaceFile } from '../writing';
import { isRight, type TeacherSampling, taskOf } from './generate';
import type { JournalEntry, ReplyJournal } from './journal';
import { noteOutput } from './output';
import { chainText } from './reply';
import type { Teacher } from './types';

/**
 * With `shortest-correct`, a chain of one step is used only if there is none with more, as it cannot be shuffled or
 * masked.
 */
export const keepRules = ['shortest-correct', 'all-correct'] as const;

export interface ChainSelection {
  keep: (typeof keepRules)[number];
  /** Whether the teacher's thinking is part of the chain, before the solution. */
  thoughts: boolean;
  /** Questions without a right chain are kept without a chain: Stage 2 can still use them. */
  unanswered: boolean;
}

/** The requests and their replies. */
export interface TeacherReplies {
  problems: Problems;
  teacher: Teacher;
  sampling: TeacherSampling;
  journal: ReplyJournal;
}

export interface WrittenChains {
  rows: number;
  /**
   * Number of questions with at least one right chain whose steps lead to the answer, of those with all replies, and of
   * all.
   */
  solved: number;
  complete: number;
  questions: number;
  /**
   * Number of right chains that were rejected because their steps do not lead to the answer, with the first one and its
   * error.
   */
  ungrounded: { count: number; first: { problemId: string; fault: string }[] };
  /** Rows of the existing file about other questions: they are kept, before the new ones. */
  others: number;
  /** Set if the file was kept: its number of rows about these questions, which exceeds the new one. */
  kept?: number;
}

/**
 * Writes the chains of the problems, in order, to a `*.chains.jsonl` file, replacing it atomically. A file with more
 * rows is kept if the requests ended `early`, so that a wrong key or an early stop never loses data.
 */
export function writeChainsOf(
  file: string,
  asked: TeacherReplies,
  selection: ChainSelection,
  early = false,
): WrittenChains {
  const { problems, sampling, journal } = asked;
  const earlier = earlierRows(file, problems);
  const written: WrittenChains = {
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

/** Maximum number of faults reported one by one. */
const mostFaults = 3;

/** The present rows of the file: how many are about these problems, and the lines of all others. */
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

function rowsOf(problem: Problem, { teacher, sampling, journal }: TeacherReplies, selection: ChainSelection) {
  const replies: { sample: number; entry: JournalEntry }[] = [];
  for (let sample = 0; sample < sampling.samples; sample++) {
    const entry = journal.entries.get(taskOf(problem, teacher, sampling, sample).key);
    if (entry) replies.push({ sample, entry });
  }
  const right = replies.filter(({ entry }) => isRight(entry, problem.answer));
  const read = ({ sample, entry }: (typeof right)[number]) => {
    const reply = journal.read(entry);
    return { sample, reply, chain: chainText(reply, selection.thoughts) };
  };
  const length = ({ lengths }: JournalEntry) => lengths.text + (selection.thoughts ? lengths.thought : 0);
  const faults: string[] = [];
  // A right answer is not used if the steps do not lead to it.
  const isSound = ({ chain }: ReturnType<typeof read>) => {
    const { fault } = groundedness(problem.question, chain);
    if (fault !== null) faults.push(fault);
    return fault === null;
  };
  const shortest = () => {
    // Stable: of equally short ones, the earlier sample.
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
 * Written line by line, as all chains together may be too long for one string. `wanted` is called when they are all in
 * the draft.
 */
function replaceLines(file: string, lines: () => Iterable<string>, wanted: (draft: string) => boolean): void {
  const write = (handle: number) => {
    for (const line of lines()) fs.writeFileSync(handle, `${line}\n`);
  };
  replaceFile(dirname(resolve(file)), file, write, { wanted });
}
