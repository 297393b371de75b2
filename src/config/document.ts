import { findNodeAtLocation, getNodeValue, type Node, type ParseError, ParseErrorCode, parseTree } from 'jsonc-parser';
import { firstIndex } from '../sorted';
import { changeText } from './fixes';
import type { Finding, Issue, Path } from './issue';

/** A JSONC text (comments and trailing commas allowed) with its syntax tree. */
export interface ConfigDocument {
  text: string;
  /** Offsets of line starts. */
  starts: readonly number[];
  root: Node | undefined;
  value: unknown;
  /** Syntax errors. */
  syntax: Issue[];
  /** Duplicate keys. */
  repeated: Issue[];
}

const syntaxMessages: Partial<Record<ParseErrorCode, [message: string, remedy?: string]>> = {
  [ParseErrorCode.InvalidSymbol]: [
    'This is not JSON',
    'Texts need double quotes; the literals are true, false and null.',
  ],
  [ParseErrorCode.InvalidNumberFormat]: ['This is not a number', 'Write it like 3, 0.5 or 1e-5.'],
  [ParseErrorCode.PropertyNameExpected]: [
    'A setting name is expected here',
    'Names need double quotes: "name": value.',
  ],
  [ParseErrorCode.ValueExpected]: ['A value is expected here', 'Write a number, a "text", true, false, [ ] or { }.'],
  [ParseErrorCode.ColonExpected]: ['A colon is expected here', 'Write "name": value.'],
  [ParseErrorCode.CommaExpected]: ['Expected a comma or a closing bracket before this', 'Separate settings by commas.'],
  [ParseErrorCode.CloseBraceExpected]: ['A closing } is missing'],
  [ParseErrorCode.CloseBracketExpected]: ['A closing ] is missing'],
  [ParseErrorCode.EndOfFileExpected]: [
    'There is text after the end of the JSON value',
    'Remove what follows the last }.',
  ],
  [ParseErrorCode.UnexpectedEndOfComment]: ['A comment is not closed', 'End it with */.'],
  [ParseErrorCode.UnexpectedEndOfString]: ['String is not closed', 'End it with a double quote.'],
  [ParseErrorCode.UnexpectedEndOfNumber]: ['This number is incomplete', 'Write it like 3, 0.5 or 1e-5.'],
  [ParseErrorCode.InvalidEscapeCharacter]: [
    'Unknown escape in a text',
    'Write a backslash as \\\\, or use / in paths.',
  ],
  [ParseErrorCode.InvalidUnicode]: ['Incomplete \\u escape in a text', 'Write four hexadecimal digits.'],
  [ParseErrorCode.InvalidCharacter]: ['A control character in a text', 'Write a line break as \\n, a tab as \\t.'],
};

/** After a syntax error, errors in the rest of the line and soon of the file are unreliable. */
const maxSyntaxIssues = 5;

/** Maximum number of findings: more than this means another kind of file, or one mistake repeated everywhere. */
export const maxFindings = 200;

/** A config is handwritten; a larger file is something else. */
const maxLength = 1_000_000;

/** Never throws; syntax errors are issues in `syntax`. */
export function parseDocument(text: string): ConfigDocument {
  if (text.length > maxLength) return refused('The file is larger than 1 MB.');
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof RangeError) return refused('The file is nested too deeply.'); // the parser is recursive
    throw error;
  }
}

function refused(message: string): ConfigDocument {
  const issue: Issue = {
    severity: 'error',
    path: [],
    message,
    remedy: 'Is this the right file?',
    offset: 0,
    length: 0,
    line: 1,
    column: 1,
    fixes: [],
    inSchema: false,
  };
  return { text: '', starts: [0], root: undefined, value: undefined, syntax: [issue], repeated: [] };
}

