import { expect } from 'vitest';

type ErrorClass<E> = new (...args: never[]) => E;

/** The error that `action` rejects with; the test fails if there is none, or one of another class. */
export async function rejection<E>(Kind: ErrorClass<E>, action: Promise<unknown>): Promise<E> {
  const error = await action.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  );
  expect(error).toBeInstanceOf(Kind);
  return error;
}

/** The error that `action` throws; the test fails if there is none, or one of another class. */
export function thrown<E>(Kind: ErrorClass<E>, action: () => unknown): E {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(Kind);
    return error as E;
  }
  return expect.fail('it did not fail');
}
