/** How much of a run was sent to a tracker, in `tracked/<tracker>.json`, so that nothing is sent twice. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../errors';
import { parseJson, readSmallText } from '../lines';
import { isRunning, thisProcess } from '../processes';
import { makeFolder, replaceText } from '../writing';

const sentSchema = z.object({
  /** The destination: another one gets everything again. */
  to: z.string(),
  /** The last record of the run that arrived. */
  seq: z.number(),
  /** The process that sends it. */
  pid: z.number(),
  startTime: z.string(),
  machine: z.string(),
});

export interface SentPosition {
  readonly seq: number;
  arrived(seq: number): void;
}

/** @throws UserError when another process is sending the same */
export function openSent(run: string, tracker: string, to: string): SentPosition {
  const file = join(run, 'tracked', `${tracker}.json`);
  const before = existsSync(file) ? read(file) : undefined;
  const mine = thisProcess();
  if (before && before.pid !== mine.pid && isRunning(before, file))
    throw new UserError(`process ${before.pid} is already sending this run to ${tracker}`, {
      file: run,
      code: 'locked',
    });
  const sent = {
    seq: before?.to === to ? before.seq : -1,
    arrived(seq: number) {
      sent.seq = Math.max(sent.seq, seq);
      makeFolder(run, dirname(file));
      replaceText(run, file, `${JSON.stringify({ to, seq: sent.seq, ...mine })}\n`);
    },
  };
  sent.arrived(sent.seq);
  return sent;
}

/** A damaged or foreign file is ignored. */
function read(file: string): z.infer<typeof sentSchema> | undefined {
  try {
    return sentSchema.parse(parseJson(readSmallText(file), { file, code: 'run' }));
  } catch (error) {
    if (error instanceof UserError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}
