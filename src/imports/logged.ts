/** A completion logged by another trainer in any format. */
import { createHash } from 'node:crypto';
import type { RowPlace } from '../data/rows';

export interface LoggedCompletion {
  place: RowPlace;
  /** Its update; undefined if neither the row nor the file name has it. */
  step?: number;
  /** The student's prompt, as far as it is logged. */
  prompt: string;
  question: string;
  text: string;
  /** The problem's own id, if the log has one that is stable between updates. */
  id?: string;
  /** The reference answer. */
  gold?: string;
  /** null: none applied. undefined: not logged. */
  reward?: number | null;
  parts: Record<string, number | null>;
  advantage?: number;
  /** Whether it ended with the end token; undefined if the log does not have it. */
  finished?: boolean;
  /** The log's own verdict. */
  correct?: boolean;
  /** The answer extracted by the trainer's own grader. */
  answer?: string;
  /** Token ids of the completion alone, without padding. */
  tokens?: { ids: number[]; logProbs?: number[] };
  /** Length of the completion in tokens, if only that is logged. */
  length?: number;
}

/** Most logs have no ids for prompts: equal prompts are the same problem, in every update and every run. */
export const problemIdOf = ({ id, prompt }: Pick<LoggedCompletion, 'id' | 'prompt'>): string =>
  id ?? createHash('sha256').update(prompt).digest('hex').slice(0, 12);

/** Where the user's turn begins and ends in the formats of chats; without special tokens its role names remain. */
const turns: [open: RegExp, close: string][] = [
  [/<\|im_start\|>user\n/, '<|im_end|>'],
  [/<\|start_header_id\|>user<\|end_header_id\|>/, '<|eot_id|>'],
  [/\[INST\]/, '[/INST]'],
  [/(?:^|\n)user\n/, '\nassistant'],
];

/**
 * The question in a prompt: after `Question:`, or the last user message of a chat template. Otherwise the whole prompt.
 * Linear in the length of the prompt.
 */
export function questionOf(prompt: string): string {
  const marked = /^[^\S\n]*(?:Question|Problem|Q):/m.exec(prompt);
  const asked = marked && prompt.slice(marked.index + marked[0].length).trim();
  const question = asked?.replace(/\n[^\S\n]*(?:Solution|Answer|A):$/, '').trimEnd();
  if (question) return question;
  for (const [open, close] of turns) {
    const ended = `${prompt}${close === '\nassistant' ? close : ''}`.split(close).slice(0, -1);
    const said = ended.map((turn) => open.exec(turn)).findLast((found) => found !== null);
    const text = said?.input.slice(said.index + said[0].length).trim();
    if (text) return text;
  }
  return prompt.trim();
}