function parse(text: string): ConfigDocument {
  const errors: ParseError[] = [];
  const clean = text.replace(/^\uFEFF/, ' '); // a byte order mark is harmless
  const root = parseTree(clean, errors, { allowTrailingComma: true });
  const starts = lineStarts(clean);
  const lines = errors.map(({ offset }) => position(starts, offset).line);
  const first = errors.filter((_, i) => i === 0 || lines[i] > lines[i - 1]);
  const syntax = first.slice(0, maxSyntaxIssues).map(({ error, offset, length }): Issue => {
    const [message, remedy] =
      clean.trim() === ''
        ? ['The file is empty', 'Write an object in { }.']
        : (syntaxMessages[error] ?? ['This is not JSON']);
    const place = { path: [], offset, length, ...position(starts, offset) };
    return { severity: 'error', message: `${message}.`, remedy, ...place, fixes: [], inSchema: true };
  });
  const document = { text: clean, starts, root, value: root && getNodeValue(root), syntax, repeated: [] };
  return { ...document, repeated: root ? repeatedKeys(document, root, []).slice(0, maxFindings) : [] };
}

/** Offsets of line starts. */
const lineStarts = (text: string): number[] => [
  0,
  ...Array.from(text.matchAll(/\r\n|\r|\n/g), (end) => end.index + end[0].length),
];

/** Line and column, both from 1. */
function position(starts: readonly number[], offset: number): { line: number; column: number } {
  const line = firstIndex(starts.length, (i) => starts[i] > offset);
  return { line, column: offset - starts[line - 1] + 1 };
}

/** JSON silently keeps the last of two equal keys. */
function repeatedKeys(document: ConfigDocument, node: Node, path: Path): Issue[] {
  const seen = new Set<string>();
  return (node.children ?? []).flatMap((child, i) => {
    if (node.type !== 'object') return repeatedKeys(document, child, [...path, i]);
    const [key, value] = child.children!;
    const here = [...path, key.value as string];
    const found: Issue[] = value ? repeatedKeys(document, value, here) : [];
    if (seen.has(key.value)) {
      const message = `"${key.value}" is given twice.`;
      const remedy = 'Remove one of them.';
      found.push(issueOn(document, key, { severity: 'error', path: here, message, remedy, inSchema: true }, false));
    }
    seen.add(key.value);
    return found;
  });
}

export function nodeAt(document: ConfigDocument, path: Path): Node | undefined {
  return document.root && findNodeAtLocation(document.root, [...path]);
}

/** Positions a finding at `path`, or at its nearest existing ancestor (at the key, not over the whole value). */
export function placeFinding(document: ConfigDocument, finding: Finding): Issue {
  for (let length = finding.path.length; length >= 0; length--) {
    const node = nodeAt(document, finding.path.slice(0, length));
    if (!node) continue;
    const key = node.parent?.type === 'property' ? node.parent.children![0] : undefined;
    const exact = length === finding.path.length;
    return issueOn(document, exact && !finding.atKey ? node : (key ?? node), finding, exact);
  }
  return { ...bare(finding), offset: 0, length: 0, line: 1, column: 1, fixes: [] };
}

const bare = ({ severity, path, message, remedy, inSchema }: Finding) => ({
  severity,
  path,
  message,
  remedy,
  inSchema: inSchema ?? false,
});

function issueOn(document: ConfigDocument, node: Node, finding: Finding, exact = true): Issue {
  const { replacement, changes = [] } = finding;
  const replaced =
    exact && replacement !== undefined
      ? [{ title: `Change to ${replacement}`, offset: node.offset, length: node.length, text: replacement }]
      : [];
  const changed = changes.flatMap((change) => {
    const edit = changeText(document, change);
    return edit ? [{ title: change.title, ...edit }] : [];
  });
  return {
    ...bare(finding),
    offset: node.offset,
    // For an object or list only the bracket is marked: underlining a whole block would hide the errors in it.
    length: node.type === 'object' || node.type === 'array' ? 1 : node.length,
    ...position(document.starts, node.offset),
    fixes: [...replaced, ...changed],
  };
}
