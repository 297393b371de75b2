/** Converts the rollouts logged by another trainer to a run folder that every view can read. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadTextTokenizer, type TextTokenizer } from '../cases/text-tokenizer';
import { UserError } from '../errors';
import { yieldToEventLoop } from '../event-loop';
import { rolloutSteps } from '../runs/layout';
import { readMetrics } from '../runs/reading';
import { createRun, openForWriting, type RunWriter } from '../runs/writer';
import type { RolloutColumns } from './columns';
import { inspectHead } from './inspect';
import { itemsOf } from './items';
import { RunFiller } from './run-filler';
import { checkpointsBeside, formatTitles, type RolloutFile, type RolloutSource, rolloutSource } from './sources';
import { stampOf, trackioRuns } from './trackio';
import { TrainerLog } from './trainer-state';
import { weightsOf } from './weights';

export interface ImportSettings {
  runsFolder: string;
  /** Adds to this run instead of creating one. */
  into?: string;
  /** A folder with the student's tokenizer.json; by default searched in checkpoints beside the rollouts. */
  tokenizer?: string;
  columns?: RolloutColumns;
  /** Weights of reward functions that are logged separately. */
  weights?: Record<string, number>;
  /** Continues as the files grow, until the signal. */
  follow?: AbortSignal;
  progress?: (progress: { completions: number; share: number; run: string }) => void;
}

export interface ImportedRollouts {
  folder: string;
  format: string;
  updates: number;
  completions: number;
  tests: number;
  /** Sentences about skipped or missing data. */
  notes: string[];
}

/** Poll interval of a followed folder, in milliseconds. */
const pollMs = 2000;
/** Rows per time slice, so that an editor stays responsive. */
const atOnce = 16;

const weighted =
  'The reward functions have weights, which TRL does not log, so rewards are omitted. Give ' +
  'them with --weights, as in --weights accuracy_reward=1,format_reward=0.2.';

/**
 * Creates a run from the rollouts at `path`, and follows them if `follow` is set. @throws UserError for an unknown
 * format, a damaged file, or a row without prompt and completion; records written until then stay, and the run states
 * why it ended
 */
export async function importRollouts(path: string, settings: ImportSettings): Promise<ImportedRollouts[]> {
  const importers = new Map<string, RolloutImport>();
  const known: KnownRuns = new Map();
  const look = async (whole: boolean) => {
    for (const source of await runsIn(rolloutSource(path), known)) {
      const key = `${source.path} ${source.run?.id ?? ''}`;
      const importer = importers.get(key) ?? new RolloutImport(source, settings);
      importers.set(key, importer);
      await importer.read(source, whole);
    }
  };
  try {
    await look(settings.follow === undefined);
    while (settings.follow && !settings.follow.aborted) {
      await sleep(pollMs, undefined, { signal: settings.follow }).catch(() => {});
      await look(settings.follow.aborted);
    }
    return [...importers.values()].map((importer) => importer.close());
  } catch (error) {
    for (const importer of importers.values()) importer.fail(error);
    throw error;
  }
}

/** The runs of each file, and the file's state when they were searched. */
type KnownRuns = Map<string, { stamp: string; runs: RolloutSource[] }>;

/**
 * A store with several runs, or a folder with several evaluations, becomes as many runs. Opens only files that have
 * changed.
 */
async function runsIn(source: RolloutSource, known: KnownRuns): Promise<RolloutSource[]> {
  const { format, files } = source;
  if (format !== 'trackio' && format !== 'inspect') return [source];
  const found: RolloutSource[] = [];
  for (const { file } of files) {
    const stamp = stampOf(file);
    const before = known.get(file);
    const runs = before?.stamp === stamp ? before.runs : await runsOf(file, format);
    known.set(file, { stamp, runs });
    found.push(...runs);
  }
  return found;
}

async function runsOf(file: string, format: 'trackio' | 'inspect'): Promise<RolloutSource[]> {
  if (format === 'trackio')
    return (await trackioRuns(file)).map((run) => ({
      format,
      path: file,
      files: [{ file }],
      run,
      name: `trackio-${run.name}`,
    }));
  const { task, model } = await inspectHead(file);
  return [{ format, path: file, files: [{ file, step: 0, validation: true }], name: `inspect-${task}-${model}` }];
}

class RolloutImport {
  private readonly filler: RunFiller;
  private readonly run: RunWriter;
  private readonly notes: Set<string> = new Set();
  /** The state of files that were read, and the number of rows taken. */
  private readonly taken = new Map<string, { stamp: string; rows: number }>();
  private readonly seen = new Map<string, string>();
  private time: Date | undefined;

