/** Checks the text of a config and returns issues with positions. Pure; used by the command line and editors alike. */
import type * as z from 'zod';
import type { FindModule } from './code-module';
import { type ConfigDocument, maxFindings, nodeAt, parseDocument, placeFinding } from './document';
import { experimentSchema, type ParsedExperiment } from './experiment';
import { experimentFindings } from './experiment-findings';
import type { Finding, Issue } from './issue';
import { mergeQuick } from './quick';
import { type RewardConfig, rewardSchema } from './reward';
import { rewardFindings } from './reward-findings';
import { schemaFindings } from './translate';

export interface Checked<T> {
  /** Errors and warnings in text order. */
  issues: Issue[];
  /** The config with defaults, if there are no errors. */
  value?: T;
  /** As `value`, but without unknown keys, if nothing else is wrong: its files can already be looked up. */
  readable?: T;
  /** Adds the position in the text to a later finding, such as a missing file. */
  place(finding: Finding): Issue;
}

/** `find` finds the modules of rewards in code; without it they are ignored. */
export function checkReward(text: string, find?: FindModule): Checked<RewardConfig> {
  const document = parseDocument(text);
  const place = (finding: Finding) => placeFinding(document, finding);
  if (document.syntax.length > 0) return { issues: document.syntax, place };
  const found = findingsOf(rewardSchema(), document, document.value, (reward) => rewardFindings(reward, { find })).map(
    place,
  );
  return conclude([...document.repeated, ...found], rewardSchema(), document.value, place);
}

/**
 * Checks an experiment as written and with its `quick` settings merged in. `value` is the merged one when `quick` is
 * set.
 */
export function checkExperiment(
  text: string,
  { quick = false, find }: { quick?: boolean; find?: FindModule } = {},
): Checked<ParsedExperiment> {
  const document = parseDocument(text);
  const placeHere = (finding: Finding) => placeFinding(document, finding);
  const placeQuick = (finding: Finding) => placeInQuick(document, finding);
  if (document.syntax.length > 0) return { issues: document.syntax, place: placeHere };

  const check = (value: unknown) =>
    findingsOf(experimentSchema(), document, value, (one) => experimentFindings(one, find));
  const full = check(document.value);
  const merged = mergeQuick(document.value);
  const known = new Set(full.map(({ path, message }) => JSON.stringify([path, message])));
  const fromQuick = check(merged).filter(({ path, message }) => !known.has(JSON.stringify([path, message])));
  const issues = [...document.repeated, ...full.map(placeHere), ...fromQuick.map(placeQuick)];
  return conclude(issues, experimentSchema(), quick ? merged : document.value, quick ? placeQuick : placeHere);
}

function findingsOf<S extends z.ZodType>(
  schema: S,
  document: ConfigDocument,
  value: unknown,
  semantic: (parsed: z.output<S>) => Finding[],
): Finding[] {
  const found = schemaFindings(schema, value, maxFindings);
  if (found.length === 0) return semantic(schema.parse(value));
  // The JSON schema has no conditions, so it cannot require a setting inside an optional group.
  return found.map((finding) => ({ ...finding, inSchema: nodeAt(document, finding.path.slice(0, -1)) !== undefined }));
}

function conclude<S extends z.ZodType>(
  found: Issue[],
  schema: S,
  value: unknown,
  place: (finding: Finding) => Issue,
): Checked<z.output<S>> {
  const issues = found.toSorted((a, b) => a.offset - b.offset);
  const failed = issues.some(({ severity }) => severity === 'error');
  if (failed) return { issues, place, readable: schema.safeParse(withoutUnknown(schema, value)).data };
  const parsed = schema.parse(value);
  return { issues, place, value: parsed, readable: parsed };
}

/** A copy without the keys that the schema does not know. */
function withoutUnknown(schema: z.ZodType, value: unknown): unknown {
  const copy = structuredClone(value);
  for (const issue of schema.safeParse(value).error?.issues ?? []) {
    if (issue.code !== 'unrecognized_keys') continue;
    const within = (at: unknown, key: PropertyKey) => (at as Record<PropertyKey, unknown> | undefined)?.[key];
    const holder = issue.path.reduce(within, copy) as Record<string, unknown>;
    for (const key of issue.keys) delete holder[key];
  }
  return copy;
}

/** A finding in the merged experiment is placed where `quick` set the value, else where the value was written. */
function placeInQuick(document: ConfigDocument, finding: Finding): Issue {
  const inQuick = ['quick', ...finding.path];
  const written = nodeAt(document, finding.path) && !nodeAt(document, inQuick);
  return placeFinding(
    document,
    written
      ? { ...finding, changes: [] }
      : {
          ...finding,
          path: inQuick,
          message: `${finding.message} (with --quick)`,
          changes: finding.changes?.map((change) => ({ ...change, path: ['quick', ...change.path] })),
          inSchema: finding.inSchema && nodeAt(document, inQuick) !== undefined, // nothing is required there
        },
  );
}
