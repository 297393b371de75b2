import { basename } from 'node:path';
import { extractAnswer, sameAnswer } from '../chain/answer';
import { stripCalculatorMarks } from '../chain/split';
import { openParquet, type ParquetFile } from './parquet-file';
import { checkProblems, datasetError, type Range } from './rows';
import type { Problem } from './types';

/** Which column holds what; what is not named is guessed by usual names. */
export interface ParquetColumns {
  question?: string;
  answer?: string;
  chain?: string;
  id?: string;
}

/** Usual names, the first that is there counts: GSM8K, MATH, OpenR1-Math, NuminaMath, OpenMathReasoning, s1K and others. */
const usual = {
  question: ['question', 'problem', 'prompt', 'query', 'instruction', 'input'],
  answer: ['answer', 'final_answer', 'expected_answer', 'gold', 'target', 'ground_truth', 'solution'],
  chain: [
    ...[
      'chain',
      'reasoning',
      'reasoning_content',
      'generations',
      'generated_solution',
      'generation',
      'chain_of_thought',
    ],
    ...['cot', 'rationale', 'thinking', 'response', 'solution', 'output'],
  ],
};

/**
 * Problems of a Parquet file. An answer that is a worked solution gives the answer that it states, and is the chain where no column holds
 * one. Of a list of chains, the shortest that reaches the answer counts. Ids are a column's, or the file's name and the row from 0.
 */
export function readParquet(file: string, range: Range & { columns?: ParquetColumns } = {}): Problem[] {
  const { start = 0, count = Number.POSITIVE_INFINITY } = range;
  const parquet = openParquet(file);
  try {
    const columns = chooseColumns(file, parquet, range.columns ?? {});
    const wanted = [...new Set(Object.values(columns).filter((name) => name !== undefined))];
    const name = basename(file).replace(/\.[^.]*$/, '');
    const problems: Problem[] = [];
    for (const { first, values } of parquet.read(wanted, start, start + count)) {
      const rows = values.get(columns.question)!.length;
      for (let i = Math.max(0, start - first); i < rows && problems.length < count; i++) {
        const cell = (column: string | undefined) => (column === undefined ? undefined : values.get(column)?.[i]);
        const number = first + i;
        problems.push(
          toProblem(
            { question: cell(columns.question), answer: cell(columns.answer), chain: cell(columns.chain) },
            {
              file,
              row: number + 1,
              id: columns.id === undefined ? `${name}-${number}` : textOf(cell(columns.id)),
            },
          ),
        );
      }
    }
    return checkProblems(problems, file, parquet.rows, start);
  } finally {
    parquet.close();
  }
}

type Chosen = ParquetColumns & { question: string; answer: string };

function chooseColumns(file: string, { columns }: ParquetFile, told: ParquetColumns): Chosen {
  const listed = `Its columns: ${columns.slice(0, 30).join(', ')}.`;
  for (const [role, name] of Object.entries(told))
    if (name !== undefined && !columns.includes(name))
      throw datasetError(`there is no column "${name}"`, { file }, `Name another one as columns.${role}. ${listed}`);
  const lower = new Map(columns.toReversed().map((name) => [name.toLowerCase(), name]));
  const find = (role: keyof typeof usual) =>
    told[role] ?? usual[role].map((name) => lower.get(name)).find((name) => name !== undefined);
  const question = find('question');
  const answer = find('answer');
  if (question === undefined || answer === undefined)
    throw datasetError(
      `no column looks like the ${question === undefined ? 'question' : 'answer'}`,
      { file },
      `Say which one it is: "columns": {"question": ..., "answer": ..., "chain": ...}. ${listed}`,
    );
  const chain = find('chain');
  return { question, answer, chain: chain === answer || chain === question ? undefined : chain, id: told.id };
}

interface Cells {
  question: unknown;
  answer: unknown;
  chain: unknown;
}

function toProblem(cells: Cells, { file, row, id }: { file: string; row: number; id: string | undefined }): Problem {
  const need = (value: string | undefined, what: string): string => {
    if (value !== undefined) return value;
    throw datasetError(
      `row ${row} has no text as its ${what}`,
      { file },
      'Mend or remove the row, or choose another column.',
    );
  };
  const written = need(textOf(cells.answer), 'answer');
  const stated = /\s/.test(written) ? extractAnswer(written, 'strict') : null;
  const answer = stated ? stated.value : written;
  const solution = stated && written.length > stated.value.length + 20 ? stripCalculatorMarks(written) : undefined;
  const chain = bestChain(cells.chain, answer) ?? solution;
  return {
    id: need(id, 'id'),
    question: need(textOf(cells.question), 'question'),
    answer,
    ...(chain !== undefined && { chain }),
  };
}

/** A text; a number as its digits; of a conversation, what the user said first. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() || undefined;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (!Array.isArray(value)) return undefined;
  const said = value.find((message) => (message as { role?: unknown } | null)?.role === 'user') as
    | { content?: unknown }
    | undefined;
  return said && textOf(said.content);
}

function bestChain(value: unknown, answer: string): string | undefined {
  if (!Array.isArray(value)) return textOf(value);
  const right = value.filter((text): text is string => {
    const stated = typeof text === 'string' ? extractAnswer(text, 'strict') : null;
    return stated !== null && sameAnswer(stated.value, answer);
  });
  return right.toSorted((a, b) => a.length - b.length)[0]?.trim();
}
