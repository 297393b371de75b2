import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { DataSource } from '../config/experiment';
import { hashFile } from '../lines';
import { type ArithmeticSplit, arithmeticDefaults, arithmeticItems } from './arithmetic';
import { readBridge } from './bridge';
import { readChains } from './chains';
import { readGsm8k } from './gsm8k';
import { readParquet } from './parquet';
import type { Dataset } from './types';

const readers = { chains: readChains, gsm8k: readGsm8k, bridge: readBridge, parquet: readParquet };

/**
 * The problems that a config names. Paths are relative to `baseFolder`. `split` is the part of the generator's world that `arithmetic`
 * draws from: whatever the seeds, a test split shares no story with a train split.
 */
export function loadData(source: DataSource, baseFolder: string, split: ArithmeticSplit = 'train'): Dataset {
  if (source.format === 'arithmetic') {
    const { seed, operations, maxValue, count, start } = source;
    const problems = arithmeticItems({ ...arithmeticDefaults, seed, operations, maxValue }, split, count, start);
    const hash = createHash('sha256');
    for (const problem of problems) hash.update(`${JSON.stringify(problem)}\n`);
    return { problems, hash: hash.digest('hex') };
  }
  const file = resolve(baseFolder, source.path);
  return { problems: readers[source.format](file, source), hash: hashFile(file), file };
}
