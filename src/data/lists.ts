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

/** An item with its separator: a comma, or in NumPy's notation a space. */
const item =
  /(?:'([^'\\]*(?:\\.[^'\\]*)*)'|"([^"\\]*(?:\\.[^"\\]*)*)"|(True|False|None)|(-?\d+(?:\.\d*)?(?:e[+-]?\d+)?))(?:\s*,\s*|\s+|$)/sy;
const words: Record<string, unknown> = { True: true, False: false, None: null };

function pythonList(text: string): unknown[] | null {
  const items: unknown[] = [];
  for (let at = 0; at < text.length; at = item.lastIndex) {
    item.lastIndex = at;
    const found = item.exec(text);
    if (!found) return null;
    const [, single, double, word, number] = found;
    const said = single ?? double;
    if (said !== undefined) items.push(unescaped(said));
    else items.push(word === undefined ? Number(number) : words[word]);
  }
  return items;
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\n': '' };

const unescaped = (text: string) =>
  text.replace(/\\(?:x([\da-f]{2})|u([\da-f]{4})|(.))/gis, (_, byte?: string, unit?: string, sign?: string) => {
    const code = byte ?? unit;
    return code === undefined ? (escapes[sign!] ?? sign!) : String.fromCharCode(Number.parseInt(code, 16));
  });
