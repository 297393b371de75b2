/** Which column of a dataset holds what: told, or guessed by usual names and by the first rows. */
import { cellOf, conversationOf, textOf } from './cells';
import { datasetError, type Row } from './rows';

/** What is not named is guessed. Of several columns the texts stand under each other; `a.b` is field b of column a. */
export interface Columns {
  question?: string | string[];
  answer?: string;
  chain?: string;
  /** What the teacher thought before the chain. */
  thinking?: string;
  system?: string;
  /** An answer of a student that was recorded with the problem. */
  student?: string;
  id?: string;
}

export type Role = keyof Columns;
export const roles = [
  'question',
  'answer',
  'chain',
  'thinking',
  'system',
  'student',
  'id',
] as const satisfies readonly Role[];

/** Columns that are settled: without an answer's, the chain states it. */
export type SettledColumns = Columns & { question: string | string[] };

/**
 * Usual names, the first that is there counts: GSM8K, MATH, MetaMathQA, OpenR1-Math, NuminaMath, OpenMathReasoning,
 * OpenThoughts, s1K, DAPO, Alpaca, ShareGPT, TRL's formats and others.
 */
const usual = {
  question: [
    ...['question', 'problem', 'query', 'prompt', 'problem_statement', 'question_text', 'input_text', 'instruction'],
    ...[
      'input',
      'user',
      'task',
      'exercise',
      'frage',
      'aufgabe',
      'pregunta',
      'problema',
      'domanda',
      'вопрос',
      '问题',
      '題目',
      '题目',
      '質問',
      '問題',
      '질문',
    ],
  ],
  answer: [
    ...['answer', 'final_answer', 'expected_answer', 'correct_answer', 'reference_answer', 'gold_answer', 'gold'],
    ...['ground_truth', 'reward_model.ground_truth', 'target', 'answers', 'label', 'numerical_answer', 'solution'],
    ...['antwort', 'respuesta', 'réponse', 'risposta', 'resposta', 'ответ', '答案', '回答', '답', '정답'],
  ],
  chain: [
    ...[
      'chain',
      'generations',
      'generated_solution',
      'generation',
      'chain_of_thought',
      'cot',
      'teacher_cot',
      'rationale',
    ],
    ...['response', 'responses', 'completion', 'completions', 'attempt', 'deepseek_attempt', 'solution', 'solutions'],
    ...['output', 'outputs', 'explanation', 'chosen', 'assistant', 'model_output', 'r1_generation'],
    ...['lösung', 'lösungsweg', 'solución', 'soluzione', 'solução', 'решение', '解析', '解答', '解説', '풀이'],
  ],
  thinking: [
    ...[
      'thinking_trajectories',
      'thinking_trajectory',
      'deepseek_thinking_trajectory',
      'thinking',
      'thought',
      'thoughts',
    ],
    ...['reasoning_content', 'reasoning', 'deepseek_reasoning', 'think'],
  ],
  system: ['system', 'system_prompt', 'system_message'],
  student: ['student', 'student_response', 'student_answer'],
  id: ['id'],
} as const satisfies Record<Role, readonly string[]>;

const conversations = ['messages', 'conversations', 'conversation', 'dialogue', 'dialog', 'chat'];

/** "Final Answer" of a spreadsheet and finalAnswer of a program are final_answer. */
const plainName = (name: string) =>
  name
    .trim()
    .replace(/(?<=\p{Ll})(?=\p{Lu})/gu, '_')
    .toLowerCase()
    .replace(/[ -]+/g, '_');

/**
 * How less usual names end: worked_solution, teacher_reasoning, math_problem. Not those of what is wrong or a
 * student's.
 */
const endings: Partial<Record<Role, RegExp>> = {
  question: /_(question|problem|query|prompt)$/,
  answer: /_(answer|ground_truth)$/,
  chain: /_(solution|reasoning|rationale|explanation|chain|cot|chain_of_thought|response|completion|generation)$/,
};
const otherwise =
  /(^|_)(rejected|wrong|incorrect|bad|negative|student|predicted|pred|original|old|previous|num|is|has)_/;

/** Names that a guess looks at: others need not be read for it. */
export const isUsual = (name: string) =>
  conversations.includes(plainName(name)) ||
  Object.values(usual).some((names) => names.some((one) => one.split('.')[0] === plainName(name))) ||
  Object.values(endings).some((ending) => endsAs(ending, name)) ||
  isVerdictColumn(name);

const endsAs = (ending: RegExp, name: string) => ending.test(plainName(name)) && !otherwise.test(plainName(name));

/** Columns with verdicts on generations. */
export const isVerdictColumn = (name: string) => /correct|verif|complete|finish/i.test(name);

/**
 * The columns of a file by its first rows. Errors: a column that was told and is not there, no column that looks like
 * the question, or like an answer or a chain that states one; an answer that is the question.
 */
