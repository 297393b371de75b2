/** The server weights that a checkpoint refers to. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../errors';
import { readJsonObject } from '../../student-files/files';

export const remoteFile = 'remote.json';

const schema = z.object({
  /** Address of the server. */
  url: z.string(),
  /** Path of the weights and moments there. */
  path: z.string().startsWith('tinker://'),
  /** Number of their AdamW steps. */
  step: z.number().int().min(0),
});

export type RemoteState = z.output<typeof schema>;

export const isRemote = (folder: string): boolean => existsSync(join(folder, remoteFile));

export function readRemote(folder: string): RemoteState {
  const file = join(folder, remoteFile);
  const fail = (message: string): never => {
    throw new UserError(message, {
      file,
      code: 'checkpoint',
      remedy: 'Use a checkpoint made on a Tinker server, or another engine for this one.',
    });
  };
  if (!isRemote(folder)) fail('this checkpoint is not on a Tinker server');
  const read = schema.safeParse(readJsonObject(file));
  return read.success ? read.data : fail('this file does not say where the weights are');
}
