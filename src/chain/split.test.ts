import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderChain } from './prompts';
import { placeChain, splitChain, stripCalculatorMarks } from './split';

describe('step marks', () => {
  test('our own form', () => {
    expect(splitChain('Thinking: We add.\nThen halve.\nStep 1: 2 + 4 = 6\nStep 2: 6 / 2 = 3\nAnswer: 3')).toEqual({
      thinking: 'We add.\nThen halve.',
      steps: ['2 + 4 = 6', '6 / 2 = 3'],
      answer: '3',
    });
  });

  test("the teacher's form: a thinking block, LaTeX, the answer on the last step's own line", () => {
    const text =
      'Thinking…\nFirst, the total.\n\nAnswer**\nShe has \\boxed{4}.\n\nStep 1: Total: \\[ 3 \\times 4 = 12 \\]\nStep 2: Price: \\[ \\frac{\\$12}{3} = \\$4 \\] Answer: 4';
    expect(splitChain(text)).toEqual({
      thinking: 'First, the total.\n\nAnswer**\nShe has \\boxed{4}.',
      steps: ['Total: \\[ 3 \\times 4 = 12 \\]', 'Price: \\[ \\frac{\\$12}{3} = \\$4 \\]'],
      answer: '4',
    });
  });

  test('text after the answer: all steps, the last answer', () => {
    const chain = splitChain('Step 1: Add.\n2 + 2 = 4\n\nFinal Answer: 4\n\nStep 1: Again.\nStep 2: Final Answer: 5');
    expect(chain).toEqual({ thinking: '', steps: ['Add.\n2 + 2 = 4', 'Again.'], answer: '5' });
  });

  test('a truncated chain has no answer and keeps its last step', () => {
    expect(splitChain('Step 1: 2 + 2 = 4\nStep 2: so the to')).toEqual({
      thinking: '',
      steps: ['2 + 2 = 4', 'so the to'],
      answer: '',
    });
    expect(splitChain('Step 1: 2 + 2 = 4\nAnswer:').answer).toBe('');
  });

  test.each([
    ['**Step 1:** a\n**Step 2:** b\n**Answer:** 7', ['a', 'b'], '7'],
    ['### Step 1: a\n### Step 2: b\nAnswer: \\boxed{7}', ['a', 'b'], '7'],
    ['Step 1: a\n\n---\n\nStep 2: b\n\n---\n\n**Final Answer**: 7', ['a', 'b'], '7'],
    ['Step 1: a\nStep 2: b\n\n**Answer**: 7 pens', ['a', 'b'], '7 pens'],
    ['Thinking... go. Step 1: a. Step 2: b, as in Step 1. Answer: 7', ['a.', 'b, as in Step 1.'], '7'],
    ['Step 1: a\nStep 2: my Answer: 3 was wrong\nStep 3: b\nAnswer: 7', ['a', 'my Answer: 3 was wrong', 'b'], '7'],
    ['<think>Hmm. Step 1: no</think>\nStep 1: a\nStep 2: b\nAnswer: 7', ['a', 'b'], '7'],
  ])('%j', (text, steps, answer) => expect(splitChain(text)).toMatchObject({ steps, answer }));

  test.each([
    ['**Final Answer**\n\\boxed{10}', '10'],
    ['### Final Answer\n\n\\[\n\\boxed{\\frac{1}{2}}\n\\]', '\\frac{1}{2}'],
    ['**Final Answer**:\nShe has 10 apples in all: $\\boxed{10}$.', '10'],
    ['\\[ \\boxed{10} \\]', '10'],
    ['$$\\boxed{10}$$', '10'],
    ['#### 1,080', '1,080'],
    ['The final answer is 10.', '10'],
    ['So, the answer is $\\boxed{10}$.', '10'],
    ['**Therefore, the answer is 10 apples.**', '10 apples'],
  ])('no "Answer:", but the text closes with %j', (closing, answer) => {
    const steps = ['3 * 3 = 9', '9 + 1 = 10'];
    expect(splitChain(`Step 1: 3 * 3 = 9\nStep 2: 9 + 1 = 10\n\n${closing}\n`)).toEqual({
      thinking: '',
      steps,
      answer,
    });
  });

  test.each([
    'Step 1: a\nStep 2: The answer is 10 because nine of them and one more are ten, as we saw above',
    'Step 1: a\n**Final Answer** is what we look for.\nStep 2: b',
  ])('%j has no closing of its own: nothing of the steps is lost', (text) => {
    expect(splitChain(text)).toMatchObject({ steps: text.split(/\n?Step \d: /).slice(1), answer: '' });
  });

  test('a think block that is never closed is all thinking', () => {
    expect(splitChain('<think>Hmm, 2 + 2')).toEqual({ thinking: 'Hmm, 2 + 2', steps: [], answer: '' });
  });
});

