import { extractAnswer } from '../answers/extract';
import { stripCalculatorMarks } from '../chain/split';
import { cellOf, cellText } from './cells';
import { recordedAnswerOf } from './chains';
import { type Choice, choicesOf, chosenAnswer, withChoices } from './choices';
import { isNamed, type SettledColumns } from './columns';
import { type ChatRole, type Conversation, conversationOf, exchangeOf, withThinking } from './conversations';
import { bestGeneration, type ChosenChain, type Flags, flagsOf, isCutOff, plainMarks, stepsIn } from './generations';
import { listIn } from './lists';
import { isVerdictColumn } from './names';
import { datasetError, type Row, type RowPlace } from './rows';
import { isWorked, statedAnswer } from './stated';
import type { Problem } from './types';

/**
 * Converts a row to a problem by its columns. If the answer is a worked solution, the answer is the one it states, and
 * it is the chain unless a column has one. Without a column of answers, the answer is the one that the chain states.
 * @throws UserError for a row without question or answer, and for a solution that states no answer
 */
export function problemOf(row: Row, columns: SettledColumns, place: RowPlace, id: string): Problem {
  const need = (value: string | undefined, what: string): string => {
    if (value !== undefined && value !== '') return value;
    throw datasetError(
      `the row has no text as its ${what}`,
      place,
      'Correct or remove the row, or choose another column.',
    );
  };
  const read = reader(row, columns);
  const choices = columns.choices === undefined ? [] : choicesOf(row, columns.choices);
  const asked = [columns.question].flat();
  const question = asked.flatMap((column) => read.text(column, 'user') ?? []).join('\n\n');
  const { given, solution } = answerOf(row, columns, choices, place);
  const flags = flagsBeside(row, columns);
  const found = chainOf(read, given, flags);
  const chosen = found?.cutOff ? undefined : found;
  const chain = chosen?.chain ?? solution;
  if (columns.answer === undefined && chain === undefined && flags.right === false)
    throw datasetError('the row marks its chain as wrong, and has no other answer', place, 'Skip such rows.');
  const stated = columns.answer === undefined && chain !== undefined ? statedIn(chain, choices, place) : given;
  const system = read.text(columns.system, 'system') ?? read.conversation(asked[0])?.system;
  const student = columns.student === undefined ? undefined : cellOf(row, columns.student);
  return {
    id: columns.id === undefined ? id : need(read.text(columns.id, 'user'), 'id'),
    question: withChoices(need(question.replace(label, ''), 'question'), choices),
    answer: need(stated, 'answer'),
    ...(chain !== undefined && { chain }),
    ...(system !== undefined && { system }),
    ...(isFilled(student) && stated !== undefined && { student: recordedOf(student, stated, place) }),
    ...(found?.cutOff && { meta: { cutOff: true } }),
    ...(chosen?.verified && { meta: { verified: true } }),
  };
}

/** A label before a question in its own column; prompts have their own. */
const label = /^(?:#{1,6} *|\*\*)?(?:question|problem|q) *(?::\*\*|\*\*:?|:)\s+/i;

const isFilled = (value: unknown) => value !== undefined && value !== null && value !== '';

/**
 * The conversation in a column. If the column has both question and chain, it may be a pair or a text with headings.
 */
const conversationIn = (row: Row, { chain }: SettledColumns, column: string) =>
  column === chain ? exchangeOf(cellOf(row, column)) : conversationOf(cellOf(row, column));

const isTalk = (columns: SettledColumns, column: string) =>
  column === columns.chain && [columns.question].flat().includes(column);

/** A reader of a row that parses each conversation once, as it may be question, chain and system message. */
function reader(row: Row, columns: SettledColumns) {
  const known = new Map<string, Conversation | null>();
  const conversation = (column: string): Conversation | null => {
    let found = known.get(column);
    if (found === undefined) {
      found = conversationIn(row, columns, column);
      known.set(column, found);
    }
    return found;
  };
  const text = (column: string | undefined, turn: ChatRole) => {
    if (column === undefined) return undefined;
    return isTalk(columns, column) ? conversation(column)?.[turn] : cellText(cellOf(row, column), turn);
  };
  return { row, columns, conversation, text };
}

/** The reference answer, and the worked solution if its column has one. */
function answerOf(row: Row, columns: SettledColumns, choices: readonly Choice[], place: RowPlace) {
  if (columns.answer === undefined) return {};
  const cell = cellOf(row, columns.answer);
  const written = cellText(cell, 'assistant');
  const chosen = chosenAnswer(cell, choices);
  if (written === undefined || chosen !== undefined) return { given: chosen };
  if (!/\s|\\boxed/.test(written)) return { given: written };
  const worked = isWorked(written);
  const stated = worked ? statedIn(written, choices, place) : extractAnswer(written, 'strict')?.value;
  if (stated === undefined || written.length <= stated.length + 20) return { given: stated ?? written };
  return { given: stated, solution: thought(row, columns, stripCalculatorMarks(written)) };
}

/** The answer that a solution states. @throws UserError when it states none */
function statedIn(solution: string, choices: readonly Choice[], place: RowPlace): string {
  const stated = statedAnswer(solution);
  if (stated !== null) return chosenAnswer(stated, choices) ?? stated;
  throw datasetError(
    'the solution states no final answer',
    place,
    'End it with "Answer: ...", \\boxed{} or "#### n", or add a column with the answers. ' +
      'Only the first question of a conversation and its reply are read.',
  );
}

/** A recorded answer of a student, judged by the reference. */
function recordedOf(cell: unknown, answer: string, place: RowPlace) {
  if (typeof cell !== 'string') return recordedAnswerOf(cell, answer, place);
  const stated = extractAnswer(cell, 'strict')?.value;
  return recordedAnswerOf({ text: cell, ...(stated !== undefined && { answer: stated }) }, answer, place);
}

/** The row's verdict on its chain. Columns with a role do not count: a `correct_answer` of 0 is not a verdict. */
function flagsBeside(row: Row, columns: SettledColumns): Flags {
  if (columns.student !== undefined) return {};
  const names = Object.keys(row).filter((name) => isVerdictColumn(name) && !isNamed(name, columns));
  return names.length === 0 ? {} : flagsOf(Object.fromEntries(names.map((name) => [name, row[name]])));
}

/** The teacher's chain, unless the row says that it is wrong. */
function chainOf(
  { row, columns, text: read }: ReturnType<typeof reader>,
  answer: string | undefined,
  { right, complete }: Flags,
): ChosenChain | undefined {
  if (columns.chain === undefined) return undefined;
  const cell = cellOf(row, columns.chain);
  const list = isTalk(columns, columns.chain) || conversationOf(cell) ? null : listIn(cell);
  if (list) return stepsIn(list, columns.chain, row) ?? bestGeneration(list, answer, row);
  const text = read(columns.chain, 'assistant');
  if (text === undefined || right === false) return undefined;
  const chain = thought(row, columns, text);
  return {
    chain: stripCalculatorMarks(chain),
    verified: right === true,
    cutOff: complete === false || isCutOff(chain),
  };
}

function thought(row: Row, { thinking }: SettledColumns, text: string): string {
  const before = thinking === undefined ? undefined : cellText(cellOf(row, thinking), 'assistant');
  return plainMarks(withThinking(before, text)!);
}
