import { UserError } from '../errors';

export type Path = readonly (string | number)[];

/** A finding about a value, without its position in a text. */
export interface Finding {
  severity: 'error' | 'warning';
  /** Path in the JSON value; if it does not exist, its nearest ancestor is meant. */
  path: Path;
  /** Point at the key instead of the value. */
  atKey?: boolean;
  message: string;
  remedy?: string;
  /** A fix: JSON text that replaces the value (or key) at `path`. */
  replacement?: string;
  /** Alternative fixes, best first. */
  changes?: Change[];
  /** Editors that validate the file against its JSON schema report this too. */
  inSchema?: boolean;
}

/** A run cannot start with this. `changes` are fixes, best first. */
export const error = (path: Path, message: string, remedy: string, ...changes: Change[]): Finding => ({
  severity: 'error',
  path,
  message,
  remedy,
  changes,
});

/** A run can start with this, but will probably not do what is meant. */
export const warning = (...args: Parameters<typeof error>): Finding => ({ ...error(...args), severity: 'warning' });

/** Sets a setting, or adds it to an object that lacks it. */
export interface Change {
  title: string;
  path: Path;
  value: unknown;
  /** Inserts the value into a list before the item at `path`, instead of replacing it. */
  insert?: boolean;
}

/** Replaces [offset, offset + length), in UTF-16 units, by `text`. */
export interface TextEdit {
  offset: number;
  length: number;
  text: string;
}

/** A finding with its position in the text. Offsets and length in UTF-16 units, line and column from 1. */
export interface Issue {
  severity: 'error' | 'warning';
  path: Path;
  message: string;
  remedy?: string;
  offset: number;
  length: number;
  line: number;
  column: number;
  /** Alternative edits that fix it, best first. */
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
function showIssue({ file, line, column, severity, message, remedy }: FileIssue): string {
  const kind = severity === 'warning' ? 'warning: ' : '';
  return `${file}:${line}:${column}: ${kind}${message}${remedy ? `\n  ${remedy}` : ''}`;
}

/** All errors of a config in one exception. */
export class ConfigError extends UserError {
  readonly issues: readonly FileIssue[];

  /** `issues` contains at least one error. */
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