export function settleColumns(
  { file, names: declared = [] }: { file: string; names?: readonly string[] },
  rows: readonly Row[],
  told: Columns = {},
): SettledColumns {
  const names = [...new Set([...declared, ...rows.flatMap((row) => Object.keys(row))])];
  const listed = `Its columns: ${names.slice(0, 30).join(', ')}.`;
  const fail = (message: string, remedy: string) => datasetError(message, { file }, `${remedy} ${listed}`);
  for (const role of roles)
    for (const name of [told[role] ?? []].flat())
      if (!names.includes(name) && !rows.some((row) => cellOf(row, name) !== undefined))
        throw fail(`there is no column "${name}"`, `Name another one as columns.${role}.`);

  const lower = new Map(names.toReversed().map((name) => [plainName(name), name]));
  const taken = new Set([told.question ?? [], told.answer ?? [], told.chain ?? []].flat());
  const filled = (name: string) => rows.some((row) => isFilled(cellOf(row, name)));
  const real = (name: string) => {
    const [first, ...rest] = name.split('.');
    const column = lower.get(first);
    return column === undefined ? undefined : [column, ...rest].join('.');
  };
  const find = (candidates: readonly string[], ending?: RegExp): string | undefined => {
    const free = (name: string | undefined) => name !== undefined && !taken.has(name) && filled(name);
    const found =
      candidates.map(real).find(free) ?? (ending && names.find((name) => endsAs(ending, name) && free(name)));
    if (found !== undefined) taken.add(found);
    return found;
  };
  const talk = conversations
    .map(real)
    .find((name) => name !== undefined && rows.some((row) => conversationOf(row[name])));

  const question =
    told.question ?? questionOf(rows, find, real) ?? talk ?? real('chosen') ?? find([], endings.question);
  if (question === undefined) throw fail('no column looks like the question', advice);
  // A question that was found as one column stays free for the answer where it is a whole conversation.
  const asked = [question].flat();
  const answer = told.answer ?? find(usual.answer, endings.answer);
  let chain = told.chain ?? find(usual.chain, endings.chain);
  let thinking = told.thinking ?? (told.chain === undefined ? find(usual.thinking) : undefined);
  if (chain === undefined && thinking !== undefined) [chain, thinking] = [thinking, undefined];
  if (chain === undefined && (answer === undefined || asked.includes(talk ?? '')))
    chain = talk ?? conversationIn(asked, rows);
  if (answer === undefined && chain === undefined) throw fail('no column looks like the answer', advice);
  const system = told.system ?? find(usual.system);
  const student = told.student ?? find(usual.student);
  const id = told.id ?? idOf(rows, real);
  const settled: SettledColumns = {
    question,
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
  'Say which one it is: "columns": {"question": ..., "answer": ..., ' +
  '"chain": ...}, or --columns question=...,answer=...';

const isFilled = (value: unknown) =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

/** Alpaca's question is instruction and input; an instruction that is the same in every row is none. */
function questionOf(
  rows: readonly Row[],
  find: (names: readonly string[]) => string | undefined,
  real: (name: string) => string | undefined,
): string | string[] | undefined {
  const found = find(usual.question);
  const input = real('input');
  if (found?.toLowerCase() !== 'instruction' || input === undefined) return found;
  if (!rows.some((row) => isFilled(row[input]))) return found;
  const instructions = new Set(rows.map((row) => JSON.stringify(row[found])));
  return rows.length > 1 && instructions.size === 1 ? input : [found, input];
}

const conversationIn = (columns: readonly string[], rows: readonly Row[]) =>
  columns.find((name) => rows.some((row) => conversationOf(cellOf(row, name))?.assistant !== undefined));

/** An id column whose values tell the first rows apart. */
function idOf(rows: readonly Row[], real: (name: string) => string | undefined): string | undefined {
  const id = usual.id.map(real).find((name) => name !== undefined);
  return id !== undefined && rows.every((row) => textOf(row[id], 'user') !== undefined) ? id : undefined;
}

function checkAnswers(
  rows: readonly Row[],
  { question, answer }: SettledColumns,
  fail: (message: string, remedy: string) => Error,
) {
  const pairs = rows.map((row) => [
    [question]
      .flat()
      .map((name) => textOf(cellOf(row, name), 'user'))
      .filter(Boolean)
      .join('\n\n'),
    textOf(cellOf(row, answer!), 'assistant'),
  ]);
  if (pairs.length > 0 && pairs.every(([asked, answered]) => asked !== '' && asked === answered))
    throw fail(`the reference answers in "${answer}" are the questions`, 'Name another column as columns.answer.');
}

/** "question: problem, answer: answer, chain: generations", for people. */
export function columnsText({ question, answer, chain, thinking, system, student, id }: SettledColumns): string {
  const named: [string, string | undefined][] = [
    ['question', [question].flat().join(' + ')],
    ['answer', answer ?? 'what the chain ends in'],
    ['thinking', thinking],
    ['chain', chain],
    ['system', system],
    ['student', student],
    ['id', id ?? "the row's number"],
  ];
  return named.flatMap(([role, name]) => (name === undefined ? [] : [`${role}: ${name}`])).join(', ');
}
