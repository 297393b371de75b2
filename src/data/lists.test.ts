import { expect, it } from 'vitest';
import { listIn } from './lists';

it('reads lists as JSON, as Python and as NumPy write them', () => {
  expect(listIn('["a", 1]')).toEqual(['a', 1]);
  expect(listIn(String.raw`['a\n\'b\'', "it's", True, None, -1.5e3]`)).toEqual(["a\n'b'", "it's", true, null, -1500]);
  expect(listIn("['one' 'two'\n 'three']")).toEqual(['one', 'two', 'three']);
  expect(listIn('[]')).toEqual([]);
  for (const text of ["['open]", String.raw`['open\']`, "['a''b']", '[x]', 'text']) expect(listIn(text)).toBeNull();
});

it('reads a text of millions of escapes, as long as a line may be', () => {
  expect(listIn(`['${String.raw`\'`.repeat(8_000_000)}', 2]`)).toEqual(["'".repeat(8_000_000), 2]);
});
