/** The roles of a dataset's columns: given, or guessed from common names and the first rows. */
import { extractAnswer } from '../answers/extract';
import { clip } from '../words';
import { cellOf, cellText } from './cells';
import { choicesOf, chosenAnswer } from './choices';
import { conversationOf, exchangeOf } from './conversations';
import { choiceColumn, conversations, endings, endsAs, plainName, stories, usual } from './names';
import { datasetError, type Row } from './rows';
import { isWorked, statedAnswer } from './stated';

/** Absent roles are guessed. The texts of several columns are joined by line breaks; `a.b` is field b of column a. */
export interface Columns {
  question?: string | string[];
  /** For multiple choice: a column with all choices, or one for each. */
  choices?: string | string[];
  answer?: string;
  chain?: string;
  /** The teacher's thinking before the chain. */
  thinking?: string;
  system?: string;
  /** A recorded answer of a student. */
  student?: string;
  id?: string;
}

export type ColumnRole = keyof Columns;
export const roles = [
  'question',
  'choices',
  'answer',
  'chain',
  'thinking',
  'system',
  'student',
  'id',
] as const satisfies readonly ColumnRole[];

/** Whether a column, or a field of it, has a role. */
export const isNamed = (name: string, columns: Columns) =>
  roles.some((role) => [columns[role] ?? []].flat().some((given) => given === name || given.startsWith(`${name}.`)));

/** Roles that may have several columns. */
export const severalColumns: readonly ColumnRole[] = ['question', 'choices'];

/** Resolved columns: without one for answers, the answer comes from the chain. */
export type SettledColumns = Columns & { question: string | string[] };

/**
 * Determines the columns of a file from its first rows. @throws UserError when a given column does not exist, when no
 * column looks like the question, or like an answer or a chain with an answer, or when the answer is the question
 */
export function settleColumns(
  { file, names: declared = [] }: { file: string; names?: readonly string[] },
  rows: readonly Row[],
  given: Columns = {},
): SettledColumns {
  const names = [...new Set([...declared, ...rows.flatMap((row) => Object.keys(row))])];
  const fail = (message: string, remedy: string) => datasetError(message, { file }, `${remedy} ${listed(names)}`);
  for (const role of roles)
    for (const name of [given[role] ?? []].flat())
      if (!names.includes(name) && !rows.some((row) => cellOf(row, name) !== undefined))
        throw fail(`there is no column "${name}"`, `Name another one as columns.${role}.`);

  const { find, real } = finder(names, rows, given);
  const talk = conversationColumn(names, rows, real);
  const question = given.question ?? questionOf(rows, find, real) ?? talk ?? find([], endings.question);
  if (question === undefined) throw fail('no column looks like the question', advice);
  let choices = given.choices ?? choicesIn(names, rows, real);
  // If the question was found in a column with whole conversations, the answer may come from the same column.
  const asked = [question].flat();
  const answerNames = choices === undefined ? usual.answer : [...usual.answer, ...usual.key];
  const answer = given.answer ?? find(answerNames, endings.answer);
  if (given.choices === undefined && !rows.some((row) => choosesIn(row, answer, choices))) choices = undefined;
  const thoughts = usual.thinking.filter((name) => !isSwitch(real(name), rows));
  let thinking = given.thinking ?? (given.chain === undefined ? find(thoughts) : undefined);
  let chain = given.chain ?? find(usual.chain, endings.chain);
  if (chain === undefined && (answer === undefined || asked.includes(talk ?? '')))
    chain = [talk ?? [], asked].flat().find((name) => answersIn(name, rows));
  // An answer that is a worked solution is the chain that follows the thinking.
  const worked = areSolutions(answer, rows, isWorked);
  const replies = usual.reply.map(real).filter((name) => name !== answer && !asked.includes(name ?? ''));
  const marked = (text: string) => thinking !== undefined || extractAnswer(text) !== null;
  if (chain === undefined && !worked) chain = replies.find((name) => areSolutions(name, rows, marked));
  if (chain === undefined && thinking !== undefined && !worked) [chain, thinking] = [thinking, undefined];
  if (answer === undefined && chain === undefined) throw fail('no column looks like the answer', advice);
  const system = given.system ?? find(usual.system);
  const student = given.student ?? find(usual.student);
  const id = given.id ?? idOf(rows, real);
  const settled: SettledColumns = {
    question,
    ...(choices !== undefined && { choices }),
    ...(answer !== undefined && { answer }),
    ...(chain !== undefined && { chain }),
    ...(thinking !== undefined && { thinking }),
    ...(system !== undefined && { system }),
    ...(student !== undefined && { student }),
    ...(id !== undefined && { id }),
  };
  if (answer !== undefined) checkAnswers(rows, settled, fail);
  return settled;
}

