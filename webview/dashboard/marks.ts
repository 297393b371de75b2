import { startText } from '../../src/start';
import { positionOf } from './axis';
import type { DashboardModel } from './model';

/** A measurement beside the updates: a validation, or a test result with its interval. */
export interface ChartMark {
  x: number;
  value: number;
  interval?: [number, number];
  /** Of the run; null: of the only one. */
  colour: number | null;
  run: number;
  text: string;
}

/** The metrics of a panel's marks. */
const measured = {
  accuracy: 'accuracy',
  length: 'meanTokens',
  lengthMean: 'meanTokens',
  crossEntropy: 'loss',
} as const;

/** The marks of panels: accuracy and length are validated and tested, the supervised loss is validated. */
export function chartMarks(model: DashboardModel, panel: string): ChartMark[] {
  if (!(panel in measured)) return [];
  const what = measured[panel as keyof typeof measured];
  const colour = (run: number) => (model.tracks.length > 1 ? run : null);
  return model.heads.flatMap((head, run) => {
    const [track, placed] = [model.tracks[run], model.layout.placed[run]];
    if (!placed) return [];
    const checks = head.validation.flatMap(({ stage, step, ...check }): ChartMark[] => {
      const x = positionOf(track, placed, stage, step);
      const value = check[what];
      return x === undefined || value === undefined
        ? []
        : [{ x, value, colour: colour(run), run, text: `validation after update ${step}` }];
    });
    if (what === 'loss') return checks; // tests sample answers and have no loss
    const tests = head.results.flatMap((result): ChartMark[] => {
      // The initial student is at the very beginning.
      const x = result.stage === 'base' ? 0 : positionOf(track, placed, result.stage, stepOf(result.checkpoint));
      if (x === undefined) return [];
      const value = result[what];
      const interval: [number, number] = what === 'accuracy' ? result.accuracyInterval : [value, value];
      return [
        { x, value, interval, colour: colour(run), run, text: `test of ${result.checkpoint ?? startText(head.start)}` },
      ];
    });
    return [...checks, ...tests];
  });
}

/** The step of a checkpoint, `<stage>-<step>`. */
const stepOf = (checkpoint = '') => Number(/-(\d+)$/.exec(checkpoint)?.[1] ?? 0);
