import { existsSync } from 'node:fs';
import { UserError } from '../../errors';
import { parseJson } from '../../lines';
import type { Alert, RunHead, ValidationMark } from '../../protocol/dashboard';
import { unchangedStages } from '../../report/comparison';
import { check } from '../../runs/jsonl';
import { configFile, metricsFile, validationFile } from '../../runs/layout';
import { openRun, readConfig, readSummary, readValidation } from '../../runs/reading';
import { metricsRecordSchema, type ValidationRecord } from '../../runs/records';
import { aboutFile, readAbout } from '../../runs/run-notes';
import { startOf } from '../../start';
import { cached, type Read } from '../workspace/file-cache';
import { alertsOf } from './alerts';
import { UpdateColumns } from './columns';
import { progressOf } from './progress';
import { LineTail } from './tail';

/** One run for the dashboard: follows its metrics and reports its state. Read errors become messages. */
export class RunSource {
  columns = new UpdateColumns();
  private tail: LineTail;
  private metricsProblem: string | undefined;
  private alerts: { rows: number; alerts: Alert[] } = { rows: -1, alerts: [] };
  private readonly config = cached(() => (existsSync(configFile(this.folder)) ? readConfig(this.folder) : undefined));
  private readonly results = cached(() => readSummary(this.folder));
  private readonly about = cached(() => readAbout(this.folder));
  private readonly validation = cached((_, damage) => readValidation(this.folder, damage));

  constructor(readonly folder: string) {
    this.tail = new LineTail(metricsFile(folder));
  }

  /** The settings; undefined if the run has none that can be read. */
  settings(): unknown {
    return this.config(configFile(this.folder)).value;
  }

  /** Reads the next metrics; true if more can be read at once. */
  async read(): Promise<boolean> {
    try {
      const { restarted, lines, more } = await this.tail.read();
      if (restarted) this.restart();
      for (const line of lines) this.take(line);
      return more;
    } catch (error) {
      this.metricsProblem ??= sentence(error);
      return false;
    }
  }

  /** A broken line is reported and skipped, as later lines may be intact. */
  private take({ text, number }: { text: string; number: number }): void {
    const place = { file: this.tail.file, line: number };
    try {
      this.columns.append(check(metricsRecordSchema, parseJson(text, { ...place, code: 'run' }), place));
    } catch (error) {
      this.metricsProblem ??= sentence(error);
    }
  }

  head(): RunHead {
    const { folder } = this;
    const problems: string[] = [];
    const take = <T>(read: Read<T>, otherwise: T): T => {
      const problem = read.problem ?? read.damage;
      if (problem) problems.push(sentence(problem));
      return read.problem ? otherwise : read.value;
    };
    if (this.metricsProblem) problems.push(this.metricsProblem);
    const start = startOf(this.settings());
    const label = take(this.about(aboutFile(folder)), {}).name;
    const results = take(this.results(`${folder}/summary.json`), []);
    const validation = take(this.validation(validationFile(folder)), []);
    const shared = {
      folder,
      ...(label && { label }),
      ...(start && { start }),
      ...backendOf(this.settings()),
      results,
      unchanged: unchangedStages(results, validation),
      validation: validation.map(markOf),
      alerts: this.judged(),
    };
    take(this.config(configFile(folder)), undefined);
    const name = folder.split(/[\\/]/).at(-1)!;
    try {
      const { record, interrupted } = openRun(folder);
      const progress = progressOf(this.columns, this.settings());
      return {
        ...shared,
        id: record.id,
        name: record.name,
        state: interrupted ? 'interrupted' : record.state,
        ...(record.reason ? { reason: record.reason } : {}),
        created: record.created,
        ...(progress ? { progress } : {}),
        problems,
      };
    } catch (error) {
      return { ...shared, id: name, name, state: 'unreadable', problems: [sentence(error), ...problems] };
    }
  }

  private judged(): Alert[] {
    if (this.alerts.rows !== this.columns.rows)
      this.alerts = { rows: this.columns.rows, alerts: alertsOf(this.columns) };
    return this.alerts.alerts;
  }

  private restart(): void {
    this.columns = new UpdateColumns();
    this.metricsProblem = undefined;
    this.alerts.rows = -1;
  }
}

/** The engine and device from the run's config.json, which is not validated. */
function backendOf(config: unknown): Pick<RunHead, 'backend'> {
  const { environment } = (config ?? {}) as { environment?: { backend?: { description?: unknown } } };
  const description = environment?.backend?.description;
  return typeof description === 'string' ? { backend: description } : {};
}

function markOf({ stage, step, accuracy, meanTokens, loss }: ValidationRecord): ValidationMark {
  return { stage, step, accuracy, meanTokens, loss };
}

function sentence(error: unknown): string {
  if (error instanceof UserError) return error.toString().replace(/\s*\n\s*/g, ' ');
  return (error as Error).message;
}
