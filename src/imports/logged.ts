/** A completion as another trainer logged it, whatever the format. */
import { createHash } from 'node:crypto';
import type { Place } from '../data/rows';

export interface Logged {
  place: Place;
  /** The update that it was sampled for; undefined where neither the row nor its file's name tells. */
  step?: number;
  /** As the student was asked, as far as the log tells. */
  prompt: string;
  question: string;
  text: string;
  /** The problem's own id, where the log has one that stays the same from update to update. */
  id?: string;
  /** The reference answer. */
  gold?: string;
  /** null: none applied. undefined: not logged. */
  reward?: number | null;
  parts: Record<string, number | null>;
  advantage?: number;
  /** Whether the end token came; undefined where the log does not tell. */
  finished?: boolean;
  /** The log's own verdict. */
  correct?: boolean;
  /** The answer that the trainer's own grader read. */
  answer?: string;
  /** Of the completion alone, without padding. */
  tokens?: { ids: number[]; logProbs?: number[] };
  /** Of the completion in tokens, where only their number is logged. */
  length?: number;
}

/** Prompts have no ids in most logs: the same prompt is the same problem, in every update and every run. */
export const problemIdOf = ({ id, prompt }: Pick<Logged, 'id' | 'prompt'>): string =>
  id ?? createHash('sha256').update(prompt).digest('hex').slice(0, 12);

/**
 * The question in a prompt: behind `Question:`, or what the user said last in a chat template, with its special tokens
 * or with the role names that are left when these are removed. The whole prompt where there is nothing of that.
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
