/** Rows of tables and JSON lines as completions, by the columns of TRL, verl, NeMo-RL and OpenRLHF. */
import { extractAnswer } from '../answers/extract';
import { cellOf } from '../data/cells';
import { datasetError, type Row, type RowPlace } from '../data/rows';
import { completionText, lastQuestion, messagesOf, textOfMessages } from './conversation';
import { type LoggedCompletion, questionOf } from './logged';

/** Roles of columns with uncommon names. */
export interface RolloutColumns {
  prompt?: string;
  completion?: string;
  step?: string;
  id?: string;
  gold?: string;
  reward?: string;
  correct?: string;
}

export const rolloutRoles = ['prompt', 'completion', 'step', 'id', 'gold', 'reward', 'correct'] as const;

const usualNames: Record<(typeof rolloutRoles)[number] | 'advantage' | 'answer', readonly string[]> = {
  prompt: ['prompt', 'input', 'question', 'query', 'problem', 'instruction'],
  completion: ['completion', 'output', 'response', 'generation', 'generated', 'text'],
  step: ['step', 'global_step', 'training_step', 'iteration'],
  id: ['problem_id', 'problemId', 'question_id', 'prompt_id'],
  gold: ['gts', 'gold', 'ground_truth', 'gt', 'target', 'reference', 'solution', 'answer', 'label'],
  reward: ['reward', 'score', 'rewards', 'total_reward'],
  correct: ['acc', 'is_correct', 'correct'],
  advantage: ['advantage', 'advantages'],
  answer: ['pred', 'prediction', 'predicted_answer', 'extracted_answer'],
};

/** Numeric columns that are not rewards. */
const counters = new Set(['idx', 'index', 'epoch', 'rank', 'input_lengths', 'sample_loss_mask', 'filtered_rewards']);
const saysRight = /accura|correct|math_?verify|exact_?match/i;

export function loggedOf(row: Row, place: RowPlace, given: RolloutColumns = {}): LoggedCompletion {
  const flat = isNemo(row) ? fromNemo(row, place) : row;
  const used = new Set<string>(counters);
  const take = (role: keyof typeof usualNames): unknown => {
    const named = given[role as keyof RolloutColumns];
    const name = named ?? usualNames[role].find((one) => Object.hasOwn(flat, one));
    if (name === undefined) return undefined;
    used.add(name);
    const value = cellOf(flat, name);
    if (named !== undefined && value === undefined)
      throw datasetError(`the row has no column "${named}"`, place, `Its columns: ${Object.keys(flat).join(', ')}.`);
    return value;
  };
  const asked = partOf(take('prompt'));
  const said = partOf(take('completion'));
  if (asked === undefined || said === undefined)
    throw datasetError(
      `no column holds the ${asked === undefined ? 'prompt' : 'completion'}`,
      place,
      `Name it with --columns prompt=...,completion=.... The columns are: ${Object.keys(flat).join(', ') || 'none'}.`,
    );
  const [step, id] = [numberOf(take('step')), take('id')];
  const [gold, answer] = [goldOf(take('gold')), textOf(take('answer'))];
  const [reward, correct, share] = [take('reward'), take('correct'), numberOf(take('advantage'))];
  const parts: LoggedCompletion['parts'] = {};
  for (const [name, value] of Object.entries(flat)) {
    if (used.has(name) || usualNames.step.includes(name)) continue;
    const number = numberOf(value);
    if (number !== undefined) parts[name] = Number.isNaN(number) ? null : number;
  }
  const verdict = numberOf(correct) ?? Object.entries(parts).find(([name]) => saysRight.test(name))?.[1] ?? undefined;
  return {
    place,
    ...(step !== undefined && Number.isInteger(step) && step >= 0 && { step }),
    prompt: asked.text,
    question: asked.messages ? (lastQuestion(asked.messages) ?? asked.text) : questionOf(asked.text),
    text: said.messages ? completionText(said.messages) : said.text,
    ...((typeof id === 'string' || typeof id === 'number') && { id: String(id) }),
    ...(gold !== undefined && { gold }),
    ...(answer !== undefined && { answer }),
    ...(reward !== undefined && { reward: numberOf(reward) ?? null }),
    parts,
    ...(share !== undefined && !Number.isNaN(share) && { advantage: share }),
    ...(verdict !== undefined && { correct: verdict > 0 }),
    ...tokensOf(flat),
  };
}

function partOf(value: unknown): { text: string; messages?: ReturnType<typeof messagesOf> } | undefined {
  if (typeof value === 'string') return { text: value };
  const messages = messagesOf(value);
  return messages && { text: textOfMessages(messages), messages };
}

/** Booleans count as 0 and 1; NaN is pandas' value for "does not apply". */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return Number(value);
  if (value === 'NaN') return Number.NaN;
  return value === null ? Number.NaN : undefined;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

/** The reference answer; of a whole solution, its final answer. */
function goldOf(value: unknown): string | undefined {
  const text = textOf(onlyOf(value))?.trim();
  if (!text) return undefined;
  return text.length > 60 || /####|\\boxed/.test(text) ? (extractAnswer(text, 'strict')?.value ?? text) : text;
}

const onlyOf = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value);

/** NeMo-RL writes batches of one: every value is in a list. */
const isNemo = (row: Row): boolean => Array.isArray(row.content) && 'rewards' in row;

/**
 * NeMo-RL: `content` has the messages of the conversation, with roles in validation; tokens cover all of them, and a
 * mask marks those of the student.
 */
function fromNemo(row: Row, place: RowPlace): Row {
  const { content, token_ids: ids, token_loss_mask: mask, generation_logprobs: logProbs, advantages, ...rest } = row;
  const said = onlyOf(content);
  const messages = messagesOf(said);
  const texts = Array.isArray(said) ? said.filter((text) => typeof text === 'string') : [];
  const from = messages ? messages.findIndex(({ role }) => role === 'assistant') : texts.length - 1;
  if (from < 1)
    throw datasetError('"content" has no prompt and completion', place, 'Use lines in the format of NeMo-RL.');
  const judges = messages?.filter(({ role }, i) => i >= from && role !== 'environment');
  const lists = [ids, mask, logProbs, advantages].map(onlyOf);
  return {
    ...Object.fromEntries(
      Object.entries(rest)
        .filter(([key]) => !/mask|logprobs|lengths/.test(key))
        .map(([key, value]) => [key, onlyOf(value)]),
    ),
    prompt: messages ? messages.slice(0, from) : texts.slice(0, -1).join(''),
    completion: judges ?? texts.at(-1),
    advantage: ownPart(lists[3], lists[1])?.[0],
    completion_ids: ownPart(lists[0], lists[1]),
    completion_logprobs: ownPart(lists[2], lists[1]),
  };
}

/** The range where the mask is not 0, if the student's tokens are contiguous. */
function ownPart(values: unknown, mask: unknown): number[] | undefined {
  if (!Array.isArray(values) || !Array.isArray(mask) || values.length !== mask.length) return undefined;
  return values.filter((_, i) => mask[i] !== 0 && mask[i] !== false) as number[];
}

function tokensOf({ completion_ids: ids, completion_logprobs: logProbs }: Row): Pick<LoggedCompletion, 'tokens'> {
  if (!isNumbers(ids) || ids.length === 0) return {};
  return { tokens: { ids, ...(isNumbers(logProbs) && logProbs.length === ids.length && { logProbs }) } };
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'number');
