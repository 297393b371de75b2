import { expect, test } from 'vitest';
import {
  answerLine,
  completePrompt,
  maskText,
  plainPrompt,
  reconstructPrompt,
  renderChain,
  rewritePrompt,
} from './prompts';

const chain = { thinking: 'Add, then halve.', steps: ['2 + 4 = 6', '6 / 2 = 3'], answer: '3' };
const exercise = { shownSteps: ['6 / 2\n = 3', maskText], order: [1, 0], masked: [0] };

test('the templates, to the letter', () => {
  expect(answerLine('3')).toBe('Answer: 3');
  expect(renderChain(chain)).toBe('Thinking: Add, then halve.\nStep 1: 2 + 4 = 6\nStep 2: 6 / 2 = 3\nAnswer: 3');
  expect(renderChain({ thinking: '', steps: ['a'], answer: '' })).toBe('Step 1: a');
  expect(plainPrompt('How many?')).toBe('Question: How many?\nSolution:\n');
  expect(reconstructPrompt('How many?', exercise)).toBe(
    'Question: How many?\nSteps, shuffled, some missing:\n- 6 / 2 = 3\n- [MASK]\nSolution:\n',
  );
  expect(completePrompt('How many?', exercise)).toBe(
    'Question: How many?\nSteps, some missing:\n- 6 / 2 = 3\n- [MASK]\nSolution:\n',
  );
  expect(rewritePrompt('How many?', chain)).toBe(
    `Question: How many?\nA correct solution:\n${renderChain(chain)}\nA much shorter solution:\n`,
  );
});

test('a wrong step marked by a person comes before the rewrite, on one line', () => {
  expect(rewritePrompt('How many?', chain, { wrongStep: '2 + 4\n= 8' })).toBe(
    `Question: How many?\nA correct solution:\n${renderChain(chain)}\nA wrong step: 2 + 4 = 8\nA much shorter solution:\n`,
  );
});

test('the answer line of the teacher can be hidden', () => {
  const prompt = rewritePrompt('How many?', chain, { hideAnswer: true });
  expect(prompt).toContain('Step 2: 6 / 2 = 3\nA much shorter solution:');
  expect(prompt).not.toContain('Answer');
});

test('with no step to show an exercise is the plain question', () => {
  const none = { shownSteps: [], order: [], masked: [0, 1] };
  expect(completePrompt('How many?', none)).toBe(plainPrompt('How many?'));
  expect(reconstructPrompt('How many?', none)).toBe(plainPrompt('How many?'));
});
