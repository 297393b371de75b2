/** Waiting in tests of the editor. */
export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Repeats `look` until it returns a value other than `undefined` and `false`; throws after `ms` milliseconds. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 60_000,
): Promise<T> {
  for (const end = Date.now() + ms; ; await pause(50)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
  }
}
