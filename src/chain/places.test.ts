import { expect, test } from 'vitest';
import { placeSteps } from './places';
import { splitChain } from './split';

const found = (text: string) =>
  placeSteps(text, splitChain(text).steps).map((place) => place && text.slice(place.start, place.end));

test('steps are found where they stand, equal ones one after the other', () => {
  const text = 'Thinking: x\nStep 1: 1 + 1 = 2\n\nStep 2: 1 + 1 = 2\nStep 3: done.\nAnswer: 2';
  const places = placeSteps(text, splitChain(text).steps);
  expect(places.map((place) => place!.start)).toEqual([20, 39, 57]);
  expect(found(text)).toEqual(['1 + 1 = 2', '1 + 1 = 2', 'done.']);
});

test('joined sentences are found over a line end, and what is not there is null', () => {
  expect(placeSteps('He buys 3 pens.\nThe pens cost 2 each.', ['He buys 3 pens. The pens cost 2 each.', 'no'])).toEqual(
    [{ start: 0, end: 37 }, null],
  );
});
