/** The content of a message, or a piece of one: servers and datasets represent thinking in several ways. */
import { isObject } from '../json';

/** A message or a delta of a stream, including fields that servers add to OpenAI's. */
export type Delta = { content?: unknown } & { [field in ThoughtField]?: unknown };

/**
 * Fields with thinking: `reasoning_content` (DeepSeek, vLLM, llama.cpp), `reasoning` (Ollama, OpenRouter, newer vLLM),
 * `thinking` (Ollama's own), `reasoning_details` (OpenRouter, beside `reasoning` with the same text), `thinking_blocks`
 * (LiteLLM), and others. The first nonempty one counts.
 */
const thoughtFields = [
  'reasoning_content',
  'reasoning',
  'thinking',
  'reasoning_text',
  'reasoning_details',
  'thinking_content',
  'thoughts',
  'thought',
  'thinking_blocks',
] as const;
type ThoughtField = (typeof thoughtFields)[number];

/**
 * The pieces of a delta. Its content may be a text or a list of parts, some of which may be thinking (Mistral's
 * Magistral).
 */
export function* piecesIn(delta: Delta): Generator<{ kind: 'thought' | 'text'; text: string }> {
  const thought = thoughtIn(delta);
  if (thought !== '') yield { kind: 'thought', text: thought };
  const parts = Array.isArray(delta.content) ? delta.content : [delta.content];
  for (const part of parts) {
    const text = partText(part);
    if (text !== '') yield { kind: isThinking(part) ? 'thought' : 'text', text };
  }
}

/** The thinking in a field of its own; '' if there is none. */
export function thoughtIn(delta: Delta): string {
  for (const field of thoughtFields) {
    const text = partText(delta[field]);
    if (text !== '') return text;
  }
  return '';
}

/** Of a part: `{type: "thinking", thinking: ...}` (Mistral, Anthropic), `{type: "reasoning", ...}`, or Gemini's. */
export const isThinking = (part: unknown): boolean =>
  isObject(part) && (part.thought === true || /^(thinking|reasoning|thought)/i.test(String(part.type ?? '')));

const textFields = ['text', 'thinking', 'reasoning', 'content', 'summary', 'parts', 'value'] as const;

/** The text of a part, or of a list of parts; '' if there is none, or it is nested more deeply than any server does. */
export function partText(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value;
  if (depth > 4) return '';
  if (Array.isArray(value)) return value.map((part) => partText(part, depth + 1)).join('');
  if (!isObject(value)) return '';
  for (const field of textFields) {
    const text = partText(value[field], depth + 1);
    if (text !== '') return text;
  }
  return '';
}
