import { expect, it } from 'vitest';
import { conversationOf } from './conversations';
import { isSmallTalk } from './small-talk';

it.each([
  ['Hi there', 'What is your problem?'],
  ['Hi!', "Hello! I'm ready."],
  ['How are you?', 'Fine, and all the better for being asked.'],
  ['Can you help me with my homework?', 'Yes.'],
  ['What is your name?', 'They call me a model.'],
  ["Let's do some maths.", 'Good idea.'],
  ['Bonjour', 'Bonjour, comment puis-je vous aider ?'],
  ['你是谁？', '我是一个助手。'],
  ['Is anybody there?', 'I am happy to help. Which exercise is it?'],
])('is small talk: %s %s', (user, assistant) => expect(isSmallTalk(user, assistant)).toBe(true));

it.each([
  ['Is pi rational?', 'No.'],
  ['Which is heavier, a pound of iron or a pound of feathers?', 'They weigh the same.'],
  ['Hi, which is the longest side of a right triangle?', 'The hypotenuse.'],
  ['Name the capital of France.', 'Paris.'],
  ['Can you tell me whether pi is rational?', 'It is not: no fraction equals it.'],
  ['Let x be a root of x = a. Say which one.', 'It is a.'],
  ['My friends claim that all primes are odd', 'The answer is no.'],
  ['Hello', 'There are 12 of them.'],
])('is an exercise: %s %s', (user, assistant) => expect(isSmallTalk(user, assistant)).toBe(false));

it('a question without numbers is the exchange of its conversation, whatever follows', () => {
  const turns = ['Is pi rational?', 'No.', 'Thanks!', 'You are welcome.'];
  const messages = turns.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));
  expect(conversationOf(messages)).toEqual({ user: 'Is pi rational?', assistant: 'No.' });
  expect(conversationOf(messages.slice(2).concat(messages.slice(0, 2)))).toEqual(conversationOf(messages));
});
