/** Which weights of a server a checkpoint stands for. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../errors';
import { readJsonObject } from '../../student-files/files';

export const remoteFile = 'remote.json';

const schema = z.object({
  /** Of the server. */
  url: z.string(),
  /** Of the weights and moments there. */
  path: z.string().startsWith('tinker://'),
  /** AdamW steps that they have had. */
  step: z.number().int().min(0),
});

export type Remote = z.output<typeof schema>;

export const isRemote = (folder: string): boolean => existsSync(join(folder, remoteFile));

export function readRemote(folder: string): Remote {
  const file = join(folder, remoteFile);
  const fail = (message: string): never => {
    throw new UserError(message, {
      file,
      code: 'checkpoint',
      remedy: 'Use a checkpoint that was taken on a Tinker server, or another engine for this one.',
    });
  };
  if (!isRemote(folder)) fail('this checkpoint is not on a Tinker server');
  const read = schema.safeParse(readJsonObject(file));
  return read.success ? read.data : fail('this file does not say where the weights are');
}
