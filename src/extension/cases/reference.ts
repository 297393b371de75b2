/** References to failure cases, and the addresses of their documents. */
import * as z from 'zod';
import { inertLine } from '../../foreign-text';
import { stageSchema } from '../../runs/records';

const count = z.number().int().nonnegative();

/**
 * A case: a problem of a run. `sample` chooses the answer to show; with stage and step, it is a completion of that
 * update's group.
 */
const referenceSchema = z.object({
  /** The run's folder. */
  run: z.string().min(1),
  problemId: z.string().min(1),
  sample: count.optional(),
  stage: stageSchema.optional(),
  step: count.optional(),
});
export type CaseReference = z.infer<typeof referenceSchema>;

export const caseScheme = 'distillery-case';

/** Path and query of a case's document. The name in the path is for people; the query identifies the case. */
export function documentPath(
  reference: CaseReference,
  kind: 'case' | 'rewrite' = 'case',
): { path: string; query: string } {
  const name = reference.problemId.replace(/[^\p{L}\p{N}._ -]+/gu, '_').slice(0, 80) || 'case';
  const { run, problemId, sample, stage, step } = reference;
  const folder = inertLine(run.split(/[\\/]/).at(-1)!);
  return {
    path: `/${folder}/${name}${kind === 'rewrite' ? '.rewrite' : ''}.chain`,
    query: JSON.stringify({ run, problemId, sample, stage, step }),
  };
}

/** The case of a document's address; undefined for addresses of other schemes. */
export function referenceAt({
  path,
  query,
}: {
  path: string;
  query: string;
}): { reference: CaseReference; kind: 'case' | 'rewrite' } | undefined {
  try {
    const reference = referenceSchema.parse(JSON.parse(query));
    return { reference, kind: path.endsWith('.rewrite.chain') ? 'rewrite' : 'case' };
  } catch {
    return undefined;
  }
}

/** Reads a command's argument: a plain object, or a tree node that holds one. Undefined for anything else. */
export function referenceFrom(argument: unknown): CaseReference | undefined {
  return referenceSchema.safeParse(argument).data;
}
