import { expect, test } from 'vitest';
import { reasonsAgainst } from './rewrite';

const sample = (text: string, length: number, correct = true) => ({ text, length, correct });

test('wrong rewrites that are shorter take no place of right ones', () => {
  const samples = [
    sample('wrong and short', 3, false),
    sample('wrong, too', 4, false),
    sample('right', 5),
    sample('right', 5),
    sample('disliked', 6),
    sample('right again', 7),
    sample('one too many', 8),
    sample('as long as the teacher', 20),
  ];
  expect(reasonsAgainst(samples, 20, new Set(['disliked']), 2)).toEqual([
    'wrong',
    'wrong',
    undefined,
    'repeated',
    'rejected by hand',
    undefined,
    'enough kept',
    'not shorter',
  ]);
});

test('none is kept where none is wanted', () => {
  expect(reasonsAgainst([sample('right', 5)], 20, new Set(), 0)).toEqual(['enough kept']);
});
