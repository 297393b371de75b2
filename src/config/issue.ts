import { UserError } from '../errors';

export type Path = readonly (string | number)[];

/** A finding about a value, before it has a place in a text. */
export interface Finding {
  severity: 'error' | 'warning';
  /** Where in the JSON value; a path that does not exist stands for its nearest ancestor. */
  path: Path;
  /** Point at the key instead of the value. */
  atKey?: boolean;
  message: string;
  remedy?: string;
  /** What mends it: JSON text in place of the value (or key) at `path`. */
  replacement?: string;
  /** What else mends it, the best first. */
  changes?: Change[];
  /** Whoever checks the file against its JSON schema, as editors do, says this too. */
  inSchema?: boolean;
}

/** Nothing can start with this. `changes`: what mends it, the best first. */
export const error = (path: Path, message: string, remedy: string, ...changes: Change[]): Finding => ({
  severity: 'error',
  path,
  message,
  remedy,
  changes,
});

/** It can start with this, but will hardly do what is meant. */
export const warning = (...told: Parameters<typeof error>): Finding => ({ ...error(...told), severity: 'warning' });

/** A setting to be given another value, or to be added to an object that lacks it. */
export interface Change {
  title: string;
  path: Path;
  value: unknown;
  /** Puts the value into a list, before the item at `path`, and not in its place. */
  insert?: boolean;
}

/** `text` in place of [offset, offset + length), in UTF-16 units. */
export interface TextEdit {
  offset: number;
  length: number;
  text: string;
}

/** A finding with its place in the text. Offsets and length in UTF-16 units, line and column from 1. */
export interface Issue {
  severity: 'error' | 'warning';
  path: Path;
  message: string;
  remedy?: string;
  offset: number;
  length: number;
  line: number;
  column: number;
  /** Edits of which each mends it, the best first. */
  fixes: ({ title: string } & TextEdit)[];
  inSchema?: boolean;
}

export interface FileIssue extends Issue {
  file: string;
}

/** `a.b[0].c`, or `the file` for the root. */
export function showPath(path: Path): string {
  if (path.length === 0) return 'the file';
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${part}`)).join('');
}

/** `file:line:column: message`, with the remedy on a line of its own. */
export function showIssue({ file, line, column, severity, message, remedy }: FileIssue): string {
  const kind = severity === 'warning' ? 'warning: ' : '';
  return `${file}:${line}:${column}: ${kind}${message}${remedy ? `\n  ${remedy}` : ''}`;
}

/** Everything that is wrong with a config, in one error. */
export class ConfigError extends UserError {
  readonly issues: readonly FileIssue[];

  /** `issues` holds at least one error. */
  constructor(issues: readonly FileIssue[]) {
    const errors = issues.filter((issue) => issue.severity === 'error');
    const { message, file, line, column, remedy } = errors[0];
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    super(`${message}${more}`, { file, line, column, remedy, code: 'config' });
    this.name = 'ConfigError';
    this.issues = issues;
  }

  override toString(): string {
    const later = ({ severity }: FileIssue) => Number(severity !== 'error');
    return [...this.issues]
      .sort((a, b) => later(a) - later(b))
      .map(showIssue)
      .join('\n');
  }
}
