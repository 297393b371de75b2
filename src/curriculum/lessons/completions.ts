/** Target completions of the student, exact to the token. */
import { openThinking, spokenPart } from '../../answers/thinking';
import { renderCompletion } from '../../chain/prompts';
import type { Chain } from '../../chain/types';
import type { Tokenizer } from '../../student-files/tokenizer';

/**
 * A chain as completion tokens with the end token. If the student's chat template opens a thinking section
 * (DeepSeek-R1's distills), the chain's thinking goes into it, and it is closed before the solution; otherwise the
 * student would learn to solve without ever closing it.
 */
export function chainTokens(tokenizer: Tokenizer, chain: Chain): number[] {
  return ended(tokenizer, renderCompletion(chain, closingTag(tokenizer)));
}

/** A handwritten or sampled completion; an open thinking section is closed in the same way. */
export function textTokens(tokenizer: Tokenizer, text: string): number[] {
  const close = closingTag(tokenizer);
  return ended(tokenizer, close === null || spokenPart(text).start > 0 ? text : `\n${close}\n\n${text}`);
}

const ended = ({ encode, eosId }: Tokenizer, text: string) => [...encode(text), eosId];

const probe = 'What is 6 * 7?';
const found = new WeakMap<Tokenizer, string | null>();

/** The text that the student's prompts add after the question. */
function promptEnd(tokenizer: Tokenizer): string {
  const prompt = tokenizer.tokenTexts(tokenizer.encodePrompt(probe)).join('');
  return prompt.slice(prompt.lastIndexOf(probe) + probe.length);
}

/** The text that closes the thinking section opened by the student's prompts; null if they open none. */
export function closingTag(tokenizer: Tokenizer): string | null {
  if (!tokenizer.chatTemplate) return null;
  const known = found.get(tokenizer);
  if (known !== undefined) return known;
  const tag = openThinking(promptEnd(tokenizer));
  found.set(tokenizer, tag);
  return tag;
}

/** Tokens that thinking and answer take of a student that has not learned to be short. */
export const thinkingTokens = 4096;

/**
 * Whether the student thinks before it answers: its prompts open its thinking, or its template can switch thinking off
 * (Qwen3, SmolLM3) and does not.
 */
export const thinksFirst = (tokenizer: Tokenizer): boolean =>
  closingTag(tokenizer) !== null ||
  (/enable_thinking/.test(tokenizer.chatTemplate?.source ?? '') && spokenPart(promptEnd(tokenizer)).start === 0);