describe('texts without step marks', () => {
  test('a paragraph ends a step', () => {
    const text = (gap: string) =>
      `The 2 boxes hold 3 pens each, so 2 * 3 = 6 pens.${gap}Then 1 of the pens goes: 6 - 1 = 5 pens.`;
    expect(splitChain(text(' ')).steps).toHaveLength(1);
    expect(splitChain(text('\n\n')).steps).toHaveLength(2);
  });

  test("GSM8K's solutions: a line a step, marks kept or stripped", () => {
    const solution =
      'Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nNatalia sold 48+24 = <<48+24=72>>72 clips.\n#### 1,072';
    expect(splitChain(solution)).toEqual({
      thinking: '',
      steps: ['Natalia sold 48/2 = <<48/2=24>>24 clips in May.', 'Natalia sold 48+24 = <<48+24=72>>72 clips.'],
      answer: '1,072',
    });
    expect(stripCalculatorMarks(solution)).toBe(
      'Natalia sold 48/2 = 24 clips in May.\nNatalia sold 48+24 = 72 clips.\n#### 1,072',
    );
  });

  test('a numbered list, without its bold titles', () => {
    const text = 'We solve it.\n1. **Add up:** 3 + 4 = 7\n2. **Halve**\n3. In 2. place nothing\n\nFinal Answer: 3.5';
    expect(splitChain(text)).toEqual({
      thinking: 'We solve it.',
      steps: ['3 + 4 = 7', '**Halve**', 'In 2. place nothing'],
      answer: '3.5',
    });
  });

  test('a box within the last step is the answer, and the step stays whole', () => {
    expect(splitChain('Step 1: a\nStep 2: so the total is \\boxed{\\frac{1}{2}} m')).toEqual({
      thinking: '',
      steps: ['a', 'so the total is \\boxed{\\frac{1}{2}} m'],
      answer: '\\frac{1}{2}',
    });
  });

  test.each([
    '**Step 1**: 6 * 4 = 24\n\n**Step 2**: 24 - 5 = 19\n\nAnswer: 19',
    'Step 1 - 6 * 4 = 24\nStep 2 – 24 - 5 = 19\nAnswer: 19',
    'Schritt 1: 6 * 4 = 24\nSchritt 2: 24 - 5 = 19\nAnswer: 19',
    '步骤1：6 * 4 = 24\n步骤2：24 - 5 = 19\nAnswer: 19',
  ])('marks of other kinds: %j', (text) => {
    expect(splitChain(text)).toEqual({ thinking: '', steps: ['6 * 4 = 24', '24 - 5 = 19'], answer: '19' });
  });

  test.each([
    ['<|begin_of_thought|>\nHm.\n<|end_of_thought|>\n', 'Hm.'],
    ['[THINK]Hm.[/THINK]', 'Hm.'],
    ['Hm.\n</think>\n', 'Hm.'],
    ['<think>\nA\n</think>\nSay.\n<think>\nHm.\n</think>\n', 'A\n</think>\nSay.\n<think>\nHm.'],
  ])('thinking in whatever tags: %j', (before, thinking) => {
    expect(splitChain(`${before}Step 1: 6 * 4 = 24\nAnswer: 24`)).toEqual({
      thinking,
      steps: ['6 * 4 = 24'],
      answer: '24',
    });
  });

  test('prose keeps the sentence that names the unknown, and the one that computes the answer', () => {
    const [first, second, third] = [
      'Let $x$ be the price of a ticket.',
      'Then $4x + 6 = 50$, so $4x = 44$ and $x = 11$.',
      'Two tickets therefore cost $2 \\cdot 11 = \\boxed{22}$ dollars.',
    ];
    const { steps, answer } = splitChain(`${first} ${second} ${third}`);
    expect([steps, answer]).toEqual([[`${first} ${second}`, third], '22']);
    expect(splitChain(`${first} ${second}\n\nSo \\boxed{22}.`)).toMatchObject({ steps: [`${first} ${second}`] });
  });

  test('no sentence is lost but a last one that only names the answer', () => {
    const sentences = fc.constantFrom(
      'Okay, now.',
      'Let $y$ be it.',
      'She sold 48 / 2 = 24 of them.',
      'The farmer from the village by the river has a lot of apples and pears.',
      'So we have \\boxed{7} of them as the two of us said before that day.',
      'Well.\n\n',
    );
    fc.assert(
      fc.property(fc.array(sentences, { minLength: 1, maxLength: 9 }), (parts) => {
        const text = parts.join(' ');
        const squeezed = (value: string) => value.replace(/\s+/g, '');
        expect(squeezed(splitChain(text).steps.join(''))).toBe(squeezed(text));
      }),
    );
  });

  test('lines that compute are steps, though short neighbours on one subject', () => {
    const first = 'Natalia sold 48/2 = 24 clips in May.';
    const second = 'Natalia sold 48+24 = 72 clips in April and May.';
    expect(splitChain(`${first}\n${second}\nThe answer is 72.`)).toMatchObject({
      steps: [first, second],
      answer: '72',
    });
    expect(splitChain(`${first} ${second}\nThe answer is 72.`).steps).toEqual([`${first} ${second}`]);
    expect(splitChain('He buys 3.\nThen 3*4=12.\nThen 12+2=14 in all.\n\nAnswer: 14').steps).toEqual([
      'He buys 3.\nThen 3*4=12.',
      'Then 12+2=14 in all.',
    ]);
  });

  test('sentences: the answer is named in none, short ones and neighbours on one subject join, LaTeX stays whole', () => {
    const text =
      "Okay, let's see. Mr. Smith has 3.5 kg of apples in a basket. The basket of apples is sold for \\( x = 2. Then y = 3 \\) dollars. Each of his five daughters receives the same share of whatever money was left over. The final answer is 5.\nAnswer: 5";
    expect(splitChain(text)).toEqual({
      thinking: '',
      steps: [
        "Okay, let's see. Mr. Smith has 3.5 kg of apples in a basket. The basket of apples is sold for \\( x = 2. Then y = 3 \\) dollars.",
        'Each of his five daughters receives the same share of whatever money was left over.',
      ],
      answer: '5',
    });
  });

  test('short sentences with an equation stay', () => {
    expect(splitChain('48 / 2 = 24. 48 + 24 = 72. Answer: 72').steps).toEqual(['48 / 2 = 24. 48 + 24 = 72.']);
  });

  test('short sentences alone are one step', () => {
    expect(splitChain('Hello there. Good day.').steps).toEqual(['Hello there. Good day.']);
    expect(splitChain('')).toEqual({ thinking: '', steps: [], answer: '' });
  });
});

