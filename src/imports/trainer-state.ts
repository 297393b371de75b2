/** trainer_state.json, which transformers' trainers write into each checkpoint: all logs up to then. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSmallText } from '../lines';
import { parsePython } from './rows';
import { type LoggedMetrics, metricsOf, validationOf } from './trainer-log';

interface StateEntry {
  step: number;
  metrics: LoggedMetrics;
  validation: { loss?: number; accuracy?: number };
}

/** Maximum size of a state file: about a million steps. */
const maxBytes = 1 << 29;

export class TrainerLog {
  /** In the order of training: all steps up to the newest checkpoint, and those added later. */
  readonly entries: StateEntry[];

  /** `checkpoints`: newest first. @throws UserError when the file is damaged */
  constructor(checkpoints: readonly string[]) {
    const file = checkpoints.map((folder) => join(folder, 'trainer_state.json')).find((one) => existsSync(one));
    const state = file ? (parsePython(readSmallText(file, maxBytes), { file }) as { log_history?: unknown }) : {};
    const history = Array.isArray(state?.log_history) ? (state.log_history as Record<string, unknown>[]) : [];
    this.entries = history
      .filter((entry) => typeof entry?.step === 'number' && Number.isInteger(entry.step) && entry.step >= 0)
      .map((entry) => ({ step: entry.step as number, metrics: metricsOf(entry), validation: validationOf(entry) }));
  }

  /** Adds a later entry; one without any of our metrics is ignored. */
  add(step: number, log: Readonly<Record<string, unknown>>): void {
    const entry = { step, metrics: metricsOf(log), validation: validationOf(log) };
    if (Object.keys(entry.metrics).length + Object.keys(entry.validation).length > 0) this.entries.push(entry);
  }

  /** Names of the reward functions; undefined if the log has none. */
  get rewardNames(): ReadonlySet<string> | undefined {
    const names = this.entries.flatMap(({ metrics }) => Object.keys(metrics.parts ?? {}));
    return names.length > 0 ? new Set(names) : undefined;
  }
}
