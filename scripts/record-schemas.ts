/**
 * JSON schemas of the files of a run folder (schemas/run/*.json), generated from the schemas in src/runs/records.ts,
 * with their comments as descriptions.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import * as z from 'zod';
import { packageRoot } from '../src/paths';
import * as records from '../src/runs/records';

type Json = Record<string, unknown>;

/** A file's schema, its title, and the source of its comments. */
const files: [file: string, title: string, schema: z.ZodType, name: string][] = [
  ['run', 'run.json', records.runRecordSchema, 'runRecordSchema'],
  ['summary', 'summary.json', z.array(records.stageRowSchema), 'stageRowSchema'],
  ['metrics', 'A line of metrics.jsonl', records.metricsRecordSchema, 'updateMetricsSchema'],
  ['validation', 'A line of validation.jsonl', records.validationRecordSchema, 'validationRecordSchema'],
  ['rollout', 'A line of rollouts/<stage>/<step>.jsonl', records.rolloutRecordSchema, 'rolloutRecordSchema'],
  ['failure', 'A line of failures.jsonl', records.failureRecordSchema, 'failureRecordSchema'],
  ['rewrite', 'A line of rewrites.jsonl', records.rewriteRecordSchema, 'rewriteRecordSchema'],
  ['decision', 'A line of decisions.jsonl', records.decisionRecordSchema, 'decisionRecordSchema'],
  ['evaluation', 'A line of evaluations/<name>.jsonl', records.evaluationRecordSchema, 'evaluationRecordSchema'],
  ['checkpoint', 'checkpoints/<name>/state.json', records.checkpointStateSchema, 'checkpointStateSchema'],
];

/** The texts of the schema files by name in schemas/run/. */
export function recordSchemaFiles(): Record<string, string> {
  const comments = readComments();
  return Object.fromEntries(
    files.map(([file, title, schema, name]) => {
      const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Json;
      describe((json.items as Json | undefined) ?? json, comments, name);
      const head = { $schema: 'http://json-schema.org/draft-07/schema#', title, description: comments.get(name) };
      return [`${file}.schema.json`, `${JSON.stringify({ ...head, ...json }, null, 2)}\n`];
    }),
  );
}

/** The comment above a field becomes its description, also for fields of an extended schema. */
function describe(schema: Json, comments: ReadonlyMap<string, string>, name: string): void {
  const known = (field: string) => comments.get(`${name}.${field}`) ?? comments.get(`answerSchema.${field}`);
  for (const [field, inner] of Object.entries((schema.properties as Record<string, Json> | undefined) ?? {})) {
    const text = known(field);
    if (text) inner.description = text;
    describe(
      (inner.items as Json | undefined) ?? inner,
      comments,
      field === 'samples' ? 'answerSchema' : `${name}.${field}`,
    );
  }
  for (const list of ['oneOf', 'anyOf', 'allOf'])
    for (const inner of (schema[list] as Json[] | undefined) ?? []) describe(inner, comments, name);
}

/** `/** ... *\/` above the schemas and the fields of their objects, by `schema` and `schema.field.inner`. */
function readComments(): Map<string, string> {
  const file = join(packageRoot(), 'src', 'runs', 'records.ts');
  const text = readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = new Map<string, string>();
  const commentOf = (node: ts.Node): string | undefined => {
    const comment = (ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []).at(-1);
    const raw = comment && text.slice(comment.pos, comment.end);
    return raw?.startsWith('/**')
      ? raw
          .replace(/^\/\*\*|\s*\*\/$|^\s*\*(?!\/)/gm, '')
          .replace(/\s+/g, ' ')
          .trim()
      : undefined;
  };
  const visit = (node: ts.Node, path: string): void => {
    let at = path;
    if (ts.isVariableStatement(node)) {
      at = node.declarationList.declarations[0].name.getText();
      const comment = commentOf(node);
      if (comment) found.set(at, comment);
    } else if (ts.isPropertyAssignment(node) && path !== '') {
      at = `${path}.${node.name.getText()}`;
      const comment = commentOf(node);
      if (comment) found.set(at, comment);
    }
    ts.forEachChild(node, (child) => visit(child, at));
  };
  ts.forEachChild(source, (node) => visit(node, ''));
  return found;
}
