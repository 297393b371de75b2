/** Scores texts that no student has sampled: written by hand, or by another program. */
import { sameAnswer } from '../answers/equal';
import { splitChain } from '../chain/split';
import type { RewardConfig } from '../config/reward';
import { groupedBy } from '../grouped';
import { isRight, lengthOf, type RewardInput } from '../reward-components/input';
import { mean } from '../statistics';
import type { CodeRewards } from './code/code-rewards';
import type { RewardScore } from './compose';
import { scoreGroups } from './score';

/** A text with its problem. Those with the same `id` (or else the same question) form a group. */
export interface TextRow {
  id?: string;
  question: string;
  answer: string;
  text: string;
  /** The teacher's chain; without it, components that compare with a teacher do not apply. */
  chain?: string;
  /** The kind of this text, for tables. */
  kind?: string;
}

export interface ScoredText {
  row: TextRow;
  right: boolean;
  /** Counts words, digits and signs, as there is no student with tokens. */
  length: number;
  score: RewardScore;
}

const piecesOf = (text: string): string[] => text.match(/\p{L}+|\d|[^\s\p{L}\d]/gu) ?? [];

/** Scores texts group by group, in order. */
export async function scoreTexts(
  reward: RewardConfig,
  rows: readonly TextRow[],
  code?: CodeRewards,
): Promise<ScoredText[]> {
  const ids = new Map<string, number>();
  const numbered = (pieces: readonly string[]) =>
    pieces.map((piece) => {
      if (!ids.has(piece)) ids.set(piece, ids.size);
      return ids.get(piece)!;
    });
  const groups = groupedBy(rows, (row) => row.id ?? row.question);
  const inputs = groups.map((group) =>
    group.map(({ question, answer, chain, text }): RewardInput => {
      const teacher = chain === undefined ? undefined : splitChain(chain);
      const fits = teacher !== undefined && (teacher.answer === '' || sameAnswer(teacher.answer, answer));
      return {
        problem: {
          question,
          answer,
          teacher: fits ? { thinking: teacher.thinking, steps: teacher.steps, answer } : undefined,
          teacherTokens: fits ? piecesOf(chain!).length : undefined,
        },
        completion: { text, tokens: numbered(piecesOf(text)), finished: true },
      };
    }),
  );
  const scores = await scoreGroups(reward, inputs, code);
  const scored = new Map<TextRow, ScoredText>();
  for (const [g, group] of groups.entries())
    for (const [i, row] of group.entries()) {
      const input = inputs[g][i];
      scored.set(row, { row, right: isRight(input), length: lengthOf(input), score: scores[g][i] });
    }
  return rows.map((row) => scored.get(row)!);
}

export interface KindSummary {
  kind: string;
  count: number;
  /** Mean reward; null if the reward scores none of them. */
  mean: number | null;
  /** How many of them earn at least as much as the honest text of their problem; null without one. */
  asGoodAsHonest: number | null;
}

/** The kind of text that the others are compared with. */
const referenceKind = 'honest';

export function summariseKinds(scored: readonly ScoredText[]): KindSummary[] {
  const groupOf = ({ row }: ScoredText) => row.id ?? row.question;
  const honest = new Map(scored.filter(({ row }) => row.kind === referenceKind).map((one) => [groupOf(one), one]));
  return [...new Set(scored.map(({ row }) => row.kind ?? ''))].map((kind) => {
    const texts = scored.filter(({ row }) => (row.kind ?? '') === kind);
    const totals = texts.flatMap(({ score }) => score.total ?? []);
    const compared = kind === referenceKind ? [] : texts.filter((one) => honest.has(groupOf(one)));
    const asGood = compared.filter(
      (one) => (one.score.total ?? -Infinity) >= (honest.get(groupOf(one))!.score.total ?? -Infinity),
    );
    return {
      kind,
      count: texts.length,
      mean: totals.length > 0 ? mean(totals) : null,
      asGoodAsHonest: compared.length > 0 ? asGood.length : null,
    };
  });
}
