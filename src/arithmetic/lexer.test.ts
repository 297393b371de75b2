import { describe, expect, it } from 'vitest';
import { checkEquations } from './calculator';
import { lex } from './lexer';

describe('words of a text', () => {
  it('are words also where JavaScript objects have a property of that name', () => {
    const text = 'constructor 5 toString valueOf 6 hasOwnProperty \\constructor';
    expect(lex(text).map(({ kind, text }) => [kind, text])).toEqual([
      ['word', 'constructor'],
      ['number', '5'],
      ['word', 'toString'],
      ['word', 'valueOf'],
      ['number', '6'],
      ['word', 'hasOwnProperty'],
      ['other', '\\constructor'],
    ]);
    for (const said of ['A constructor lays 6 * 4 = 26', '6 * 4 constructor = 26', '6 constructor * 4 = 26'])
      expect(checkEquations(said)).toHaveLength(1);
  });
});
