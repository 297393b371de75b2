/** The command's argument: a tree node, or the plain fields that other features pass. */
import * as z from 'zod';
import type { ChainSubject } from '../../protocol/chain-diff-requests';
import { momentKey } from './moments';

const argumentSchema = z.object({
  run: z.string().optional().catch(undefined),
  problemId: z.string().optional().catch(undefined),
  stage: z.string().optional().catch(undefined),
  step: z.number().int().optional().catch(undefined),
  sample: z.number().int().nonnegative().optional().catch(undefined),
  evaluation: z.string().optional().catch(undefined),
});

export type AskedFor = Partial<ChainSubject>;

/** A string is the folder of a run. Anything else unknown is ignored, and the user is asked. */
export function askedFor(argument: unknown): AskedFor {
  if (typeof argument === 'string') return { run: argument };
  const { run, problemId, stage, step, sample, evaluation } = argumentSchema.safeParse(argument).data ?? {};
  const evaluated = evaluation !== undefined ? `evaluations/${evaluation}` : undefined;
  const moment = stage !== undefined && step !== undefined ? momentKey(stage, step) : evaluated;
  return {
    ...(run !== undefined && { run }),
    ...(problemId !== undefined && { problemId }),
    ...(moment !== undefined && { moment }),
    ...(sample !== undefined && { sample }),
  };
}
