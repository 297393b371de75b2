/** Which files are configs of ours. */
import { parse, resolve } from 'node:path';

export type ConfigKind = 'experiment' | 'reward';

const endings: Record<ConfigKind, string> = { experiment: '.distillery.json', reward: '.reward.json' };

export const configPattern = '**/*.{distillery,reward}.json';

/** What a file is by its name; null for any other file. */
export function kindOf(file: string): ConfigKind | null {
  const kinds = Object.keys(endings) as ConfigKind[];
  return kinds.find((kind) => file.endsWith(endings[kind])) ?? null;
}

/** A path as a config in `folder` names it, absolute. */
export const pathFrom = (folder: string, path: string) => resolve(folder, path);

/** `accuracy` of accuracy.reward.json. */
export const stemOf = (file: string) => parse(parse(file).name).name;
