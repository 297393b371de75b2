/**
 * Parses an answer to a tree: recursive descent with limits on length and depth. It rejects text that it does not fully
 * understand.
 */
import { Refusal } from './cursor';
import { lex, type Token } from './lexer';
import { apply, type Node, symbol, whole } from './node';
import { joinNumberWords } from './number-words';
import type { CommaReading } from './numbers';
import { fillers, Quantities } from './quantities';

/** Answers with more code units or tokens are compared by characters only. */
export const longestAnswer = 2000;
const maxTokens = 800;

/** The tree of an answer, or null if some part of it is not understood. */
export function parse(text: string, options: { comma?: CommaReading; tightUnits?: boolean } = {}): Node | null {
  if (text.length > longestAnswer) return null;
  const tokens = joinNumberWords(lex(text, options.comma ?? 'group'));
  // A slash with nothing after it is left over when a unit was removed.
  while (tokens.length > 0 && (isPause(tokens.at(-1)!) || tokens.at(-1)!.text === '/')) tokens.pop();
  if (tokens.length === 0 || tokens.length > maxTokens) return null;
  const parser = new AnswerParser(tokens, 0, options.tightUnits);
  return parser.whole();
}

/** The longest value that begins at token `at`, as in a sentence, with the index of the token after it. */
export function parseValueAt(tokens: Token[], at: number): { node: Node; next: number } | null {
  const parser = new AnswerParser(tokens, at, true);
  return parser.value();
}

class AnswerParser extends Quantities {
  whole(): Node | null {
    return this.guarded(() => {
      const node = this.list();
      if (this.at < this.tokens.length) throw new Refusal();
      return node;
    });
  }

  value(): { node: Node; next: number } | null {
    const node = this.guarded(() => this.side());
    return node && { node, next: this.meant };
  }

  /** Items separated by commas, "and", "or"; with semicolons between items, commas separate parts of them. */
  protected list(): Node {
    const outer: Node[] = [];
    let inner: Node[] = [this.item()];
    for (;;) {
      const separator = this.takeSeparator();
      if (!separator) break;
      if (this.ends()) break;
      if (separator === ';') {
        outer.push(listOf(inner));
        inner = [];
      }
      inner.push(this.item());
    }
    outer.push(listOf(inner));
    return outer.length === 1 ? outer[0] : { kind: 'list', items: outer };
  }

  protected takeSeparator(): string | null {
    let separator: string | null = null;
    for (let token = this.peek(); token; token = this.peek()) {
      const joins = token.kind === 'word' && /^(?:and|or|und|oder|et|ou|y|o|和|或)$/i.test(token.text);
      if (token.kind !== 'separator' && !joins) break;
      separator = token.text === ';' ? ';' : (separator ?? ',');
      this.at++;
    }
    return separator;
  }

  protected item(): Node {
    const word = this.peek();
    if (word?.kind === 'letter' && /^[aAI]$/.test(word.text) && this.isThing(this.peek(1))) return this.words();
    if (word?.kind !== 'word') return this.relation();
    const spoken = word.text.toLowerCase();
    if (/^(?:negative|minus)$/.test(spoken)) {
      this.at++;
      return apply('-', this.relation());
    }
    if (spoken === 'between' || spoken === 'from') return this.range();
    const sign = this.comparisonInWords();
    if (sign) return { kind: 'relation', sides: [symbol('…'), this.side()], signs: [sign] };
    if (spoken === 'half' || spoken === 'dozen') return this.relation();
    if ((spoken === 'a' || spoken === 'an') && this.isPart(this.peek(1))) {
      this.at++;
      return this.relation();
    }
    if ((spoken === 'a' || spoken === 'an') && this.isUnit(this.peek(1))) {
      this.at++;
      return this.compound(this.withUnit(whole(1), null)); // an hour and a half
    }
    if (fillers.has(spoken) && this.startsValue(1)) {
      this.at++;
      return this.item();
    }
    return this.words();
  }

  /** Whether a letter in front of this word is no unknown: "a circle", but not "a dollars", "a and b". */
  protected isThing(next: Token | undefined): boolean {
    return next?.kind === 'word' && next.spaced && !next.upright && !this.isUnit(next) && !connecting.test(next.text);
  }

  /** "less than 5", "more than 5"; "at least 5" is also a way to say five. */
  protected comparisonInWords(): string | null {
    const [first, second] = [this.peek(), this.peek(1)].map((token) => token?.text.toLowerCase() ?? '');
    if (second === 'than' && /^(?:less|fewer|smaller|more|greater|larger|higher|lower)$/.test(first)) {
      this.at += 2;
      return /^(?:less|fewer|smaller|lower)$/.test(first) ? '<' : '>';
    }
    if (first === 'at' && /^(?:least|most)$/.test(second)) this.at += 2;
    return null;
  }

  protected range(): Node {
    this.at++;
    const from = this.side();
    if (!/^(?:and|to)$/.test(this.peek()?.text ?? '')) throw new Refusal();
    this.at++;
    return { kind: 'range', from, to: this.side() };
  }

  /** Words, as an answer or as the name of a value ("Total = 5", "odd"). */
  protected words(): Node {
    const from = this.at;
    const spoken: string[] = [];
    for (let token = this.peek(); token && isSpoken(token); token = this.peek()) {
      if (spoken.length > 0 && token.kind === 'word' && /^(?:and|or)$/i.test(token.text) && this.at > from + 3) break;
      spoken.push(token.text);
      this.at++;
    }
    const next = this.peek();
    if (next?.kind === 'relation') {
      if (spoken.length === 1) {
        this.at = from;
        return this.relation();
      }
      return this.relation({ kind: 'text', text: spoken.join(' ') });
    }
    if (next?.text === ':' && this.startsValue(1)) {
      this.at++;
      return this.item();
    }
    if (next && next.kind !== 'separator' && !isPause(next)) {
      if (spoken.length > 1) throw new Refusal();
      this.at = from;
      return this.relation();
    }
    while (this.peek() && isPause(this.peek()!) && this.peek()!.kind === 'stop') this.at++;
    return { kind: 'text', text: spoken.join(' ') };
  }

  protected relation(first?: Node): Node {
    const sides = [first ?? this.side()];
    const signs: string[] = [];
    for (let token = this.peek(); token?.kind === 'relation'; token = this.peek()) {
      signs.push(token.text);
      this.at++;
      sides.push(this.side());
    }
    return signs.length === 0 ? sides[0] : { kind: 'relation', sides, signs };
  }
}

const connecting = /^(?:and|or|und|oder|et|ou|y|o|to|by|per|is|equals?|units?|times|plus|minus|dozen)$/i;
const isPause = ({ kind, text }: Token) =>
  (kind === 'stop' && /^[.?…"“”'’*#]$/.test(text)) || (kind === 'separator' && text !== '');

const listOf = (items: Node[]): Node => (items.length === 1 ? items[0] : { kind: 'list', items });
const isSpoken = ({ kind, text }: Token) =>
  kind === 'word' || (kind === 'letter' && /^\p{L}$/u.test(text)) || text === "'";
