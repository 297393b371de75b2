import * as z from 'zod';
import type { PairedResults, RunHead, SettingDifference } from '../../src/protocol/dashboard';
import { isBaseline, phaseTitle, stageNames } from '../../src/stages';
import { type Layout, layOut, nearest } from './axis';
import { Track } from './track';

/** Possible shares of the page for the rollouts. */
export const rolloutsShares = { least: 0.15, most: 0.85 };

/** The reader's choices, kept across reloads. */
export const viewSchema = z.object({
  mode: z.enum(['charts', 'table']).catch('charts'),
  axis: z.enum(['stages', 'updates', 'time']).catch('stages'),
  /** Weight of the past in the moving average, 0 to 0.99. */
  smoothing: z.number().min(0).max(0.99).catch(0.85),
  log: z.boolean().catch(false),
  /** Whether to draw curves that have been 0 all the time. */
  zeros: z.boolean().catch(false),
  /** The rollouts' share of the page, while they are open. */
  rolloutsShare: z.number().min(rolloutsShares.least).max(rolloutsShares.most).catch(0.44),
  /** Hidden panels. */
  hidden: z.array(z.string()).catch([]),
  /** Displayed stages; null: those of the curriculum, or the baseline alone while there is nothing else. */
  stages: z.array(z.enum(stageNames)).nullable().catch(null),
});
export type DashboardView = z.infer<typeof viewSchema>;

/** All data of the page. Its parts read it; main.ts changes it. */
export class DashboardModel {
  heads: RunHead[] = [];
  differences: SettingDifference[] = [];
  pairs: PairedResults[] = [];
  tracks: Track[] = [];
  layout: Layout = { placed: [], bands: [], min: 0, max: 1 };
  /** The zoomed part of the axis; null: all of it. */
  zoom: { min: number; max: number } | null = null;
  /** Cursor position on the axis, shared by all charts. */
  cursor: number | null = null;

  constructor(public view: DashboardView) {}

  get range(): { min: number; max: number } {
    return this.zoom ?? this.layout;
  }

  setHeads(heads: RunHead[]): void {
    const known = new Map(this.tracks.map((track) => [track.run, track]));
    this.tracks = heads.map(({ folder }) => known.get(folder) ?? new Track(folder));
    this.heads = heads;
  }

  /** Stages that any of the runs has updates of. */
  presentStages(): Set<number> {
    const there = new Set<number>();
    for (const { rows, stage } of this.tracks)
      for (let row = 0; row < rows; row++) if (row === 0 || stage[row] !== stage[row - 1]) there.add(stage[row]);
    return there;
  }

  /** Indices of the stages whose updates are displayed. */
  stagesShown(): Set<number> {
    const there = this.presentStages();
    const chosen =
      this.view.stages?.map((stage) => stageNames.indexOf(stage)).filter((stage) => there.has(stage)) ?? [];
    if (chosen.length > 0) return new Set(chosen);
    // A baseline is as long as the whole curriculum and would compress it.
    const curriculum = [...there].filter((stage) => !isBaseline(stageNames[stage]));
    return new Set(curriculum.length > 0 ? curriculum : there);
  }

  layOut(): void {
    this.layout = layOut(this.tracks, this.view.axis, this.stagesShown());
    if (this.zoom && this.zoom.min >= this.layout.max) this.zoom = null;
  }

  /** The run's row at a position of the axis; -1 if there is none nearby. */
  rowAt(run: number, x: number): number {
    const at = this.placeAt(run, x);
    return at < 0 ? -1 : this.layout.placed[run].rows[at];
  }

  /** The run's placed row at a position of the axis; -1 if there is none nearby. */
  placeAt(run: number, x: number): number {
    const placed = this.layout.placed[run];
    const at = placed ? nearest(placed, x) : -1;
    // Beyond a run's end (others are longer) it has no values.
    const reach = Math.max(1, (this.range.max - this.range.min) / 100);
    return at >= 0 && Math.abs(placed.x[at] - x) <= reach ? at : -1;
  }

  /** "Stage 2 (Complete), update 12", and the phase if it has its own name. */
  placeText(run: number, row: number): string {
    const { stage, phase, phases, step } = this.tracks[run];
    return `${phaseTitle(stageNames[stage[row]], phases[phase[row]])}, update ${step[row]}`;
  }
}
