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

/**
 * The question in a prompt: after `Question:`, or the last user message of a chat template, with special tokens or with
 * the role names that remain without them. Otherwise the whole prompt.
 */
export function questionOf(prompt: string): string {
  const marked = /(?:^|\n)\s*(?:Question|Problem|Q):\s*([\s\S]*?)\s*(?:\n\s*(?:Solution|Answer|A):\s*)?$/.exec(prompt);
  if (marked?.[1]) return marked[1];
  const turns = [
    /<\|im_start\|>user\n([\s\S]*?)<\|im_end\|>/g,
    /<\|start_header_id\|>user<\|end_header_id\|>\s*([\s\S]*?)<\|eot_id\|>/g,
    /\[INST\]([\s\S]*?)\[\/INST\]/g,
    /(?:^|\n)user\n([\s\S]*?)\n*(?:\nassistant\n?|$)/g,
  ];
  for (const turn of turns) {
    const said = [...prompt.matchAll(turn)].at(-1)?.[1].trim();
    if (said) return said;
  }
  return prompt.trim();
}
