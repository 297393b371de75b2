import { partThinking } from '../answers/thinking';
import { TeacherFault } from './faults';
import type { Piece, Reply, Usage } from './types';

/** Longest accepted reply, in code units: about 250,000 tokens. */
const maxReplyLength = 1_000_000;
/** Pieces per requested token that are accepted: some servers send each character, or the text after each word. */
const piecesPerToken = 16;

/**
 * The pieces of a reply, up to a length that no correct server exceeds. Faulty ones never stop: they ignore the token
 * limit or send empty pieces. @throws TeacherFault beyond it
 */
export async function* withinLength(pieces: AsyncIterable<Piece>, maxTokens: number): AsyncGenerator<Piece> {
  const most = 1000 + piecesPerToken * maxTokens;
  const remedy = 'Set a limit of tokens in the server itself, or use another server.';
  let [count, length] = [0, 0];
  for await (const piece of pieces) {
    if (piece.kind !== 'end') {
      length += piece.text.length;
      if (length > maxReplyLength)
        throw new TeacherFault(`the reply is longer than ${maxReplyLength} characters`, 'request', { remedy });
      if (++count > most)
        throw new TeacherFault(`the reply has more than ${most} pieces for ${maxTokens} tokens`, 'request', { remedy });
    }
    yield piece;
  }
}

export interface ReplyEvents {
  /** A piece arrived. */
  piece?(): void;
  /** The reply is abandoned although a part arrived and may be billed. */
  lost?(usage: Usage): void;
}

/**
 * Collects the pieces of a reply. Thinking arrives as separate pieces or in tags (`partThinking`); the opening tag may
 * be missing, as chat templates of reasoning models put it into the prompt. `promptLength` (code units) is for servers
 * that do not count tokens. A reply without text that was cut off is a valid reply: the model was thinking all the
 * time, and the server does not show it.
 */
export async function collectReply(
  pieces: AsyncIterable<Piece>,
  promptLength: number,
  { piece: onPiece, lost }: ReplyEvents = {},
): Promise<Reply> {
  const [thoughts, texts]: [string[], string[]] = [[], []];
  let length = 0;
  let usage: Usage | undefined;
  const guess = () => ({ prompt: tokensIn(promptLength), completion: tokensIn(length) });
  try {
    for await (const piece of pieces) {
      if (piece.kind === 'end') {
        usage = piece.usage;
        const { thought, text } = separate(thoughts.join(''), texts.join(''));
        const { finished, without } = piece;
        if (thought === '' && text === '' && finished)
          throw new TeacherFault('the reply is empty', 'passing', { attempts: 3 });
        const lacking = without && without.length > 0 && { without };
        return { thought, text, finished, usage: usage ?? guess(), ...(!usage && { estimated: true }), ...lacking };
      }
      length += piece.text.length;
      (piece.kind === 'thought' ? thoughts : texts).push(piece.text);
      onPiece?.();
    }
    throw new TeacherFault('the reply was cut off by the server', 'passing');
  } catch (error) {
    if (usage || length > 0) lost?.(usage ?? guess());
    throw error;
  }
}

/** Estimates the tokens of a text: about four letters each in English (OpenAI's rule of thumb). */
export const tokensIn = (length: number) => Math.ceil(length / 4);

function separate(thought: string, text: string): { thought: string; text: string } {
  const parts = partThinking(text);
  return { thought: join(thought, parts.thought), text: parts.body.trim() };
}

const join = (a: string, b: string) => [a.trim(), b.trim()].filter(Boolean).join('\n\n');

/** A reply as one chain: the thinking in tags, which `splitChain` recognizes, and the solution. */
export function chainText({ thought, text }: Pick<Reply, 'thought' | 'text'>, withThought = true): string {
  return withThought && thought ? `<think>\n${thought}\n</think>\n${text}` : text;
}
