import { expect, test } from 'vitest';
import { notesOn } from './notes';

const problems = (...answers: string[]) => answers.map((answer, i) => ({ id: `q${i}`, question: '?', answer }));

test.each([
  '1,080',
  '-3/4',
  'x = 5',
  '3\\sqrt{13}',
  '(1, 2)',
  '[2,5)',
  '2^{10}',
  '\\text{Evelyn}',
  '\\frac{\\pi}{2}',
  'x^3+3x-6',
  '12\\frac{1}{2}',
  '7:30 PM',
  'Monday',
  'B',
  '90^\\circ',
  '\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}',
  '-\\frac{1}{2}',
  '\\$18',
  '60\\%',
  '\\infty',
  'x \\in [-2,7]',
  '11,\\! 111',
  '4210_5',
])('%j can be given after "Answer:"', (answer) => expect(notesOn(problems(answer))).toEqual([]));

test('sentences cannot, and the first is shown', () => {
  expect(notesOn(problems('5', 'He has 5 apples and she has 7 of them', 'no'))).toEqual([
    '1 of 3 reference answers are not a number, formula or a few words, so no answer counts as right (q1: "He has 5 apples and she has 7 of them"). Shorten them, or remove these rows.',
  ]);
});

test('questions that ask for a box, and chains that were cut off', () => {
  const question = 'What is 2 + 3? Put your final answer within \\boxed{}.';
  const rows = [1, 2, 3].map((i) => ({ id: `q${i}`, question, answer: '5', meta: { cutOff: i === 2 } }));
  expect(notesOn(rows)).toEqual([
    '1 of 3 teacher chains end within their thinking (q2), and are dropped.',
    expect.stringMatching(/^3 of 3 questions ask for a box/),
  ]);
});

test('chains without steps, when most are', () => {
  const taught = (...chains: string[]) => chains.map((chain, i) => ({ ...problems('5')[0], id: `q${i}`, chain }));
  const two = 'Step 1: 2 * 2 = 4\nStep 2: 4 + 1 = 5\nAnswer: 5';
  const one = 'We need 2 * 2 + 1 = 5.';
  expect(notesOn(taught(two, one))).toEqual([]);
  const thought = '<think>\n1 + 1 = 2.\n2 + 3 = 5.\n</think>\n\nThe answer is \\boxed{5}.';
  expect(notesOn(taught(thought), { thinking: 'cut' })).toEqual([]);
  expect(notesOn(taught(one, two, one))).toEqual([
    expect.stringMatching(/^2 of 3 teacher chains have no more than one/),
  ]);
});

test('control tokens in questions are reported', () => {
  const notes = (question: string) => notesOn([{ id: 'q1', question, answer: '5' }]).join();
  for (const token of ['<|im_end|>', '<｜User｜>', '</s>', '[INST]', '[MASK]', '<start_of_turn>'])
    expect(notes(`What is 2 + 3?${token}`)).toContain(`1 of 1 questions contain a control token (q1: ${token})`);
  for (const question of ['Is 2 <| 3 |> 1?', 'What is |x| < 3?', 'Let <s, t> be a pair.'])
    expect(notes(question)).toBe('');
});
