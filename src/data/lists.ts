/** Lists in the cells of datasets, also where CSV and databases hold them as text. */

/** A list, also as text in JSON's, Python's or NumPy's notation; null for anything else. */
export function listIn(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string' || !/^\s*\[.*\]\s*$/s.test(value)) return null;
  try {
    return JSON.parse(value) as unknown[];
  } catch {
    return pythonList(value.trim().slice(1, -1).trim());
  }
}

/** A word or number with its separator: a comma, or in NumPy's notation a space. */
const plain = /(?:(True|False|None)|(-?\d+(?:\.\d*)?(?:e[+-]?\d+)?))(?:\s*,\s*|\s+|$)/sy;
const separator = /\s*,\s*|\s+|$/y;
const words: Record<string, unknown> = { True: true, False: false, None: null };

function pythonList(text: string): unknown[] | null {
  const items: unknown[] = [];
  for (let at = 0; at < text.length; ) {
    const quoted = text[at] === "'" || text[at] === '"';
    const end = quoted ? textEnd(text, at) : at;
    const rest = quoted ? separator : plain;
    rest.lastIndex = end;
    const found = end < 0 ? null : rest.exec(text);
    if (!found) return null;
    const [, word, number] = found;
    if (quoted) items.push(unescaped(text.slice(at + 1, end - 1)));
    else items.push(word === undefined ? Number(number) : words[word]);
    at = rest.lastIndex;
  }
  return items;
}

/**
 * The end of the quoted text that begins at `start`, or -1. In a loop: a regular expression for the whole text runs out
 * of stack on millions of escapes.
 */
function textEnd(text: string, start: number): number {
  const stop = text[start] === '"' ? /["\\]/g : /['\\]/g;
  stop.lastIndex = start + 1;
  for (let found = stop.exec(text); found; found = stop.exec(text)) {
    if (found[0] !== '\\') return stop.lastIndex;
    stop.lastIndex++; // behind the escaped character
  }
  return -1;
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\n': '' };

const unescaped = (text: string) =>
  text.replace(/\\(?:x([\da-f]{2})|u([\da-f]{4})|(.))/gis, (_, byte?: string, unit?: string, sign?: string) => {
    const code = byte ?? unit;
    return code === undefined ? (escapes[sign!] ?? sign!) : String.fromCharCode(Number.parseInt(code, 16));
  });
