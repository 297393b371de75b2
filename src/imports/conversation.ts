/** Prompts and completions logged as lists of messages. */
import { withThinking } from '../data/conversations';
import { isThinking, partText } from '../data/message-parts';

interface Message {
  role: string;
  content: string;
}

/** `[{role, content}]`, or `{from, value}`; undefined for anything else. */
export function messagesOf(value: unknown): Message[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const messages: Message[] = [];
  for (const one of value) {
    if (typeof one !== 'object' || one === null) return undefined;
    const { role, from, content, value: words, reasoning_content: thinking } = one as Record<string, unknown>;
    const who = role ?? from;
    if (typeof who !== 'string') return undefined;
    const thought = typeof thinking === 'string' ? thinking : undefined;
    messages.push({ role: who, content: withThinking(thought, contentOf(content ?? words))! });
  }
  return messages;
}

/** A text, or the texts of a list of parts; tool calls and pictures are named. */
function contentOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: { type?: unknown; text?: unknown; reasoning?: unknown } | string | null) => {
      if (typeof part === 'string') return part;
      if (isThinking(part)) return withThinking(partText(part), '');
      if (typeof part?.text === 'string') return part.text;
      if (typeof part?.reasoning === 'string') return withThinking(part.reasoning, '');
      return `[${String(part?.type ?? 'content')}]`;
    })
    .join('');
}

/** One message is its text; several are each preceded by the role. */
export function textOfMessages(messages: readonly Message[]): string {
  if (messages.length === 1) return messages[0].content;
  return messages.map(({ role, content }) => `${role}: ${content}`).join('\n\n');
}

/** The student's messages; if tools or users spoke in between, everything after the prompt. */
export const completionText = (messages: readonly Message[]): string =>
  messages.every(({ role }) => role === 'assistant')
    ? messages.map(({ content }) => content).join('\n\n')
    : textOfMessages(messages);

/** The last message of the user. */
export const lastQuestion = (messages: readonly Message[]): string | undefined =>
  messages.findLast(({ role }) => role === 'user' || role === 'human')?.content;
