/**
 * JSON: one value per line, an array, or consecutive values. Rows are located by byte offset and read again from there.
 */
import { UserError } from '../../errors';
import { linesOf, parseJson } from '../../lines';
import { conversationOf } from '../conversations';
import { datasetError, type RowPlace } from '../rows';
import type { Bytes } from './bytes';
import type { RowSource, SourceRow, Spot } from './source';

export function jsonLines(bytes: Bytes): RowSource {
  const placeOf = ({ line }: Spot): RowPlace => ({ file: bytes.file, line });
  return {
    *rows(from) {
      let index = from;
      for (const { text, number: line, start, end } of linesOf(bytes.chunks(), bytes.file, { skip: from })) {
        if (text.trim() === '') continue;
        yield parsed(text, { index, line, start, end }, placeOf);
        index++;
      }
    },
    get count() {
      let count = 0;
      for (const { text } of linesOf(bytes.chunks(), bytes.file)) if (text.trim() !== '') count++;
      return count;
    },
    again: (spot) => ({ row: rowAt(bytes, spot), place: placeOf(spot) }),
  };
}

/** An array of rows, or rows that span several lines. */
export function jsonValues(bytes: Bytes): RowSource {
  const placeOf = ({ index, line }: Spot): RowPlace => ({ file: bytes.file, line, row: index + 1 });
  return {
    *rows() {
      let index = 0;
      for (const span of spansOf(bytes)) {
        const text = bytes.read(span.start, span.end).toString('utf8');
        yield parsed(text, { index, line: span.line, start: span.start, end: span.end }, placeOf);
        index++;
      }
    },
    again: (spot) => ({ row: rowAt(bytes, spot), place: placeOf(spot) }),
  };
}

interface RowSpan {
  /** Line of its first byte, from 1. */
  line: number;
  start: number;
  end: number;
}

function parsed(text: string, spot: Spot, placeOf: (spot: Spot) => RowPlace): SourceRow {
  const { index } = spot;
  const place = placeOf(spot);
  try {
    const json = withoutNan(text);
    return { row: asRow(exactly(json, parseJson(json, { ...place, code: 'dataset' }))), place, index, spot };
  } catch (error) {
    if (error instanceof UserError) return { fault: error, place, index };
    throw error;
  }
}

/** The value of a text that may begin with a byte order mark. @throws SyntaxError */
export function valueIn(text: string): unknown {
  const json = withoutNan(text.replace(/^\uFEFF/, ''));
  return exactly(json, JSON.parse(json));
}

/** Python's numbers that JSON lacks become null. */
const withoutNan = (text: string): string =>
  text.includes('NaN') || text.includes('Infinity')
    ? outsideStrings(text, /\bNaN\b|-?\bInfinity\b/, () => 'null')
    : text;

/** The value of a JSON text, with long whole numbers as texts: a number of JavaScript loses their last digits. */
const exactly = (text: string, value: unknown): unknown =>
  losesDigits(value)
    ? JSON.parse(outsideStrings(text, /(?<![\d.eE+])-?\d{16,}(?![\d.eE])/, (digits) => `"${digits}"`))
    : value;

/**
 * Replaces what `pattern` finds outside of the strings of a JSON text. A whole string in one match would need stack for
 * each of its escapes: one of some megabytes would exceed it.
 */
function outsideStrings(text: string, pattern: RegExp, replacement: (found: string) => string): string {
  let inString = false;
  return text.replace(new RegExp(`\\\\.|"|${pattern.source}`, 'gs'), (found) => {
    if (found === '"') inString = !inString;
    return inString || /^["\\]/.test(found) ? found : replacement(found);
  });
}

function losesDigits(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(losesDigits);
}

/** A conversation by itself is a row, too. */
const asRow = (value: unknown) => (Array.isArray(value) && conversationOf(value) ? { messages: value } : value);

/** Validated before; a change of the file since then is reported. */
function rowAt(bytes: Bytes, { start, end }: Spot): unknown {
  try {
    return asRow(valueIn(bytes.read(start, end).toString('utf8')));
  } catch {
    throw datasetError('the file was changed while it was in use', { file: bytes.file }, 'Begin again.');
  }
}

const [quote, backslash, newline] = [34, 92, 10];
const isOpening = (byte: number) => byte === 0x7b || byte === 0x5b;
const isClosing = (byte: number) => byte === 0x7d || byte === 0x5d;

/**
 * Locates the values: items of an array, or of a sequence. @throws UserError for unbalanced brackets or text between
 * values
 */
export function* spansOf(bytes: Bytes): Generator<RowSpan> {
  let [at, line, depth, inText, escaped, outer] = [0, 1, 0, false, false, -1];
  let open: { start: number; line: number } | null = null;
  for (const chunk of bytes.chunks()) {
    for (const byte of chunk) {
      at++;
      if (byte === newline) line++;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inText = false;
      } else if (byte === quote) {
        if (depth === outer) throw fault(bytes, line);
        inText = true;
      } else if (isOpening(byte)) {
        if (outer < 0) outer = byte === 0x5b ? 1 : 0;
        if (depth === outer) open = { start: at - 1, line };
        depth++;
      } else if (isClosing(byte)) {
        depth--;
        if (depth === outer && open) yield { ...open, end: at };
      } else if (depth === outer && byte > 32 && byte !== 0x2c) {
        throw fault(bytes, line);
      }
    }
  }
  if (depth !== 0 || inText || outer < 0) throw fault(bytes, line);
}

/** A parser's message about the whole text is more helpful. */
function fault(bytes: Bytes, line: number): UserError {
  try {
    const text = Buffer.concat([...bytes.chunks()].map((chunk) => Buffer.from(chunk))).toString('utf8');
    parseJson(text.replace(/^\uFEFF/, ''), { file: bytes.file, code: 'dataset' });
  } catch (error) {
    if (error instanceof UserError) return error;
  }
  return datasetError(
    'the array contains values other than rows',
    { file: bytes.file, line },
    'A row is an object such as {"question": ..., "answer": ...}.',
  );
}
