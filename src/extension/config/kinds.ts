/** Recognizes our config files. */
import { resolve } from 'node:path';

export type ConfigKind = 'experiment' | 'reward';

const endings: Record<ConfigKind, string> = { experiment: '.distillery.json', reward: '.reward.json' };

export const configPattern = '**/*.{distillery,reward}.json';

/** The kind of a file by its name; null for other files. */
export function configKind(file: string): ConfigKind | null {
  const kinds = Object.keys(endings) as ConfigKind[];
  return kinds.find((kind) => file.endsWith(endings[kind])) ?? null;
}

/** Makes a path from a config in `folder` absolute. */
export const pathFrom = (folder: string, path: string) => resolve(folder, path);
