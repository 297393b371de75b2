/** The content of a message or a piece of one: servers represent the thinking of reasoning models in several ways. */
import type { Piece } from './types';

/** A delta of a stream or a whole message, including fields that servers add to OpenAI's. */
export type Delta = { content?: unknown } & { [field in ThoughtField]?: unknown };

/**
 * Fields with thinking: `reasoning_content` (DeepSeek, vLLM, llama.cpp), `reasoning` (Ollama, OpenRouter, newer vLLM),
 * `thinking` (Ollama's own), `reasoning_details` (OpenRouter, beside `reasoning` with the same text), `thoughts`. The
 * first nonempty one counts.
 */
const thoughtFields = [
  'reasoning_content',
  'reasoning',
  'thinking',
  'reasoning_text',
  'reasoning_details',
  'thinking_content',
  'thoughts',
] as const;
type ThoughtField = (typeof thoughtFields)[number];

/**
 * The pieces of a delta. Its content may be a text or a list of parts, some of which may be thinking (Mistral's
 * Magistral).
 */
export function* piecesIn(delta: Delta): Generator<Piece> {
  for (const field of thoughtFields) {
    const text = textOf(delta[field]);
    if (text === '') continue;
    yield { kind: 'thought', text };
    break;
  }
  const parts = Array.isArray(delta.content) ? delta.content : [delta.content];
  for (const part of parts) {
    const text = textOf(part);
    if (text !== '') yield { kind: isThinking(part) ? 'thought' : 'text', text };
  }
}

/** Of a part: `{type: "thinking", thinking: ...}` (Mistral, Anthropic), `{type: "reasoning", ...}`. */
const isThinking = (part: unknown) => isObject(part) && /^(thinking|reasoning|thought)/i.test(String(part.type ?? ''));

const textFields = ['text', 'thinking', 'reasoning', 'content', 'summary'] as const;

/** The text of a part, or of a list of parts; '' if there is none, or it is nested more deeply than any server does. */
function textOf(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value;
  if (depth > 4) return '';
  if (Array.isArray(value)) return value.map((part) => textOf(part, depth + 1)).join('');
  if (!isObject(value)) return '';
  for (const field of textFields) {
    const text = textOf(value[field], depth + 1);
    if (text !== '') return text;
  }
  return '';
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Fields that are no part of what a reply says. */
const labels = /^(?:role|type|id|index|name|signature|format)$/;

/** Whether a delta holds any text or number, in whatever form. */
export const saysSomething = (value: unknown, depth = 0): boolean =>
  isObject(value)
    ? depth < 6 && Object.entries(value).some(([key, field]) => !labels.test(key) && saysSomething(field, depth + 1))
    : typeof value === 'number' || (typeof value === 'string' && value !== '');
