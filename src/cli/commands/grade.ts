import type { Command } from 'commander';
import * as z from 'zod';
import { judge } from '../../answers/grade';
import { groundedness } from '../../chain/grounded';
import { UserError } from '../../errors';
import { parseJson, readLines } from '../../lines';
import { positive } from '../inputs/options';
import { printDocument } from '../terminal/exit';
import { clip, percent, plural, table } from '../terminal/format';
import { inOneLine, pc, stdout } from '../terminal/terminal';

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
/** A line of the input; other keys are ignored. Of several reference answers, all must be given. */
const rowSchema = z.object({
  text: z.string('"text" is missing or not a text'),
  gold: z.union([scalar, z.array(scalar).transform((items) => items.join(', '))], '"gold" is missing or not an answer'),
  question: z.string('"question" is not a text').optional(),
});
type AnswerRow = z.output<typeof rowSchema>;

interface Grade {
  /** The strict answer, or null. */
  answer: string | null;
  strict: boolean;
  lenient: boolean;
  /** Whether the steps lead to the answer; null if that cannot be decided. */
  grounded: boolean | null;
  /** The error in the steps, or null. */
  fault: string | null;
}

export function addGradeCommand(program: Command): void {
  program
    .command('grade')
    .description('judge texts against reference answers, by the rules of evaluation and rewards')
    .argument('<file>', 'JSON lines: {"text": "...", "gold": "...", "question"?: "..."}')
    .option('--json', 'one JSON array of {answer, strict, lenient, grounded, fault}, one entry per line of the file')
    .option('--show <n>', 'rows to show', positive, 40)
    .addHelpText(
      'after',
      `
strict: the answer after a mark ("Answer:", a box, ...) is right. lenient: without a mark, the last value in the text
counts. grounded: the steps lead to the answer. docs/answers.md has the rules.

Examples:
  distillery grade answers.jsonl
  distillery grade answers.jsonl --json | jq 'map(.strict) | add'`,
    )
    .action((file: string, options: { json?: boolean; show: number }) => {
      const rows = readRows(file);
      const grades = rows.map(gradeOf);
      if (options.json) printDocument(grades);
      else stdout.write(`${gradesText(rows, grades, options.show)}\n`);
    });
}

/** At most this many bad lines of a file are named in the error. */
const mostNamed = 5;

function readRows(file: string): AnswerRow[] {
  const rows: AnswerRow[] = [];
  const bad: { line: number; message: string }[] = [];
  for (const { number: line, text } of readLines(file)) {
    if (text.trim() === '') continue;
    try {
      const read = rowSchema.safeParse(parseJson(text, { file, line, code: 'dataset' }));
      if (read.success) rows.push(read.data);
      else bad.push({ line, message: read.error.issues.map(({ message }) => message).join(', ') });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      bad.push({ line, message: error.message });
    }
  }
  if (bad.length > 0) throw badLines(file, bad);
  if (rows.length > 0) return rows;
  throw new UserError('the file has no lines', {
    file,
    code: 'dataset',
    remedy: 'Write one {"text": ..., "gold": ...} per line.',
  });
}

function badLines(file: string, [first, ...others]: { line: number; message: string }[]): UserError {
  const named = others.slice(0, mostNamed - 1).map(({ line }) => `${file}:${line}`);
  const rest = others.length - named.length;
  const more = others.length > 0 ? ` (so are ${[...named, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')})` : '';
  return new UserError(`${first.message}${more}`, {
    file,
    line: first.line,
    code: 'dataset',
    remedy: 'Each line is {"text": "...", "gold": "..."}.',
  });
}

function gradeOf({ text, gold, question }: AnswerRow): Grade {
  const { answer, correct, lenientCorrect } = judge(text, gold);
  const { applies, grounded, fault } = groundedness(question, text);
  return { answer, strict: correct, lenient: lenientCorrect, grounded: applies ? grounded : null, fault };
}

function gradesText(rows: readonly AnswerRow[], grades: readonly Grade[], most: number): string {
  const mark = (verdict: boolean | null) => {
    if (verdict === null) return pc.dim('–');
    return verdict ? pc.green('yes') : pc.red('no');
  };
  const shown = grades
    .slice(0, most)
    .map(({ answer, strict, lenient, grounded, fault }, i) => [
      String(i + 1),
      mark(strict),
      mark(lenient),
      mark(grounded),
      shownText(answer ?? '–'),
      shownText(rows[i].gold),
      shownText(fault ?? ''),
    ]);
  const count = (of: (grade: Grade) => boolean) => {
    const n = grades.filter(of).length;
    return `${n} (${percent(n / grades.length)})`;
  };
  return [
    table(['row', 'strict', 'lenient', 'grounded', 'answer', 'reference', 'fault'], shown, 7),
    ...(grades.length > most ? [pc.dim(`and ${grades.length - most} more`)] : []),
    '',
    `${plural(grades.length, 'text')}: strict ${count(({ strict }) => strict)}, lenient ` +
      `${count(({ lenient }) => lenient)}, without an answer ` +
      `${count(({ answer }) => answer === null)}, not grounded ` +
      `${count(({ grounded }) => grounded === false)}`,
  ].join('\n');
}

/** On one line, shortened. */
const shownText = (text: string) => clip(inOneLine(text), 40);
