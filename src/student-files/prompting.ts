/** How a student is prompted: in its chat template, or with plain text to continue. */
import type { PromptStyle } from '../config/student';
import { UserError } from '../errors';
import { type ChatTemplate, renderChat } from './chat-template';
import type { Tokenizer } from './tokenizer';

export interface PromptSettings {
  /** `auto`: chat for a student that was trained to chat, as decided by `promptStyle`. */
  prompt?: 'auto' | PromptStyle;
  /** The system message; without one the template's own, if any. For chat only. */
  system?: string;
}

/**
 * The style chosen by `auto`: chat if the student's end token is that of a turn in its chat template. A template alone
 * is no indication, as base models (Qwen2.5, Qwen3) include that of their chat versions, but their end token differs.
 */
export function promptStyle(tokenizer: Tokenizer, { prompt = 'auto' }: PromptSettings): PromptStyle {
  if (prompt !== 'auto') return prompt;
  const end = tokenizer.chatTemplate ? turnEnd(tokenizer, tokenizer.chatTemplate) : null;
  return end !== null && tokenizer.eosIds.includes(end) ? 'chat' : 'plain';
}

/**
 * The tokenizer with `encodePrompt` and end tokens for a prompt style. In chat a prompt is the user's message up to
 * where the assistant's begins, as in `apply_chat_template(..., add_generation_prompt=True)`, and a completion ends
 * like a turn. @throws UserError when there is no usable chat template
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
    // A message is self-contained: it does not need the trailing line break of a plain prompt.
    encodePrompt: (text) =>
      tokenizer.encode(renderChat(template, [...system, { role: 'user', content: text.trimEnd() }], true)),
  };
}

/** The special token after an assistant's message; null if the template writes none. */
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
