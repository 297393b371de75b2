import { expect, test } from 'vitest';
import { Collector, ProblemList } from './problems';
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
