/** The progress of a run, from the events of its host. */
import type { HostEvent, Status } from '../../protocol/control';
import { type Spent, spendingText } from '../../spent';
import { type StageName, shortPhaseTitle } from '../../stages';
import { percent, timeLeftText } from '../../words';
import { meanUpdateTime, updatesAveraged } from './update-time';

export interface RunProgress {
  stage: StageName;
  /** A part of the stage with its own loop; named like the stage if there is only one. */
  phase: string;
  update: number;
  updates: number;
  /** Accuracy and mean length: from the last validation, else from the last update's samples. */
  accuracy?: number;
  tokens?: number;
  tokensPerSecond?: number;
  /** Seconds until the phase ends, if they can be estimated. */
  left?: number;
  /** What was used of a server that charges by the token, in words. */
  spending?: string;
}

/** Follows one run. */
export class ProgressMeter {
  private progress: RunProgress | undefined;
  /** Times of the last consecutive updates, in ms. */
  private marks: number[] = [];
  /** The first update seen of the phase, which later ones are compared with. */
  private first: UpdateEvent | undefined;

  get current(): RunProgress | undefined {
    return this.progress;
  }

  /** The current state, for a client that connects later. */
  snapshot({ progress: { phase, update, validation } }: Status): void {
    this.marks = [];
    this.progress = undefined;
    if (phase) this.begin(phase);
    if (update && (!phase || update.phase === phase.phase)) this.step(update, Date.parse(update.metrics.time));
    if (validation && validation.stage === this.current?.stage) this.check(validation);
  }

  apply(event: Extract<HostEvent, { type: 'curriculum' }>): void {
    const { event: change, time } = event;
    if (change.type === 'phase') this.begin(change, Date.parse(time));
    else if (change.type === 'update') this.step(change, Date.parse(time));
    else if (change.type === 'validation') this.check(change);
  }

  private pausedAt: number | undefined;

  /** The run pauses or resumes; a pause does not count as work. */
  pause(paused: boolean, now = Date.now()): void {
    if (paused) this.pausedAt ??= now;
    else if (this.pausedAt !== undefined) {
      const rest = now - this.pausedAt;
      this.marks = this.marks.map((mark) => mark + rest);
      this.pausedAt = undefined;
    }
  }

  private begin({ stage, phase, updates, done }: PhaseEvent, time?: number): void {
    this.progress = { stage, phase, update: done, updates };
    this.marks = time === undefined ? [] : [time];
    this.first = undefined;
  }

  private step(event: UpdateEvent, time: number): void {
    const { progress } = this;
    const { stage, phase, update, updates, metrics, spent } = event;
    const same = progress?.stage === stage && progress.phase === phase;
    if (!same || !this.first?.spent) this.first = event;
    const { first } = this;
    const share = { before: first.spent, done: update - first.update, left: updates - update };
    if (!same || update !== progress.update + 1) this.marks = [];
    this.marks = [...this.marks.slice(-updatesAveraged), time];
    const pace = meanUpdateTime(this.marks);
    this.progress = {
      ...(same ? progress : {}),
      stage,
      phase,
      update,
      updates,
      tokensPerSecond: metrics.tokensPerSecond,
      ...(this.checked === `${stage} ${phase}` ? {} : { accuracy: metrics.accuracy, tokens: metrics.lengthMean }),
      left: pace === undefined ? undefined : ((updates - update) * pace) / 1000,
      ...(spent && { spending: spendingText(spent, share) }),
    };
  }

  /**
   * The phase of the last validation. Its results are shown until the next one, as checkpoints are selected by them.
   */
  private checked = '';

  private check({ accuracy, meanTokens }: { accuracy?: number; meanTokens?: number }): void {
    if (!this.progress || accuracy === undefined) return;
    this.checked = `${this.progress.stage} ${this.progress.phase}`;
    this.progress = { ...this.progress, accuracy, tokens: meanTokens };
  }
}

interface PhaseEvent {
  stage: StageName;
  phase: string;
  updates: number;
  done: number;
}

interface UpdateEvent {
  stage: StageName;
  phase: string;
  update: number;
  updates: number;
  metrics: Metrics;
  spent?: Spent;
}

interface Metrics {
  accuracy?: number;
  lengthMean?: number;
  tokensPerSecond?: number;
}

/** `Stage 2 45/110`, with the phase's name where the stage has several. */
export function progressText({ stage, phase, update, updates }: RunProgress): string {
  return `${shortPhaseTitle(stage, phase)} ${update}/${updates}`;
}

/** The latest measurements, as far as known: `72 %`, `160 tok`. */
export function measuredParts({ accuracy, tokens }: RunProgress): string[] {
  return [
    accuracy === undefined ? '' : percent(accuracy, 0),
    tokens === undefined ? '' : `${tokens.toFixed(0)} tok`,
  ].filter(Boolean);
}

/**
 * `3 min left`, and what was spent on a server that charges; '' if unknown. After its last update a phase is validated
 * and tested, which takes a while.
 */
export function leftText({ left, update, updates, spending = '' }: RunProgress): string {
  if (left === undefined) return spending;
  return [update === updates ? 'testing' : timeLeftText(left), spending].filter(Boolean).join(', ');
}

/** `72 %`, `160 tok`, `Stage 2 45/110`, `3 min left`: the most important first, as space may be short. */
export function progressParts(progress: RunProgress): string[] {
  return [...measuredParts(progress), progressText(progress), leftText(progress)].filter(Boolean);
}
