/**
 * A float32 number as the shortest decimal that rounds to it: 0.4 is stored as 0.4000000059604645, which would not
 * equal an answer of 0.4. Other values are unchanged.
 */
export function shortest(value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isFinite(value)) return value;
  const digits = [6, 7, 8].map((count) => Number(value.toPrecision(count)));
  return digits.find((number) => Math.fround(number) === value) ?? Number(value.toPrecision(9));
}
