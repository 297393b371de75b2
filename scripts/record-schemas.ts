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

export type Json = Record<string, unknown>;

/** A file's schema, the name of its type for users, its title, and the source of its comments. */
const files: [file: string, type: string, title: string, schema: z.ZodType, name: string][] = [
  ['run', 'RunRecord', 'run.json', records.runRecordSchema, 'runRecordSchema'],
  ['summary', 'StageRow', 'summary.json', z.array(records.stageRowSchema), 'stageRowSchema'],
  ['metrics', 'MetricsRecord', 'A line of metrics.jsonl', records.metricsRecordSchema, 'updateMetricsSchema'],
  [
    'validation',
    'ValidationRecord',
    'A line of validation.jsonl',
    records.validationRecordSchema,
    'validationRecordSchema',
  ],
  [
    'rollout',
    'RolloutRecord',
    'A line of rollouts/<stage>/<step>.jsonl',
    records.rolloutRecordSchema,
    'rolloutRecordSchema',
  ],
  ['failure', 'FailureRecord', 'A line of failures.jsonl', records.failureRecordSchema, 'failureRecordSchema'],
  ['rewrite', 'RewriteRecord', 'A line of rewrites.jsonl', records.rewriteRecordSchema, 'rewriteRecordSchema'],
  ['decision', 'DecisionRecord', 'A line of decisions.jsonl', records.decisionRecordSchema, 'decisionRecordSchema'],
  [
    'evaluation',
    'EvaluationRecord',
    'A line of evaluations/<name>.jsonl',
    records.evaluationRecordSchema,
    'evaluationRecordSchema',
  ],
  [
    'checkpoint',
    'CheckpointState',
    'checkpoints/<name>/state.json',
    records.checkpointStateSchema,
    'checkpointStateSchema',
  ],
];

/** The texts of the schema files by name in schemas/run/. */
export function recordSchemaFiles(): Record<string, string> {
  return Object.fromEntries(
    recordSchemas().map(({ file, schema }) => {
      const head = { $schema: 'http://json-schema.org/draft-07/schema#' };
      return [`${file}.schema.json`, `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`];
    }),
  );
}

/** The JSON schema of each file, with the comments of the source, and the name of its type for users. */
export function recordSchemas(): { file: string; type: string; schema: Json }[] {
  const comments = commentsIn('src/runs/records.ts');
  return files.map(([file, type, title, schema, name]) => {
    const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Json;
    describe((json.items as Json | undefined) ?? json, comments, name);
    return { file, type, schema: { title, description: comments.get(name), ...json } };
  });
}

/** The comment above a field becomes its description, also for fields of an extended schema. */
export function describe(schema: Json, comments: ReadonlyMap<string, string>, name: string): void {
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
export function commentsIn(path: string): Map<string, string> {
  const file = join(packageRoot(), path);
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
