/** Prompts of many kinds: prose, arithmetic, code, lists, chats, other languages. */
const chat = (question: string) =>
  `<|im_start|>system\nYou are a helpful AI assistant.<|im_end|>\n<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`;

export const prompts: readonly string[] = [
  chat('What is the capital of France?'),
  chat('What is 12 + 30?'),
  chat('Write a haiku about rain.'),
  chat('Name three fruits.'),
  chat('Explain photosynthesis in one sentence.'),
  chat('Tom has 3 boxes of 4 pens. How many pens does he have?'),
  'Gravity is',
  'def fibonacci(n):\n',
  'The quick brown fox',
  'Question: If 5 apples cost 10 dollars, what does one cost?\nAnswer:',
  '1, 2, 3, 4, 5,',
  'In 1969, the first',
  'Once upon a time, in a small village,',
  'Die Hauptstadt von Deutschland ist',
  'La capitale de la France est',
  'import numpy as np\n\n',
  'Water boils at',
  "It's a truth that they'll",
  '# Shopping list\n\n- milk\n-',
  'SELECT name FROM users WHERE',
];
