/** How a student is asked: in the words of its chat template, or by a text that it goes on with. */
import type { PromptStyle } from '../config/student';
import { UserError } from '../errors';
import { type ChatTemplate, renderChat } from './chat-template';
import type { Tokenizer } from './tokenizer';

export interface PromptSettings {
  /** `auto`: chat for a student that was trained to chat, which `promptStyle` tells. */
  prompt?: 'auto' | PromptStyle;
  /** The system message; without one the template has its own, or none. Of chat only. */
  system?: string;
}

/**
 * The style that `auto` means for a student: chat when it ends its texts as its chat template ends a turn. A template
 * alone says little, as base models (Qwen2.5, Qwen3) carry that of their siblings, but they name another end token.
 */
export function promptStyle(tokenizer: Tokenizer, { prompt = 'auto' }: PromptSettings): PromptStyle {
  if (prompt !== 'auto') return prompt;
  const end = tokenizer.chatTemplate ? turnEnd(tokenizer, tokenizer.chatTemplate) : null;
  return end !== null && tokenizer.eosIds.includes(end) ? 'chat' : 'plain';
}

/**
 * The tokenizer with `encodePrompt` and end tokens for a style of asking. In chat a prompt is the user's message up to
 * where the assistant's begins, as `apply_chat_template(..., add_generation_prompt=True)` gives it, and a completion
 * ends as a turn does. Throws a UserError when there is no chat template to use.
 */
export function withPrompts(tokenizer: Tokenizer, settings: PromptSettings): Tokenizer {
  if (promptStyle(tokenizer, settings) === 'plain') return tokenizer;
  const template = tokenizer.chatTemplate;
  if (!template)
    throw new UserError('The student has no chat template', {
      remedy: 'Set "prompt": "plain" for it, or put chat_template.jinja into its folder.',
      code: 'config',
    });
  const system = settings.system === undefined ? [] : [{ role: 'system' as const, content: settings.system }];
  const eosId = turnEnd(tokenizer, template) ?? tokenizer.eosId;
  return {
    ...tokenizer,
    eosId,
    eosIds: [...new Set([eosId, ...tokenizer.eosIds])],
    // A message is a text of its own: the line break after which a plain prompt is gone on with has no place in it.
    encodePrompt: (text) =>
      tokenizer.encode(renderChat(template, [...system, { role: 'user', content: text.trimEnd() }], true)),
  };
}

/** The special token behind an assistant's message; null when the template writes none. */
function turnEnd(tokenizer: Tokenizer, template: ChatTemplate): number | null {
  const content = 'The answer is 42.';
  const text = renderChat(
    template,
    [
      { role: 'user', content: 'What is 6 * 7?' },
      { role: 'assistant', content },
    ],
    false,
  );
  const rest = tokenizer.encode(text.slice(text.lastIndexOf(content) + content.length));
  return rest.find((id) => tokenizer.isSpecial(id)) ?? null;
}
