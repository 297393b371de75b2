import type { RowsMessage } from '../../src/protocol/dashboard';

/** A run's updates, as columns that grow with each message. */
export class Track {
  rows = 0;
  phases: string[] = [];
  stage = new Uint8Array(0);
  phase = new Uint8Array(0);
  step = new Uint32Array(0);
  /** Milliseconds since 1970. */
  time = new Float64Array(0);
  /** NaN: not measured, or NaN if `broken` says so. */
  private columns = new Map<string, Float64Array>();
  private broken = new Set<string>();

  constructor(readonly run: string) {}

  /** False when earlier rows are missing: the message is then ignored. */
  take(message: RowsMessage): boolean {
    if (message.from > this.rows) return false;
    if (message.from === 0) this.forget();
    const { from } = message;
    const added = message.step.length;
    this.rows = from + added;
    this.phases = message.phases;
    this.stage = placed(this.stage, message.stage, from);
    this.phase = placed(this.phase, message.phase, from);
    this.step = placed(this.step, message.step, from);
    this.time = placed(this.time, message.time, from);
    const values = withSplitLoss(message);
    for (const name of new Set([...this.columns.keys(), ...Object.keys(values)])) {
      const before = this.columns.get(name) ?? new Float64Array(from).fill(Number.NaN);
      const column = values[name] ?? new Float64Array(added).fill(Number.NaN);
      this.columns.set(name, placed(before, column, from));
    }
    for (const [metric, row] of message.broken) this.broken.add(`${metric} ${row}`);
    return true;
  }

  /** Names of the metrics that were measured at least once. */
  metrics(): string[] {
    return [...this.columns.keys()];
  }

  /** Longer than the run: entries beyond `rows` are undefined. */
  column(metric: string): Float64Array | undefined {
    return this.columns.get(metric);
  }

  /** undefined: not measured. */
  value(metric: string, row: number): number | undefined {
    const value = this.columns.get(metric)?.[row];
    if (value === undefined || !Number.isNaN(value)) return value;
    return this.broken.has(`${lossOf(metric)} ${row}`) ? value : undefined;
  }

  /** Whether the update's completions were sampled; supervised updates train on given texts. */
  sampled(row: number): boolean {
    return this.value('reward', row) !== undefined || this.value('lengthMean', row) !== undefined;
  }

  private forget(): void {
    this.columns.clear();
    this.broken.clear();
  }
}

/**
 * A supervised loss and a policy loss share a name but not a scale: one is a cross-entropy, the other a surrogate
 * around 0.
 */
function withSplitLoss({ values, step }: RowsMessage): Record<string, Float64Array> {
  const { loss, ...rest } = values;
  if (!loss) return rest;
  const sampled = (row: number) =>
    ['reward', 'lengthMean', 'accuracy'].some((metric) => values[metric] && !Number.isNaN(values[metric][row]));
  const crossEntropy = new Float64Array(step.length).fill(Number.NaN);
  const policyLoss = new Float64Array(step.length).fill(Number.NaN);
  for (let row = 0; row < step.length; row++) (sampled(row) ? policyLoss : crossEntropy)[row] = loss[row];
  return {
    ...rest,
    ...(crossEntropy.some((value) => !Number.isNaN(value)) ? { crossEntropy } : {}),
    ...(policyLoss.some((value) => !Number.isNaN(value)) ? { policyLoss } : {}),
  };
}

const lossOf = (metric: string) => (metric === 'crossEntropy' || metric === 'policyLoss' ? 'loss' : metric);

/** Writes `more` at `from` into an array with room to grow; later entries become invalid. */
function placed<T extends Uint8Array | Uint32Array | Float64Array>(array: T, more: T, from: number): T {
  const needed = from + more.length;
  let into = array;
  if (into.length < needed) {
    into = new (array.constructor as new (length: number) => T)(Math.max(needed, Math.ceil(from * 1.5)));
    into.set(array.subarray(0, from));
  }
  into.set(more, from);
  return into;
}
