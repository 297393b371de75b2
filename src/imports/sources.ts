/** Detects which trainer wrote the files at a path, and which update each of them belongs to. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { datasetError } from '../data/rows';
import { headOf } from '../data/sources/bytes';
import { statOf } from '../paths';

export type RolloutFormat = 'trl' | 'verl' | 'nemo-rl' | 'wandb' | 'trackio' | 'inspect' | 'rows';
export const formatTitles: Record<RolloutFormat, string> = {
  trl: 'completions of TRL',
  verl: 'rollouts of verl',
  'nemo-rl': 'rollouts of NeMo-RL',
  wandb: 'tables of Weights & Biases',
  trackio: "Trackio's store",
  inspect: 'logs of Inspect',
  rows: 'rows of prompts and completions',
};

/** A file of completions. */
export interface RolloutFile {
  file: string;
  /** The update according to its name; its rows may name their own. */
  step?: number;
  /** Whether it has answers of a test instead of training completions. */
  validation?: boolean;
}

export interface RolloutSource {
  format: RolloutFormat;
  /** Name of the run (default: derived from the path). */
  name?: string;
  /** The run, if the store has several. */
  run?: { id: string; name: string };
  /** Absolute path, as given by the user. */
  path: string;
  /** In the order of training. */
  files: RolloutFile[];
}

const tableEnding = /\.(jsonl|ndjson|parquet|csv|tsv|arrow)(\.(gz|zst))?$/i;
const remedy =
  "Name TRL's output folder or completions, verl's rollout_data_dir, NeMo-RL's log folder, a " +
  "Trackio store (.db), Inspect's logs (.eval), or rows with prompt and completion.";

/** @throws UserError when the path does not exist or has no known format */
export function rolloutSource(path: string): RolloutSource {
  const full = resolve(path);
  const stat = statOf(full);
  if (!stat) throw datasetError('there is no such file or folder', { file: full }, remedy);
  const source = stat.isDirectory() ? sourceOfFolder(full) : sourceOfFile(full);
  if (source.files.length === 0)
    throw datasetError('there are no rollouts in a known format here', { file: full }, remedy);
  return source;
}

function sourceOfFile(file: string): RolloutSource {
  const magic = headOf(file).toString('latin1', 0, 15);
  const made = (format: RolloutFormat, more = {}): RolloutSource => ({
    format,
    path: file,
    files: [{ file, ...more }],
  });
  if (magic.startsWith('SQLite format 3')) return made('trackio');
  if (magic.startsWith('PK\x03\x04')) return made('inspect');
  return made(formatOfName(basename(file)), updateOfName(file));
}

/** The names of the files that trainers write for each update. */
const ownNames: readonly [RolloutFormat, RegExp][] = [
  ['trl', /^completions_\d+\.parquet$/],
  ['nemo-rl', /^(train|val)_data_step\d+\.jsonl$/],
  ['verl', /^\d+\.jsonl$/],
];

/** The first format with matching files. Folders are searched two levels deep, five for tables of Weights & Biases. */
function sourceOfFolder(folder: string): RolloutSource {
  const names = filesBelow(folder, 2);
  const matching = (pattern: RegExp) => names.filter((file) => pattern.test(basename(file)));
  const tables = () => filesBelow(folder, 5).filter((file) => /^completions.*\.table\.json$/.test(basename(file)));
  const candidates: [RolloutFormat, () => string[]][] = [
    ...ownNames.map(([format, pattern]): [RolloutFormat, () => string[]] => [format, () => matching(pattern)]),
    ['wandb', () => onceEach(tables())],
    ['inspect', () => matching(/\.eval$/)],
    ['trackio', () => matching(/\.db$/)],
    ['rows', () => matching(tableEnding)],
  ];
  for (const [format, find] of candidates) {
    const files = find().map((file): RolloutFile => ({ file, ...updateOfName(file) }));
    if (files.length > 0) return { format, path: folder, files: files.sort(inOrder) };
  }
  return { format: 'rows', path: folder, files: [] };
}

function formatOfName(name: string): RolloutFormat {
  const own = ownNames.find(([, pattern]) => pattern.test(name))?.[0];
  return own ?? (/\.table\.json$/.test(name) ? 'wandb' : 'rows');
}

/** The name of a table ends in the hash of its content: TRL logs the last one again at the end of training. */
function onceEach(tables: readonly string[]): string[] {
  const byHash = new Map(tables.map((file) => [/_([0-9a-f]+)\.table\.json$/.exec(file)?.[1] ?? file, file]));
  return [...byHash.values()];
}

/** The update is the last number of the name; a folder named for validation holds answers of tests. */
function updateOfName(file: string): Omit<RolloutFile, 'file'> {
  const name = basename(file);
  const digits =
    /^completions_(\d+)_[0-9a-f]+\.table\.json$/.exec(name) ?? /(\d+)(?!.*\d)/.exec(name.replace(/(\.\w+)+$/, ''));
  const validation =
    /^val_data/.test(name) || /(^|[^a-z])(val|valid|validation|eval|test)([^a-z]|$)/i.test(basename(dirname(file)));
  return { ...(digits && { step: Number(digits[1]) }), ...(validation && { validation }) };
}

/** By update; tests come after their update. */
const inOrder = (a: RolloutFile, b: RolloutFile): number =>
  (a.step ?? 0) - (b.step ?? 0) ||
  Number(a.validation ?? false) - Number(b.validation ?? false) ||
  (a.file < b.file ? -1 : 1);

function filesBelow(folder: string, levels: number): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return [path];
    return entry.isDirectory() && levels > 0 && !/^(\.git|node_modules|\.distillery)$/.test(entry.name)
      ? filesBelow(path, levels - 1)
      : [];
  });
}

/** Folders of checkpoints beside the rollouts, newest first. They contain the tokenizer and the trainer's log. */
export function checkpointsBeside({ path, files }: RolloutSource): string[] {
  const places = new Set([path, ...files.slice(0, 1).flatMap(({ file }) => [dirname(file), dirname(dirname(file))])]);
  return [...places]
    .filter((place) => statSync(place).isDirectory())
    .flatMap((place) => readdirSync(place).map((name) => join(place, name)))
    .flatMap((folder) => {
      const step = /[\\/](?:checkpoint-|global_step_|step_)(\d+)$/.exec(folder)?.[1];
      return step === undefined ? [] : [{ folder, step: Number(step) }];
    })
    .sort((a, b) => b.step - a.step)
    .map(({ folder }) => folder);
}