const words = fc.constantFrom(
  'apples',
  'Now',
  'Mr.',
  'is',
  '12',
  'x',
  '=',
  '3.5',
  '$5',
  '\\( a. B \\)',
  '\\[ \\frac{1}{2} \\]',
  'So.',
  '**bold**',
  '1,000',
  '\n',
  '\n\n',
  '- item',
);
const part = fc.array(words, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(' ').trim());
const text = part.filter((value) => value !== '');
const chain = fc.record({
  thinking: fc.oneof(fc.constant(''), text),
  steps: fc.array(text, { maxLength: 6 }),
  answer: fc.constantFrom('', '42', '-3', '1,080', '3/4', 'blue whale'),
});

test('a rendered chain is split into itself', () => {
  fc.assert(
    fc.property(chain, (original) => {
      expect(splitChain(renderChain(original))).toEqual(original);
    }),
    { numRuns: 300 },
  );
});

test('a chain in our form keeps its steps, whatever is written in them that is not a mark at a line start', () => {
  const loose = fc.constantFrom('see Step 1: above', 'the Answer: 3', '#### 5', 'Step', 'Final', '4.', 'Thinking: so');
  const steps = fc.array(
    fc.array(loose, { minLength: 1, maxLength: 4 }).map((parts) => `then ${parts.join(' ')}`),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(steps, (original) => {
      expect(splitChain(renderChain({ thinking: 'a', steps: original, answer: '42' })).steps).toEqual(original);
    }),
  );
});

