import { expect, it } from 'vitest';
import { withPrompts } from '../../student-files/prompting';
import { tinyTokenizer } from '../../student-files/testing/tiny';
import { makeTokenizer } from '../../student-files/tokenizer';
import { chainTokens, closingTag, textTokens } from './completions';

/** A student that chats; its template begins an answer with `opening`. */
function student(opening: string) {
  const { json, config } = tinyTokenizer();
  const template = `{% for message in messages %}{{ message.role }}: {{ message.content }}<|endoftext|>{% endfor %}{% if add_generation_prompt %}assistant: ${opening}{% endif %}`;
  return withPrompts(makeTokenizer(json, { ...config, chat_template: template }), { prompt: 'chat' });
}
const thinking = student('<think>\\n');
const written = (ids: readonly number[]) => thinking.tokenTexts(ids).join('');
const chain = { thinking: 'Six sevens.', steps: ['6 * 7 = 42'], answer: '42' };

it('closes the thinking that the prompt opens', () => {
  expect(closingTag(thinking)).toBe('</think>');
  expect(written(chainTokens(thinking, chain))).toBe(
    'Six sevens.\n</think>\n\nStep 1: 6 * 7 = 42\nAnswer: 42<|endoftext|>',
  );
  expect(written(chainTokens(thinking, { ...chain, thinking: '' }))).toMatch(/^\n<\/think>\n\nStep 1/);
  expect(written(textTokens(thinking, 'Answer: 42'))).toBe('\n</think>\n\nAnswer: 42<|endoftext|>');
  expect(written(textTokens(thinking, 'Hm.\n</think>\nAnswer: 42'))).toBe('Hm.\n</think>\nAnswer: 42<|endoftext|>');
});

it('adds nothing for a student whose prompt opens none, or closes it itself', () => {
  for (const one of [student(''), student('<think>\\n\\n</think>\\n\\n')]) {
    expect(closingTag(one)).toBeNull();
    expect(written(chainTokens(one, chain))).toBe('Thinking: Six sevens.\nStep 1: 6 * 7 = 42\nAnswer: 42<|endoftext|>');
    expect(written(textTokens(one, 'Answer: 42'))).toBe('Answer: 42<|endoftext|>');
  }
});
