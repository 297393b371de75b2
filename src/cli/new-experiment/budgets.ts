/** Chooses maxNewTokens for an experiment from the lengths of the teacher's chains in the student's tokens. */
import { thinkingTokens, thinksFirst } from '../../curriculum/lessons/completions';
import { type Lesson, wording } from '../../curriculum/lessons/lessons';
import { budgetsOf, type LengthBudget, quantile, roundedUp } from '../../data/lengths';
import type { Tokenizer } from '../../student-files/tokenizer';
import { columns, percent } from '../terminal/format';
import { pc } from '../terminal/terminal';

export interface Budgets {
  /** Longest completion in sampled stages: enough for nearly all chains, with some room. */
  completion: number;
  /** Longest test answer: room for the student's own, initially longer style. */
  answer: number;
  /** How many of the `measured` chains fit each budget. */
  table: LengthBudget[];
  measured: number;
  notes: string[];
}

/**
 * Tokens that answers need before the student has learned to be short, whatever the chains need: for the built-in
 * student, for instruct models (all of SmolLM2's answers to word problems end below 512; at 112, three of four do not),
 * and for models that think first.
 */
const ownAnswer = { builtIn: 320, pretrained: 512, thinking: thinkingTokens };

export interface PromptedStudent {
  /** The longest sequence. */
  maxPositions: number;
  tokenizer: Tokenizer;
  builtIn: boolean;
}

export function budgetsFor(lessons: readonly Lesson[], student: PromptedStudent): Budgets {
  const { maxPositions, tokenizer, builtIn } = student;
  const chainOf = ({ teacherTokens }: Lesson) => teacherTokens?.length ?? 0;
  const lengths = lessons.map(chainOf).filter((length) => length > 0);
  const prompts = lessons.map(({ prompt }) => prompt.length);
  const maxCompletion = Math.max(16, maxPositions - quantile(prompts, 0.99));
  const within = (tokens: number) => Math.min(Math.max(16, tokens), maxCompletion);
  let own = ownAnswer.builtIn;
  if (!builtIn) own = thinksFirst(tokenizer) ? ownAnswer.thinking : ownAnswer.pretrained;
  const taught = roundedUp(1.25 * quantile(lengths, 0.95));
  const answer = within(Math.max(own, taught));
  // Stage 1 teaches the teacher's style before anything is sampled; without chains the student keeps its own.
  const completion = lengths.length > 0 && !builtIn ? within(taught) : answer;
  const tooLong = lessons.filter((one) => one.prompt.length + chainOf(one) + wording >= maxPositions).length;
  const share = `${tooLong} of ${lessons.length} rows`;
  const remedy =
    tooLong > 0.5 * lessons.length
      ? ' Choose a student with more positions, cut the thinking, or use shorter chains.'
      : '';
  const note =
    `${share} that were measured are longer than the student's ` +
    `${maxPositions} positions and will be skipped.${remedy}`;
  return {
    completion,
    answer,
    measured: lengths.length,
    table: budgetsOf(lengths, lengths.length > 0 ? [completion] : []),
    notes: tooLong > 0 ? [note] : [],
  };
}

/** The table for a terminal; empty when no chain was measured. */
export function budgetsText({ completion, table, measured }: Budgets): string[] {
  if (measured === 0) return [];
  const rows = table.map(({ tokens, rows }) => [
    `  ${tokens}`,
    `${rows}`,
    percent(rows / measured, 0),
    tokens === completion ? 'used as maxNewTokens of the stages' : '',
  ]);
  const [head, ...lines] = columns([['  budget', 'chains that fit', '', ''], ...rows], 0);
  return [`Teacher chains in the student's tokens, ${measured} measured:`, pc.dim(head), ...lines];
}
