export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Looks again and again until there is what is looked for. */
export async function until(what: string, look: () => boolean, ms = 30_000): Promise<void> {
  for (const end = Date.now() + ms; !look(); await pause(50))
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
}
