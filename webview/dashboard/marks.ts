import { positionOf } from './axis';
import type { Model } from './model';

/** A measurement beside the updates: a check on held-out problems, or a test result with its interval. */
export interface Mark {
  x: number;
  value: number;
  interval?: [number, number];
  /** Of the run; null: of the only one. */
  colour: number | null;
  run: number;
  text: string;
}

/** What the panels show beside their lines: accuracy and length were checked and tested. */
export function marksOf(model: Model, panel: string): Mark[] {
  const what =
    panel === 'accuracy' ? 'accuracy' : panel === 'length' || panel === 'lengthMean' ? 'meanTokens' : undefined;
  if (!what) return [];
  const colour = (run: number) => (model.tracks.length > 1 ? run : null);
  return model.heads.flatMap((head, run) => {
    const [track, placed] = [model.tracks[run], model.layout.placed[run]];
    if (!placed) return [];
    const checks = head.validation.flatMap(({ stage, step, ...measured }): Mark[] => {
      const x = positionOf(track, placed, stage, step);
      const value = measured[what];
      return x === undefined || value === undefined
        ? []
        : [{ x, value, colour: colour(run), run, text: `validation after step ${step}` }];
    });
    const tests = head.results.flatMap((result): Mark[] => {
      // The student as it came stands at the very beginning.
      const x = result.stage === 'base' ? 0 : positionOf(track, placed, result.stage, result.step ?? 0);
      if (x === undefined) return [];
      const value = result[what];
      const interval: [number, number] = what === 'accuracy' ? result.interval : [value, value];
      return [
        { x, value, interval, colour: colour(run), run, text: `test of ${result.checkpoint ?? 'the base student'}` },
      ];
    });
    return [...checks, ...tests];
  });
}
