const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Fields that are no part of what a reply says. */
const labels = /^(?:role|type|id|index|name|signature|format)$/;

/** Whether a delta holds any text or number, in whatever form. */
export const saysSomething = (value: unknown, depth = 0): boolean =>
  isObject(value)
    ? depth < 6 && Object.entries(value).some(([key, field]) => !labels.test(key) && saysSomething(field, depth + 1))
    : typeof value === 'number' || (typeof value === 'string' && value !== '');
