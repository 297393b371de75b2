/** `score` for a file of self-contained texts: {question, answer, text} on each line. */
import * as z from 'zod';
import type { RewardConfig } from '../../config/reward';
import { UserError } from '../../errors';
import { parseJson, readLines } from '../../lines';
import type { CodeRewards } from '../../rewards/code/code-rewards';
import { type ScoredText, scoreTexts, summariseKinds, type TextRow } from '../../rewards/texts';
import { shortPath } from '../inputs/places';
import { clip, plural, table } from '../terminal/format';
import { inOneLine, pc, stdout } from '../terminal/terminal';

const rowSchema = z.object({
  id: z.union([z.string(), z.number()]).transform(String).optional(),
  question: z.string(),
  answer: z.union([z.string(), z.number()]).transform(String),
  text: z.string(),
  chain: z.string().optional(),
  kind: z.string().optional(),
});

/** The rows of such a file; null when its first line is not one. `gold` is another name for `answer`. */
export function readTextRows(file: string): TextRow[] | null {
  const rows: TextRow[] = [];
  for (const { text, number } of readLines(file)) {
    if (text.trim() === '') continue;
    const value = parseJson(text, { file, line: number, code: 'dataset' }) as Record<string, unknown>;
    if (rows.length === 0 && (typeof value?.text !== 'string' || 'tokenTexts' in value)) return null;
    const read = rowSchema.safeParse({ answer: value?.gold, ...value });
    if (!read.success)
      throw new UserError(`this line cannot be scored: ${read.error.issues[0].path.join('.')} is missing or wrong`, {
        file,
        line: number,
        code: 'dataset',
        remedy: 'A line is {"question", "answer", "text"}, optionally with "id", "kind" and the teacher\'s "chain".',
      });
    rows.push(read.data);
  }
  return rows.length > 0 ? rows : null;
}

/** Scores the rows and prints them as a table by kind, or returns the document of --json. */
export async function scoreRows(
  { reward, code }: { reward: RewardConfig; code: CodeRewards },
  { name, file, rows }: { name: string; file: string; rows: readonly TextRow[] },
  { show, json }: { show: number; json?: boolean },
): Promise<object | undefined> {
  const scored = await scoreTexts(reward, rows, code);
  const kinds = summariseKinds(scored);
  if (json) return { reward: name, files: [file], kinds, completions: scored.map(completionOf) };
  stdout.write(`${rowsText(name, file, scored, show)}\n`);
  return undefined;
}

const completionOf = ({ row, right, length, score }: ScoredText) => ({
  id: row.id,
  kind: row.kind,
  question: row.question,
  text: row.text,
  correct: right,
  length,
  reward: score.total,
  parts: score.parts,
  failures: score.failures,
});

const points = (value: number | null) => (value === null ? '–' : value.toFixed(2));

function rowsText(name: string, file: string, scored: readonly ScoredText[], show: number): string {
  const kinds = summariseKinds(scored);
  const head =
    `${pc.bold(name)} on ` +
    `${plural(scored.length, 'text')}\n${pc.dim(`${shortPath(file)}; lengths in words, digits and signs`)}`;
  const rows = kinds.map(({ kind, count, mean, asGoodAsHonest }) => [
    inOneLine(kind) || 'all',
    String(count),
    points(mean),
    asGoodAsHonest === null ? '–' : String(asGoodAsHonest),
  ]);
  const listed = [...scored]
    .sort((a, b) => (b.score.total ?? -Infinity) - (a.score.total ?? -Infinity))
    .slice(0, show)
    .map(
      ({ row, score }) =>
        `  ${points(score.total)} ` +
        `${inOneLine(row.kind ?? row.id ?? '')}\n    ` +
        `${pc.dim(clip(row.text.replace(/\s+/g, ' '), 100))}`,
    );
  return [
    head,
    table(['kind', 'texts', 'mean reward', 'as good as the honest text'], rows),
    ['Best', ...listed].join('\n'),
  ].join('\n\n');
}