test('no text makes it throw', () => {
  const pieces = fc.constantFrom(
    'Step 1:',
    'Answer:',
    'Final',
    '####',
    ' 5',
    '\n',
    '1. ',
    '2. ',
    '<think>',
    '</think>',
    'Thinking…',
    '\\(',
    '\\)',
    '$',
    '$$',
    '.',
    ' A',
    ' b',
    '**',
    '\\boxed{',
    '}',
    '\r\n',
    '<answer>',
    '</answer>',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((parts) => parts.join('')),
      ),
      (input) => {
        const placed = placeChain(input);
        const { thinking, steps, answer } = placed.chain;
        for (const piece of [thinking, ...steps, answer]) expect(piece).toBe(piece.trim());
        expect(steps).not.toContain('');
        // A step that extends into an answer tag gets "Answer:" on its own line instead of the tag.
        const words = (text: string) => text.replace(/<answer>|Answer:|\s/g, '');
        expect(placed.steps.map(({ start, end }) => words(input.slice(start, end)))).toEqual(steps.map(words));
        expect(placed.steps.every(({ mark, start }) => mark <= start)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

test('answer tags hold the answer, or the whole solution', () => {
  const steps = ['Each of 6 bags holds 7 pears, so 6 * 7 = 42 pears.'];
  const chain = { thinking: 'Hm.', steps, answer: '42' };
  expect(splitChain(`<think>\nHm.\n</think>\n${steps[0]}\n<answer>42</answer>`)).toEqual(chain);
  expect(splitChain(`<think>Hm.</think> <answer>${steps[0]}\nAnswer: 42</answer>`)).toEqual(chain);
  expect(splitChain(`<think>Hm.</think><answer> Answer: 42 </answer>`)).toEqual({ ...chain, steps: [] });
  expect(splitChain('<answer></answer>').answer).toBe('');
  expect(splitChain('In HTML <answer> is no tag, 1 + 1 = 2.').steps).toHaveLength(1);
});

test.each([
  ['Schritt 1: 3 * 4 = 12\nSchritt 2: 12 + 1 = 13\nAntwort: 13', ['3 * 4 = 12', '12 + 1 = 13'], '13'],
  ['Étape 1 : 3 * 4 = 12\nÉtape 2 : 12 + 1 = 13\n**Réponse finale :** 13', ['3 * 4 = 12', '12 + 1 = 13'], '13'],
  ['步骤1：3 * 4 = 12\n步骤2：12 + 1 = 13\n答案：13', ['3 * 4 = 12', '12 + 1 = 13'], '13'],
  ['a) 3 + 4 = 7\nb) 7 * 2 = 14\nc) 14 - 1 = 13\n\nAnswer: 13', ['3 + 4 = 7', '7 * 2 = 14', '14 - 1 = 13'], '13'],
  ['(1) 3 + 4 = 7\n(2) 7 * 2 = 14\nAnswer: 14', ['3 + 4 = 7', '7 * 2 = 14'], '14'],
  [
    'We solve for x here.\n\\begin{align*}\nx &= 3 + 4 \\\\\n&= 7\n\\end{align*}\nThus $x=\\boxed{7}$',
    ['We solve for x here.\n\\begin{align*}\nx &= 3 + 4 \\\\\n&= 7\n\\end{align*}\nThus $x=\\boxed{7}$'],
    '7',
  ],
])('marks of other languages, lettered lists, aligned equations: %j', (text, steps, answer) => {
  expect(splitChain(text)).toEqual({ thinking: '', steps, answer });
});

describe('places', () => {
  const said = (text: string) => placeChain(text).steps.map(({ start, end }) => text.slice(start, end));

  test('steps have their own positions, equal ones too', () => {
    const text = 'Thinking: x\nStep 1: 1 + 1 = 2\n\nStep 2: 1 + 1 = 2\nStep 3: done.\nAnswer: 2';
    const { steps, answer } = placeChain(text);
    expect(steps.map(({ start }) => start)).toEqual([20, 39, 57]);
    expect(said(text)).toEqual(['1 + 1 = 2', '1 + 1 = 2', 'done.']);
    expect(text.slice(steps[1].mark, steps[1].start)).toBe('Step 2: ');
    expect(text.slice(answer)).toBe('Answer: 2');
  });

  test('joined sentences cross line ends, and missing text has no position', () => {
    const { place } = placeChain('He buys 3 pens.\nThe pens cost 2 each.');
    expect([place({ step: 0 }), place({ step: 1 })]).toEqual([{ start: 0, end: 37 }, undefined]);
  });

  test('are those of the given text: after thinking, with Windows line ends, within tags', () => {
    const steps = 'Step 1: 1 + 1 = 3\r\n\r\nStep 2: so 3\r\nin all\r\n';
    for (const text of [
      `<think>a\r\nb</think>\r\n${steps}Answer: 3`,
      `<think>\r\n</think> <answer>\r\n${steps}Answer: 3</answer>`,
      `${steps}<answer> 3 </answer>`,
    ]) {
      const { chain, place, answer } = placeChain(text);
      expect(said(text)).toEqual(['1 + 1 = 3', 'so 3\r\nin all']);
      expect(chain.steps).toEqual(['1 + 1 = 3', 'so 3\nin all']);
      const { start, end } = place({ step: 1, start: 5, end: 11 })!;
      expect(text.slice(start, end)).toBe('in all');
      expect(text.slice(answer)).toMatch(/^(?:Answer: 3|<answer> 3)/);
    }
  });
});
