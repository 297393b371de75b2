import { expect, it } from 'vitest';
import { departureText, faultText, isGuess } from './fault-text';

it('describes a departure as a guess, with its step, and a false equation as a fact', () => {
  const said = "departs from the teacher at step 5: 96 does not occur in the teacher's chain";
  expect(faultText(departureText('96', false), 4)).toBe(said);
  expect(faultText("leaves the teacher's path here: the teacher never has 96", 4)).toBe(said);
  expect(faultText(departureText('48', true), 0)).toBe(
    'departs from the teacher at step 1: the teacher never arrives at 48',
  );
  expect(faultText('2 + 3 is 5, not 6', 1)).toBe('2 + 3 is 5, not 6');
  expect([departureText('1', true), '2 + 3 is 5, not 6'].map(isGuess)).toEqual([true, false]);
});
