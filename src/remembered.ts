/**
 * A pure function of a text that keeps what it made, as many readers ask for the same. It keeps results for `most`
 * characters of texts in all, and then begins anew. Nobody may change a result.
 */
export function remembered<T>(make: (text: string) => T, most: number): (text: string) => T {
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
