/** A position in a list of tokens. */
import type { Token } from './lexer';
import type { Node } from './node';
import type { Unit } from './units';

/** Maximum nesting depth. */
const maxDepth = 40;

/** Thrown at a token that is not understood. */
export class Refusal extends Error {}

export class Cursor {
  protected depth = 0;
  /** The currency sign before the current number. */
  protected currency: Unit | null = null;
  /** After the last meaningful token: skipped words that are not units follow it. */
  protected meant = 0;

  /** `tightUnits`: a unit letter directly after a number is a unit ("5m") and not an unknown. */
  constructor(
    protected readonly tokens: Token[],
    protected at = 0,
    protected readonly tightUnits = false,
  ) {}

  protected enter(): undefined {
    if (++this.depth > maxDepth) throw new Refusal();
  }

  protected expect(text: string): void {
    if (this.next().text !== text) throw new Refusal();
  }

  protected next(): Token {
    const token = this.tokens[this.at++];
    if (!token) throw new Refusal();
    return token;
  }

  protected ends(): boolean {
    return this.at >= this.tokens.length;
  }

  protected peek(ahead = 0): Token | undefined {
    return this.tokens[this.at + ahead];
  }

  protected guarded(read: () => Node): Node | null {
    try {
      return read();
    } catch (error) {
      if (error instanceof Refusal) return null;
      throw error;
    }
  }
}
