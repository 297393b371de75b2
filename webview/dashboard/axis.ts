import { firstIndex } from '../../src/sorted';
import { stageNames } from '../../src/stages';
import type { Track } from './track';

export type AxisKind = 'stages' | 'updates' | 'time';

/** The displayed rows of one run, in order, and their positions: x ascends. */
export interface PlacedRows {
  rows: Uint32Array;
  x: Float64Array;
  /** The segment of each row: lines do not connect segments. */
  stretch: Uint16Array;
}

/** A stage's phase along the axis. */
export interface Band {
  stage: number;
  phase: string;
  from: number;
  to: number;
  /** Of the longest run in it. */
  updates: number;
  /** The step before its first one. */
  before: number;
}

export interface Layout {
  placed: PlacedRows[];
  bands: Band[];
  min: number;
  max: number;
}

/**
 * Places the rows of all runs on one axis. By updates, each phase of each stage begins at the same position in all runs
 * and is as wide as the longest, so that runs of different lengths can be compared. By stages, the same with
 * logarithmic widths: a hundred sampled updates stay readable beside thousands of supervised ones. By time, in seconds
 * since each run's first displayed row.
 */
export function layOut(tracks: readonly Track[], kind: AxisKind, shown: ReadonlySet<number>): Layout {
  const layout = kind === 'time' ? byTime(tracks, shown) : byUpdates(tracks, shown, kind === 'stages');
  const max = Math.max(1, ...layout.placed.map(({ x }) => x.at(-1) ?? 0), ...layout.bands.map(({ to }) => to));
  return { ...layout, min: 0, max };
}

interface PhaseSegment {
  key: string;
  stage: number;
  phase: string;
  from: number;
  to: number;
}

/** Segments of rows of one stage and phase, of the displayed stages. */
function phaseSegments(track: Track, shown: ReadonlySet<number>): PhaseSegment[] {
  const { rows, stage, phase, phases } = track;
  const stretches: PhaseSegment[] = [];
  for (let from = 0, to = 0; from < rows; from = to) {
    while (to < rows && stage[to] === stage[from] && phase[to] === phase[from]) to++;
    if (!shown.has(stage[from])) continue;
    const name = phases[phase[from]];
    stretches.push({ key: `${stage[from]}/${name}`, stage: stage[from], phase: name, from, to });
  }
  return stretches;
}

function byUpdates(
  tracks: readonly Track[],
  shown: ReadonlySet<number>,
  evenly: boolean,
): Pick<Layout, 'placed' | 'bands'> {
  const ofTrack = tracks.map((track) => phaseSegments(track, shown));
  const wanted = bandsWanted(tracks, ofTrack);
  const total = wanted.reduce((sum, { updates }) => sum + updates, 0);
  const logs = wanted.reduce((sum, { updates }) => sum + Math.log1p(updates), 0);
  const byKey = new Map<string, Band>();
  let end = 0;
  for (const { key, ...band } of wanted) {
    const from = end;
    end += evenly ? (total * Math.log1p(band.updates)) / logs : band.updates;
    byKey.set(key, { ...band, from, to: end });
  }
  const order = [...byKey.keys()];
  const placed = ofTrack.map((stretches) => {
    // In the order of the bands, whatever the order of a run's updates: x ascends.
    const sorted = stretches.toSorted((a, b) => order.indexOf(a.key) - order.indexOf(b.key));
    const done = new Map<string, number>();
    return place(sorted, ({ key }) => {
      const n = (done.get(key) ?? 0) + 1;
      done.set(key, n);
      return updatePosition(byKey.get(key)!, n);
    });
  });
  return { placed, bands: [...byKey.values()] };
}

type BandRequest = Omit<Band, 'from' | 'to'> & { key: string };

/** A band for each phase of each stage of any run, in training order: by stage, then by the phase's first step. */
function bandsWanted(tracks: readonly Track[], ofTrack: readonly (readonly PhaseSegment[])[]): BandRequest[] {
  const wanted = new Map<string, BandRequest>();
  for (const [i, stretches] of ofTrack.entries()) {
    const updates = new Map<string, number>();
    for (const { key, stage, phase, from, to } of stretches) {
      const count = (updates.get(key) ?? 0) + to - from;
      updates.set(key, count);
      const before = tracks[i].step[from] - 1;
      const known = wanted.get(key) ?? { key, stage, phase, before, updates: 0 };
      wanted.set(key, {
        ...known,
        before: Math.min(known.before, before),
        updates: Math.max(known.updates, count),
      });
    }
  }
  const own = ({ stage, phase }: BandRequest) => (phase === stageNames[stage] ? 0 : 1);
  return [...wanted.values()].sort(
    (a, b) => a.stage - b.stage || a.before - b.before || own(a) - own(b) || (a.phase < b.phase ? -1 : 1),
  );
}