const advice =
  'Name it: "columns": {"question": ..., "answer": ..., ' + '"chain": ...}, or --columns question=...,answer=...';

function listed(names: readonly string[]): string {
  const heading = names.some((name) => name.length > 60 || /^\d+$/.test(name));
  const shown = names.slice(0, 30).map((name) => clip(name, 40));
  return `${heading ? 'A table begins with a line that names its columns. ' : ''}Its columns: ${shown.join(', ')}.`;
}

type Find = (names: readonly string[], ending?: RegExp) => string | undefined;
type ColumnLookup = (name: string) => string | undefined;

/**
 * `find`: the first of some common names that no other role uses and whose column is not empty; else the first name
 * with the given ending. `real`: the dataset's spelling of a common name.
 */
function finder(names: readonly string[], rows: readonly Row[], given: Columns): { find: Find; real: ColumnLookup } {
  const lower = new Map(names.toReversed().map((name) => [plainName(name), name]));
  const nested = new Map(fieldsIn(rows).toReversed());
  const taken = new Set([given.question ?? [], given.answer ?? [], given.chain ?? [], given.choices ?? []].flat());
  const real = (name: string) => {
    const [first, ...rest] = name.split('.');
    const column = lower.get(first);
    return column === undefined ? undefined : [column, ...rest].join('.');
  };
  const free = (name: string | undefined) =>
    name !== undefined && !taken.has(name) && rows.some((row) => isReadable(cellOf(row, name), name));
  const find: Find = (candidates, ending) => {
    const found =
      candidates.map(real).find(free) ??
      (ending && names.find((name) => endsAs(ending, name) && free(name))) ??
      candidates.map((name) => nested.get(name)).find(free);
    if (found !== undefined) taken.add(found);
    return found;
  };
  return { find, real: (name) => real(name) ?? nested.get(name) };
}

