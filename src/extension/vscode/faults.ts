/**
 * Errors that leave the extension. VS Code shows their messages in notifications, where `[text](command:...)` is a
 * link.
 */
import { inert } from '../../foreign-text';

/** Wraps the functions of an object so that their errors are safe to show. */
export function withSafeErrors<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key);
      return typeof value === 'function' ? safely(value.bind(object)) : value;
    },
  });
}

/** Wraps a function so that its errors are safe to show. */
export function safely<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      const result = call(...args);
      return result instanceof Promise ? (result.catch(raise) as R) : result;
    } catch (error) {
      return raise(error);
    }
  };
}

/** Changes the error in place, as VS Code checks its class. */
function raise(error: unknown): never {
  if (!(error instanceof Error)) throw new Error(inert(String(error)));
  error.message = inert(error.message);
  error.stack = error.stack && inert(error.stack);
  throw error;
}
