/** A row in the form of BRIDGE's file of wrong answers. */
export const bridgeRow = (idx: number, response: string, token_count: number) => ({
  idx,
  question: 'Six boxes hold 4 pens each. Ann takes 5 pens. How many are left?',
  gold_answer: '19',
  predicted_answer: null,
  is_correct: false,
  token_count,
  response,
  teacher_cot: 'Thinking…\nSix boxes of 4.\n\nStep 1: 6 * 4 = 24 pens.\n\nStep 2: 24 - 5 = 19 pens.\n\nAnswer: 19',
});
