/** Writes logged completions and test answers into one run, in the order of training. */
import { basename } from 'node:path';
import type { TextTokenizer } from '../cases/text-tokenizer';
import type { MetricsRecord } from '../runs/records';
import type { RunWriter } from '../runs/writer';
import type { StageName } from '../stages';
import { evaluationOf, failureOf, type ImportedAnswer, Tally } from './answers';
import type { LoggedCompletion } from './logged';
import type { RolloutFile } from './sources';
import { type RewardWeights, StepWriter } from './step-writer';
import type { LoggedMetrics } from './trainer-log';
import type { TrainerLog } from './trainer-state';

const stage: StageName = 'training';
/** Answers per write. */
const atOnce = 64;
/** Maximum problems of a test whose wrong answers are kept in memory until its end. */
const mostProblems = 5000;

export class RunFiller {
  private readonly steps: StepWriter;
  private readonly done = new Set<number>();
  private earlier: ReadonlySet<number> = new Set();
  private logged = 0;
  private best = Number.NEGATIVE_INFINITY;
  private test:
    | {
        step: number;
        name: string;
        file: string;
        tally: Tally;
        pending: ImportedAnswer[];
        wrong: Map<string, ImportedAnswer[] | null>;
      }
    | undefined;
  /** Wrong answers of the last test. */
  private wrong: { source: string; cases: ImportedAnswer[][] } = { source: '', cases: [] };
  readonly notes = new Set<string>();
  updates = 0;
  tests = 0;

  constructor(
    private readonly run: RunWriter,
    private readonly settings: { log: TrainerLog; weights: RewardWeights; tokenizer?: TextTokenizer },
  ) {
    const { log, weights, tokenizer } = settings;
    const metrics = (step: number, own: LoggedMetrics) => this.metrics(step, own);
    this.steps = new StepWriter(run, { stage, tokenizer, weights, rewardNames: log.rewardNames, metrics });
  }

  get completions(): number {
    return this.steps.completions;
  }

  /** Skips the records that the run has already. */
  skip(rollouts: readonly { step: number }[], metrics: readonly MetricsRecord[]): void {
    for (const { step } of rollouts) this.done.add(step);
    this.earlier = new Set(this.done);
    const last = metrics.at(-1)?.step ?? -1;
    while (this.logged < this.settings.log.entries.length && this.settings.log.entries[this.logged].step <= last)
      this.logged++;
  }

  /** Adds what was logged about an update, before its completions. */
  note(step: number, log: Readonly<Record<string, unknown>>): void {
    this.settings.log.add(step, log);
  }

  add(logged: LoggedCompletion, { file, step: named, validation }: RolloutFile): void {
    const step = logged.step ?? named ?? 1;
    if (validation) {
      this.steps.finish();
      this.answer(logged, step, file);
      return;
    }
    this.endTest();
    const { open } = this.steps;
    if (open !== undefined && open !== step) this.done.add(open);
    if (!this.done.has(step)) this.steps.add(logged, step);
    else if (!this.earlier.has(step))
      this.notes.add(`Completions of update ${step} that came after those of later updates were skipped.`);
  }

  flush(): void {
    this.steps.flush();
  }

  /** Ends the run: no more completions follow. */
  finish(): void {
    this.steps.finish();
    this.endTest();
    this.failures();
    this.logUntil(Number.POSITIVE_INFINITY);
  }

  /** Writes the metrics of a complete update. The trainer's own values take precedence over those computed here. */
  private metrics(step: number, own: LoggedMetrics): void {
    this.logUntil(step);
    const { entries } = this.settings.log;
    const metrics: LoggedMetrics = {};
    for (; entries[this.logged]?.step === step; this.logged++) {
      Object.assign(metrics, entries[this.logged].metrics);
      this.validation(entries[this.logged]);
    }
    this.run.metrics({
      stage,
      step,
      ...own,
      ...metrics,
      ...(own.parts && { parts: { ...own.parts, ...metrics.parts } }),
    });
    this.updates++;
  }

  /** Writes the updates before `step` that have no completions. */
  private logUntil(step: number): void {
    const { entries } = this.settings.log;
    for (; this.logged < entries.length && entries[this.logged].step < step; this.logged++) {
      const entry = entries[this.logged];
      this.validation(entry);
      if (Object.keys(entry.metrics).length === 0) continue; // an entry at the end of training, or of a test
      this.run.metrics({ stage, step: entry.step, ...entry.metrics });
      this.updates++;
    }
  }

  private validation({ step, validation }: TrainerLog['entries'][number]): void {
    const { loss, accuracy } = validation;
    if (loss === undefined && accuracy === undefined) return;
    this.check(step, validation, accuracy ?? -loss!);
  }

  private check(step: number, found: { loss?: number; accuracy?: number; meanTokens?: number }, value: number): void {
    const best = value > this.best;
    if (best) this.best = value;
    this.run.validation({ stage, step, ...found, best });
  }

  private answer(logged: LoggedCompletion, step: number, file: string): void {
    if (this.test?.step !== step) this.endTest();
    const name = step === 0 ? 'base' : `${stage}-${step}`;
    this.test ??= { step, name, file, tally: new Tally(), pending: [], wrong: new Map() };
    const answer = evaluationOf(logged, this.settings.tokenizer);
    this.test.tally.add(answer);
    this.test.pending.push(answer);
    if (this.test.pending.length >= atOnce) this.flushTest();
    this.collectWrong(this.test.wrong, answer);
  }

  /** Collects the problems without a right answer, with their answers; null: one was right. */
  private collectWrong(wrong: Map<string, ImportedAnswer[] | null>, answer: ImportedAnswer): void {
    const before = wrong.get(answer.problemId);
    if (answer.correct) wrong.set(answer.problemId, null);
    else if (before) before.push(answer);
    else if (before === undefined && wrong.size < mostProblems) wrong.set(answer.problemId, [answer]);
    else if (before === undefined)
      this.notes.add(`Failure cases are kept for the first ${mostProblems} problems of a test only.`);
  }

  private flushTest(): void {
    if (!this.test) return;
    this.run.evaluation(this.test.name, this.test.pending);
    this.test.pending = [];
  }

  private endTest(): void {
    if (!this.test) return;
    this.flushTest();
    const { step, name, tally, wrong, file } = this.test;
    this.test = undefined;
    this.tests++;
    const row = tally.row();
    this.run.summary({ stage: step === 0 ? 'base' : stage, ...row, ...(step > 0 && { checkpoint: name }) });
    if (step > 0) this.check(step, { accuracy: tally.accuracy, meanTokens: tally.meanTokens }, tally.accuracy);
    this.wrong = { source: basename(file), cases: [...wrong.values()].filter((answers) => answers !== null) };
  }

  /** The problems that the last test got wrong become the run's failure cases. */
  private failures(): void {
    const { source, cases } = this.wrong;
    for (let i = 0; i < cases.length; i += atOnce)
      this.run.failures(cases.slice(i, i + atOnce).map((answers) => failureOf(answers, source)));
    this.wrong.cases = [];
  }
}
