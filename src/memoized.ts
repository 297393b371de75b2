/**
 * Caches a pure function of a text. It keeps results for up to `most` characters of texts, and then starts over.
 * Results must not be changed.
 */
export function memoized<T>(make: (text: string) => T, most: number): (text: string) => T {
  const known = new Map<string, T>();
  let size = 0;
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (text.length > most) return made;
    if (size + text.length > most) {
      known.clear();
      size = 0;
    }
    known.set(text, made);
    size += text.length;
    return made;
  };
}
