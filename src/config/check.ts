/** From the text of a config to its issues with places: pure, for the command line and for editors alike. */
import type * as z from 'zod';
import { type ConfigDocument, maxFindings, nodeAt, parseDocument, placeFinding } from './document';
import { experimentSchema, type ParsedExperiment } from './experiment';
import { experimentFindings } from './experiment-findings';
import type { Finding, Issue } from './issue';
import { mergeQuick } from './quick';
import { type RewardConfig, rewardSchema } from './reward';
import { rewardFindings } from './reward-findings';
import { schemaFindings } from './translate';

export interface Checked<T> {
  /** Errors and warnings in the order of the text. */
  issues: Issue[];
  /** The config with defaults, when no issue is an error. */
  value?: T;
  /** Gives a later finding (say, of a missing file) its place in the text. */
  place(finding: Finding): Issue;
}

export function checkReward(text: string): Checked<RewardConfig> {
  const document = parseDocument(text);
  const place = (finding: Finding) => placeFinding(document, finding);
  if (document.syntax.length > 0) return { issues: document.syntax, place };
  const found = findingsOf(rewardSchema(), document, document.value, rewardFindings).map(place);
  return conclude([...document.repeated, ...found], rewardSchema(), document.value, place);
}

/**
 * Checks an experiment as it stands and with its `quick` settings merged in. `value` is the latter when `quick` is
 * asked for.
 */
export function checkExperiment(text: string, { quick = false } = {}): Checked<ParsedExperiment> {
  const document = parseDocument(text);
  const placeHere = (finding: Finding) => placeFinding(document, finding);
  const placeQuick = (finding: Finding) => placeInQuick(document, finding);
  if (document.syntax.length > 0) return { issues: document.syntax, place: placeHere };

  const check = (value: unknown) => findingsOf(experimentSchema(), document, value, experimentFindings);
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
  // The JSON schema, which has no conditions, misses a required setting of a group that may itself be left out.
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
  return { issues, place, value: failed ? undefined : schema.parse(value) };
}

/**
 * A finding of the merged experiment stands where `quick` brought it in; what it only uncovered, where it was written.
 */
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
