/** about.json of a run: a person's name and notes. Written by editors only; a host neither reads nor needs it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { parseJson, readSmallText } from '../lines';
import { replaceText } from '../writing';
import { check } from './jsonl';

export const aboutFile = (run: string) => join(run, 'about.json');

const aboutSchema = z.object({
  /** Shown instead of the start time. */
  name: z.string().max(200).optional(),
  note: z.string().max(10_000).optional(),
  tags: z.array(z.string().max(100)).max(50).optional(),
  starred: z.boolean().optional(),
});
export type About = z.infer<typeof aboutSchema>;

/** @throws UserError for a file with other content */
export function readAbout(run: string): About {
  const file = aboutFile(run);
  if (!existsSync(file)) return {};
  return check(aboutSchema, parseJson(readSmallText(file), { file, code: 'run' }), { file });
}

/** Changes the given fields and keeps the others; empty ones are removed. */
export function writeAbout(run: string, change: About): void {
  const about = { ...readAbout(run), ...change };
  const kept = Object.entries(about).filter(([, value]) => value && (!Array.isArray(value) || value.length > 0));
  replaceText(run, aboutFile(run), `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
}