  constructor(
    private readonly source: RolloutSource,
    private readonly settings: ImportSettings,
  ) {
    const tokenizer = this.findTokenizer();
    const log = new TrainerLog(checkpointsBeside(source));
    const weights = weightsOf(source, settings.weights, settings.columns);
    if (weights === null) this.notes.add(weighted);
    const now = () => this.time ?? new Date();
    const config = {
      imported: {
        from: source.path,
        format: source.format,
        ...(source.run && { run: source.run.name }),
        ...(tokenizer && { tokenizer: tokenizer.folder }),
      },
      environment: { node: process.version },
    };
    this.run = settings.into
      ? openForWriting(settings.into, now)
      : createRun(settings.runsFolder, nameOf(source), config, now);
    this.filler = new RunFiller(this.run, { log, weights, tokenizer: tokenizer?.tokenizer });
    if (settings.into) this.filler.skip(rolloutSteps(settings.into), readMetrics(settings.into));
    this.run.update({ state: 'running' });
  }

  /** Reads new rows. `whole`: the files are complete. */
  async read({ files }: RolloutSource, whole: boolean): Promise<void> {
    for (const [i, file] of files.entries()) {
      const stamp = stampOf(file.file);
      const before = this.taken.get(file.file);
      const steady = this.seen.get(file.file) === stamp;
      this.seen.set(file.file, stamp);
      // A file that is being written is read at the next poll, or at the end.
      if (before?.stamp === stamp || !(steady || whole || this.source.format === 'trackio')) continue;
      this.time = statSync(file.file).mtime;
      const rows = await this.take(file, before?.rows ?? 0, (share) => this.tell((i + share) / files.length));
      this.taken.set(file.file, { stamp, rows });
    }
    if (whole) this.filler.finish();
    else this.filler.flush();
    this.tell(1);
  }

  private async take(file: RolloutFile, from: number, onProgress: (share: number) => void): Promise<number> {
    const { size } = statSync(file.file);
    const torn = ({ line }: { line?: number }) =>
      this.notes.add(`${file.file}:${line}: the last line is incomplete and was skipped.`);
    let rows = 0;
    for await (const item of itemsOf(this.source, file, { columns: this.settings.columns, torn })) {
      if (rows++ < from) continue;
      if (item.kind === 'log') this.filler.note(item.step, item.metrics);
      else this.filler.add(item.logged, file);
      if (rows % atOnce === 0) {
        onProgress(item.kind === 'completion' && item.bytes !== undefined ? item.bytes / size : 0);
        await yieldToEventLoop();
      }
    }
    return rows;
  }

  private tell(share: number): void {
    this.settings.progress?.({ completions: this.filler.completions, share, run: this.run.folder });
  }

  close(): ImportedRollouts {
    const { updates, completions, tests } = this.filler;
    this.time = undefined;
    const from = `imported from ${basename(this.source.path)}`;
    this.run.close({ state: 'finished', reason: from });
    const notes = [...this.notes, ...this.filler.notes];
    return { folder: this.run.folder, format: formatTitles[this.source.format], updates, completions, tests, notes };
  }

  fail(error: unknown): void {
    this.time = undefined;
    try {
      this.filler.flush();
    } finally {
      const reason = error instanceof UserError ? error.message : String(error);
      this.run.close({ state: 'failed', reason: `the import ended: ${reason}` });
    }
  }

  private findTokenizer(): { folder: string; tokenizer: TextTokenizer } | undefined {
    const { tokenizer: asked } = this.settings;
    if (asked !== undefined) return { folder: asked, tokenizer: loadTextTokenizer(asked) };
    const beside = checkpointsBeside(this.source).flatMap((folder) => [folder, join(folder, 'actor', 'huggingface')]);
    const own = [this.source.path, dirname(this.source.path)];
    const folder = [...beside, ...own].find((one) => existsSync(join(one, 'tokenizer.json')));
    if (folder !== undefined) return { folder, tokenizer: loadTextTokenizer(folder) };
    this.notes.add(
      'Lengths are counted in words: no tokenizer is beside the ' +
        'rollouts. Name the student’s folder with --tokenizer.',
    );
    return undefined;
  }
}

/** `trl-my-output`: from a folder its name, without folder names that every trainer uses. */
function nameOf({ path, format, name: given }: RolloutSource): string {
  if (given) return given;
  const common = /^(completions|rollouts?|rollout_data_dir|logs?|output|runs?)$/i;
  const bare = basename(path).replace(/(\.\w+)+$/, '');
  const name = common.test(bare) ? `${basename(dirname(path))}-${bare}` : bare;
  return `${format === 'rows' ? 'rollouts' : format}-${name}`;
}