/** Fields of columns that hold objects, by their own names: `data.question` as question. */
const fieldsIn = (rows: readonly Row[]): [field: string, path: string][] =>
  rows
    .slice(0, 1)
    .flatMap(Object.entries)
    .flatMap(([column, value]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.keys(value).map((field): [string, string] => [plainName(field), `${column}.${field}`])
        : [],
    );

/** Whether a role can use a value: a text, or a list. A boolean `label` is a verdict on other columns. */
const isReadable = (value: unknown, name: string) =>
  cellText(value, 'user') !== undefined
    ? typeof value !== 'boolean' || plainName(name) !== 'label'
    : Array.isArray(value) && value.length > 0;

/** Alpaca's question consists of instruction and input; an instruction that is the same in every row is ignored. */
function questionOf(rows: readonly Row[], find: Find, real: ColumnLookup): string | string[] | undefined {
  const found = find(usual.question);
  if (found === undefined) return undefined;
  const isText = (name: string | undefined): name is string =>
    name !== undefined && rows.some((row) => typeof cellOf(row, name) === 'string' && cellOf(row, name) !== '');
  const story = stories.map(real).find(isText);
  if (story !== undefined) return plainName(found) === 'instruction' ? [found, story] : [story, found];
  const input = real('input');
  if (plainName(found) !== 'instruction' || !isText(input)) return found;
  const instructions = new Set(rows.map((row) => JSON.stringify(row[found])));
  return rows.length > 1 && instructions.size === 1 ? input : [found, input];
}

/** A column with both questions and answers. */
function conversationColumn(names: readonly string[], rows: readonly Row[], real: ColumnLookup): string | undefined {
  const asks = (name: string) => rows.some((row) => conversationOf(cellOf(row, name))?.user !== undefined);
  const exchanges = (name: string) => answersIn(name, rows);
  const usualNames = conversations.flatMap((name) => real(name) ?? []);
  const pairs = usualNames.find((name) => exchanges(name));
  return usualNames.find(asks) ?? pairs ?? names.find(asks) ?? names.find((name) => name === 'data' && exchanges(name));
}

const answersIn = (name: string, rows: readonly Row[]) =>
  rows.some((row) => exchangeOf(cellOf(row, name))?.assistant !== undefined);

function choicesIn(names: readonly string[], rows: readonly Row[], real: ColumnLookup): string | string[] | undefined {
  const are = (columns: string | string[]) => rows.some((row) => choicesOf(row, columns).length > 1);
  const column = usual.choices.map(real).find((name) => name !== undefined && are(name));
  if (column !== undefined) return column;
  const several = names.filter((name) => choiceColumn.test(plainName(name)));
  return several.length > 2 && are(several) ? several : undefined;
}

const choosesIn = (row: Row, answer: string | undefined, choices: string | readonly string[] = []) =>
  answer === undefined || chosenAnswer(cellOf(row, answer), choicesOf(row, choices)) !== undefined;

/** Whether a column has solutions that state their answer and are not whole conversations. */
const areSolutions = (name: string | undefined, rows: readonly Row[], isSolution: (text: string) => boolean) =>
  name !== undefined &&
  rows.some((row) => {
    const text = cellText(cellOf(row, name), 'assistant');
    return text !== undefined && isSolution(text) && statedAnswer(text) !== null && exchangeOf(text) === null;
  });

/** Whether a column has single words only, such as "on" for a teacher that should think. */
const isSwitch = (name: string | undefined, rows: readonly Row[]) =>
  name !== undefined && rows.every((row) => /^[\w-]*$/.test(cellText(cellOf(row, name), 'assistant') ?? ''));

/** An id column whose values distinguish the first rows. */
function idOf(rows: readonly Row[], real: ColumnLookup): string | undefined {
  const id = usual.id.map(real).find((name) => name !== undefined);
  return id !== undefined && rows.every((row) => cellText(cellOf(row, id), 'user') !== undefined) ? id : undefined;
}

function checkAnswers(
  rows: readonly Row[],
  { question, answer }: SettledColumns,
  fail: (message: string, remedy: string) => Error,
) {
  const pairs = rows.map((row) => [
    [question]
      .flat()
      .map((name) => cellText(cellOf(row, name), 'user'))
      .filter(Boolean)
      .join('\n\n'),
    cellText(cellOf(row, answer!), 'assistant'),
  ]);
  if (pairs.length > 0 && pairs.every(([asked, answered]) => asked !== '' && asked === answered))
    throw fail(`the reference answers in "${answer}" are the questions`, 'Name another column as columns.answer.');
}

/** "question: problem, answer: answer, chain: generations", for people. */
export function columnsText({ question, answer, chain, id, ...others }: SettledColumns): string {
  const named: [string, string | undefined][] = [
    ['question', [question].flat().join(' + ')],
    ['choices', others.choices && [others.choices].flat().join(' + ')],
    ['answer', answer ?? 'the end of the chain'],
    ['thinking', others.thinking],
    ['chain', chain],
    ['system', others.system],
    ['student', others.student],
    ['id', id ?? 'the row number'],
  ];
  return named.flatMap(([role, name]) => (name === undefined ? [] : [`${role}: ${name}`])).join(', ');
}