/** Position of the n-th update of a band, from 1; 0 is its beginning. */
function updatePosition({ from, to, updates }: Band, n: number): number {
  return from + ((to - from) * n) / updates;
}

function byTime(tracks: readonly Track[], shown: ReadonlySet<number>): Pick<Layout, 'placed' | 'bands'> {
  const ofTrack = tracks.map((track) => phaseSegments(track, shown));
  const placed = tracks.map((track, i) => {
    const origin = track.time[ofTrack[i][0]?.from ?? 0];
    let last = 0;
    return place(ofTrack[i], (_, row) => {
      const x = (track.time[row] - origin) / 1000;
      last = x > last ? x : last; // clocks may be set back, but the axis ascends
      return last;
    });
  });
  // Runs differ in time: the bands are those of the first run that has any.
  const lead = ofTrack.findIndex((stretches) => stretches.length > 0);
  if (lead < 0) return { placed, bands: [] };
  let done = 0;
  const ends = ofTrack[lead].map(({ from, to }) => {
    done += to - from;
    return placed[lead].x[done - 1];
  });
  const bands = ofTrack[lead].map(({ stage, phase }, i) => ({
    stage,
    phase,
    from: i === 0 ? 0 : ends[i - 1],
    to: ends[i],
    updates: ofTrack[lead][i].to - ofTrack[lead][i].from,
    before: 0,
  }));
  return { placed, bands };
}

function place(stretches: readonly PhaseSegment[], at: (stretch: PhaseSegment, row: number) => number): PlacedRows {
  const count = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
  const placed = { rows: new Uint32Array(count), x: new Float64Array(count), stretch: new Uint16Array(count) };
  let i = 0;
  for (const [number, stretch] of stretches.entries())
    for (let row = stretch.from; row < stretch.to; row++, i++) {
      placed.rows[i] = row;
      placed.x[i] = at(stretch, row);
      placed.stretch[i] = number;
    }
  return placed;
}

/** The index whose x is nearest; -1 if there is none. */
export function nearest({ x }: PlacedRows, value: number): number {
  const after = firstAtLeast(x, value);
  if (after === x.length) return x.length - 1;
  return after > 0 && value - x[after - 1] < x[after] - value ? after - 1 : after;
}

/** The first index whose value is at least this; the length if there is none. */
export const firstAtLeast = (sorted: Float64Array, value: number) =>
  firstIndex(sorted.length, (i) => sorted[i] >= value);

/** Position of a stage's step; step 0 is just before the first. undefined: not displayed. */
export function positionOf(track: Track, placed: PlacedRows, stage: string, step: number): number | undefined {
  const index = stageNames.indexOf(stage as (typeof stageNames)[number]);
  let before: number | undefined;
  for (let i = 0; i < placed.rows.length; i++) {
    const row = placed.rows[i];
    if (track.stage[row] !== index) continue;
    if (track.step[row] > step) return before ?? (i > 0 ? placed.x[i - 1] : 0);
    before = placed.x[i];
  }
  return before;
}

export interface StepTick {
  x: number;
  step: number;
}

/** Round steps of each band in the range, with enough space for their labels and away from the band's end. */
export function stepTicks(bands: readonly Band[], range: { min: number; max: number }, pixels: number): StepTick[] {
  const scale = pixels / (range.max - range.min);
  return bands.flatMap((band, i) => {
    const step = ((band.to - band.from) * scale) / band.updates; // pixels a step
    const room = 12 + 8 * shortStep(band.before + band.updates).length;
    const every = roundUp(room / step);
    const ticks: StepTick[] = [];
    const first = Math.ceil((band.before + 1) / every) * every;
    const clear = i + 1 < bands.length ? room / 2 : room / 4;
    for (let at = first; at <= band.before + band.updates; at += every) {
      const x = updatePosition(band, at - band.before);
      if (x >= range.min && x <= range.max && (band.to - x) * scale >= clear) ticks.push({ x, step: at });
    }
    return ticks;
  });
}

/** The smallest of 1, 2, 5, 10, 20, 50, ... that is at least this. */
function roundUp(value: number): number {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(value)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= value) ?? 10 * power;
}

/** 800, 20k */
export const shortStep = (step: number): string =>
  step >= 10_000 && step % 1000 === 0 ? `${step / 1000}k` : String(step);
