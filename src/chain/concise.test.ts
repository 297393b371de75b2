import { describe, expect, it } from 'vitest';
import { conciseChain } from './concise';
import { renderChain } from './prompts';
import { splitChain } from './split';

const cut = (text: string) => renderChain(conciseChain(splitChain(text)));

describe('a chain cut to the sentences that compute', () => {
  it('keeps equations, renumbers the steps, and drops thinking, talk and checks', () => {
    const chain = [
      'Thinking: We know that Ann starts with 12 pens.',
      'Step 1: First, Ann has 12 pens.',
      'Step 2: Then she buys 3 boxes of 4. Let us compute 3 * 4. 3 * 4 = 12. Check: 12 / 4 = 3, which is right. That is 12 pens.',
      'Step 3: So we add 12 and 12. 12 + 12 = 24. Now Ann has 24 pens.',
      'Step 4: After all changes, Ann has 24 pens.',
      'Answer: 24',
    ];
    expect(cut(chain.join('\n'))).toBe('Step 1: 3 * 4 = 12.\nStep 2: 12 + 12 = 24.\nAnswer: 24');
  });

  it('keeps LaTeX whole, and equations with words around them', () => {
    const chain =
      'Step 1: The cost is \\[ 3 \\times 2.50 = 7.50 \\] dollars. That is a lot.\nStep 2: Half of it ≈ 3.8.\nAnswer: 3.8';
    expect(cut(chain)).toBe(
      'Step 1: The cost is \\[ 3 \\times 2.50 = 7.50 \\] dollars.\nStep 2: Half of it ≈ 3.8.\nAnswer: 3.8',
    );
  });

  it.each([
    'Check: 8 - 3 = 5.',
    'To check, 8 - 3 = 5.',
    "Let's double-check: 8 - 3 = 5.",
    'We can verify that 8 - 3 = 5.',
    '**Verification:** 8 - 3 = 5.',
  ])('takes "%s" for a check', (check) => {
    expect(cut(`Step 1: 5 + 3 = 8. ${check}\nAnswer: 8`)).toBe('Step 1: 5 + 3 = 8.\nAnswer: 8');
  });

  it.each([
    'Thinking: By counting.\nStep 1: Monday, Tuesday, Wednesday.\nStep 2: These are three days.\nAnswer: 3',
    'Answer: 3',
  ])('leaves a chain whole that computes nothing', (chain) => {
    expect(cut(chain)).toBe(chain);
  });
});
