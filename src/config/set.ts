/** Settings of an experiment that the command line changes for one run: `--set stages.complete.updates=50`. */
import { applyEdits, modify } from 'jsonc-parser';
import { UserError } from '../errors';
import type { Issue, Path } from './issue';

export interface ChangedSetting {
  path: Path;
  value: unknown;
}

/** `a.b=1` as path and value: JSON, or else a text. Undefined for a text of another form. */
export function changedSetting(text: string): ChangedSetting | undefined {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined) return undefined;
  const path = name.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key.trim()));
  return path.includes('') ? undefined : { path, value: jsonOrText(value) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The text of an experiment with these settings; with `quick` they replace its quick settings, too. */
export function withSettings(text: string, settings: readonly ChangedSetting[], quick = false): string {
  let changed = text;
  for (const { path, value } of settings) {
    for (const place of quick ? [path, ['quick', ...path]] : [path]) {
      try {
        changed = applyEdits(changed, modify(changed, [...place], value, {}));
      } catch {
        throw new UserError(`--set cannot change ${path.join('.')}: the experiment has no group of that name`, {
          code: 'config',
          remedy: `Set ${path.slice(0, -1).join('.') || path.join('.')} as a whole, as JSON in quotes.`,
        });
      }
    }
  }
  return changed;
}

/** An issue at a changed setting says where the value comes from. */
export function namingSource<T extends Issue>(issue: T, settings: readonly ChangedSetting[]): T {
  const at = issue.path[0] === 'quick' ? issue.path.slice(1) : issue.path;
  const changed =
    at.length > 0 && settings.some(({ path }) => at.every((key, i) => i >= path.length || key === path[i]));
  return changed ? { ...issue, message: `${issue.message} (with --set)` } : issue;
}
