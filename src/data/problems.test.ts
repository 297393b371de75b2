import { expect, test } from 'vitest';
import { Collector, ProblemList, plainQuestion, questionKey } from './problems';
import type { Problem } from './types';

test('problems that are not kept in memory behave like an array', () => {
  const collector = new Collector();
  const array = ['long', 'a', 'b', 'c', 'd'].map(
    (id): Problem => ({ id, question: `${id}?`, answer: '1', chain: (id === 'long' ? 'x' : '').repeat(33 << 20) }),
  );
  for (const problem of array) collector.add(problem);
  const list = collector.problems();
  expect(list).toBeInstanceOf(ProblemList);
  const seen = (problems: typeof list) => {
    const ids = (some: Iterable<Problem>) => Array.from(some, ({ id }) => id);
    return {
      ids: ids(problems),
      length: problems.length,
      at: [-5, -1, 0, 3, 4].map((index) => problems.at(index)?.id),
      map: problems.map(({ id }, index) => id + index),
      flatMap: problems.flatMap(({ id }, index) => (index % 2 === 0 ? [id, id] : id)),
      filter: ids(problems.filter(({ id }, index) => id > 'b' && index < 3)),
      slices: [[], [1], [1, 3], [-2], [0, -1], [3, 1], [0, 9]].map((range) => ids(problems.slice(...range))),
    };
  };
  expect(seen(list.slice(1))).toEqual(seen(array.slice(1)));
  expect(seen(list.slice(1).slice(1))).toEqual(seen(array.slice(2)));
});

test.each([
  'Tom has 1,080 pens, 3.5 kg of salt; is 3 < 4? (Yes.)  ',
  '\n\t"A-1": 2^3 * .5 = 4., 5,',
  'Ｗhat is 3² + ½?', // the hash of what these mean in ASCII
  'Что такое\u00a0π?',
  '',
])('the key of %j is that of its plain form', (question) => {
  expect(questionKey(question)).toBe(questionKey(plainQuestion(question)));
  expect(questionKey(question)).not.toBe(questionKey(`${question} 7`));
});
