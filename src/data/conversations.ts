/** Conversations as datasets write them: lists of turns, pairs, and texts with a chat template or headings in them. */
import { spokenPart } from '../answers/thinking';
import { isThinking, partText, thoughtIn } from './message-parts';
import type { Row } from './rows';
import { isSmallTalk } from './small-talk';

export type ChatRole = 'system' | 'user' | 'assistant';

/** The first exchange of a conversation after its small talk, including thinking. */
export type Conversation = Partial<Record<ChatRole, string>>;

const speakers: Record<string, ChatRole> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  prompter: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  model: 'assistant',
  bot: 'assistant',
  chatgpt: 'assistant',
};

const speakerOf = ({ role, from, speaker, author, sender }: Row) => role ?? from ?? speaker ?? author ?? sender;

/** A list of {role, content} or {from, value}, direct or as JSON text; null for anything else. */
export function conversationOf(value: unknown): Conversation | null {
  const messages = typeof value === 'string' && /^\s*\[\s*\{/.test(value) ? jsonOf(value) : value;
  if (!Array.isArray(messages) || messages.length === 0) return null;
  if (messages.length === 1 && Array.isArray(messages[0])) return conversationOf(messages[0]);
  const said: Conversation = {};
  for (const message of messages) {
    if (typeof message !== 'object' || message === null) return null;
    const { content, value: words, text, message: written } = message as Row;
    const speaker = speakerOf(message as Row);
    const turn = speakers[String(speaker).toLowerCase()];
    if (!turn) {
      if (typeof speaker !== 'string') return null;
      continue; // a tool
    }
    if (turn === 'assistant' && said.user === undefined && messages.length > 1) continue; // a greeting
    if (turn === 'user' && said.user && said.assistant && isSmallTalk(said.user, said.assistant)) {
      said.user = undefined;
      said.assistant = undefined;
    }
    said[turn] ??= turnText(message as Row, content ?? words ?? text ?? written);
  }
  return said;
}

/** The same for a column with questions and answers, where pairs and whole texts are conversations, too. */
export const exchangeOf = (value: unknown): Conversation | null =>
  conversationOf(value) ?? pairOf(value) ?? (typeof value === 'string' ? transcriptOf(value) : null);

/** `[question, response]`, or one exchange per item: `{input, output}`, `{human, assistant}`. */
function pairOf(value: unknown): Conversation | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  if (value.length > 1 && value.every((item) => typeof item === 'string' && item.trim() !== ''))
    return { user: value[0].trim(), assistant: value[1].trim() };
  const [first] = value;
  if (typeof first !== 'object' || first === null) return null;
  const { system, input, human, user, prompt, question, output, assistant, gpt, response, answer } = first as Row;
  const asked = contentText(user ?? human ?? input ?? prompt ?? question);
  const answered = contentText(assistant ?? gpt ?? output ?? response ?? answer);
  if (asked === undefined || answered === undefined) return null;
  return { user: asked, assistant: answered, ...(typeof system === 'string' && system !== '' && { system }) };
}

/** Marks of speakers in texts: chat templates first, then headings and labels at the beginning of a line. */
const marks: readonly RegExp[] = [
  /<\|im_start\|>(?<who>\w+)\n?/g,
  /<\|start_header_id\|>(?<who>\w+)<\|end_header_id\|>\s*/g,
  /<start_of_turn>(?<who>\w+)\n?/g,
  /<[|｜](?<who>system|user|assistant|human|bot|model)[|｜]>/gi,
  /(?<who><<SYS>>)|(?<user>\[INST\](?!\s*<<SYS>>)|<<\/SYS>>)|(?<model>\[\/INST\])/g,
  /^#{1,6} *(?<who>[\p{L} ]{1,20}?) *:? *(?=\n)|#{2,6} *(?<name>[\p{L} ]{1,20}?) *: */gmu,
  /^\*\*(?<who>[\p{L} ]{1,20}?):?\*\*:?[ \n]*/gmu,
  /^(?<who>[\p{L} ]{1,20}?): */gmu,
];

/** The roles that headings and labels stand for. */
const headings: Record<string, ChatRole> = {
  ...speakers,
  question: 'user',
  q: 'user',
  problem: 'user',
  query: 'user',
  instruction: 'user',
  input: 'user',
  prompt: 'user',
  task: 'user',
  exercise: 'user',
  response: 'assistant',
  answer: 'assistant',
  a: 'assistant',
  solution: 'assistant',
  output: 'assistant',
  completion: 'assistant',
  '<<sys>>': 'system',
};

const ends =
  /<\|im_end\|>|<\|eot_id\|>|<end_of_turn>|<\/s>|<s>|<\|endoftext\|>|<\|end_of_text\|>|<[|｜](?:begin|end)[^|｜]*[|｜]>/g;

/**
 * A whole conversation in one text; null unless a question and a response are marked. Instruction and input (Alpaca)
 * are joined. The response reaches to the next question, including its own headings.
 */
function transcriptOf(text: string): Conversation | null {
  for (const mark of marks) {
    const said: Conversation = {};
    let [turn, from]: [ChatRole | undefined, number] = [undefined, 0];
    const close = (end: number) => {
      const words = text.slice(from, end).replace(ends, '').trim();
      if (turn && words !== '') said[turn] = turn === 'user' && said.user ? `${said.user}\n\n${words}` : words;
    };
    for (const match of text.matchAll(mark)) {
      const next = turnOf(match.groups!);
      if (!next || (turn === 'assistant' && next !== 'user')) continue;
      close(match.index);
      [turn, from] = [next, match.index + match[0].length];
      if (said.assistant !== undefined) break; // the first of several exchanges
    }
    if (said.assistant === undefined) close(text.length);
    if (said.user !== undefined && said.assistant !== undefined) return said;
  }
  return null;
}

function turnOf({ who, name, user, model }: Record<string, string | undefined>): ChatRole | undefined {
  if (user !== undefined) return 'user';
  if (model !== undefined) return 'assistant';
  return headings[(who ?? name ?? '').trim().toLowerCase()];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text of a message with its thinking, which is in a field of its own or in parts of the content. */
function turnText(message: Row, content: unknown): string | undefined {
  const thought = thoughtIn(message);
  if (!Array.isArray(content)) return withThinking(contentText(thought), contentText(content));
  const thoughts = [thought, ...content.filter(isThinking).map((part) => partText(part))].filter(Boolean);
  return withThinking(contentText(thoughts), contentText(content.filter((part) => !isThinking(part))));
}

/** A text, or the joined texts of a list of parts. */
export function contentText(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() || undefined;
  if (!Array.isArray(value)) return undefined;
  const texts = value.map((part) => (typeof part === 'string' ? part : (part as { text?: unknown } | null)?.text));
  if (texts.length === 0 || texts.some((text) => typeof text !== 'string')) return undefined;
  return texts.join('\n').trim() || undefined;
}

/** A text preceded by its thinking, in R1's format. */
export function withThinking(thinking: string | undefined, text: string | undefined): string | undefined {
  if (thinking === undefined || text === undefined || spokenPart(text).start > 0) return text ?? thinking;
  return `<think>\n${thinking}\n</think>\n\n${text}`;
}
