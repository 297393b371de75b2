import { expect, it } from 'vitest';
import { stageNames } from '../../src/stages';
import { type ChartPicture, type DrawnChart, svgOf } from './picture';
import { lineCount } from './theme';

const chart: DrawnChart = {
  left: 46,
  top: 6,
  width: 200,
  height: 100,
  bands: [
    { stage: stageNames.indexOf('reconstruct'), phase: 'reconstruct', from: 0, to: 60 },
    { stage: stageNames.indexOf('complete'), phase: 'complete', from: 60, to: 200 },
  ],
  xTicks: [{ at: 10, text: '5' }],
  yTicks: [{ at: 50, text: '50%' }],
  lines: [
    { colour: 0, faint: true, points: [[0, 1], [10, 2], null, [20, 3]] },
    {
      colour: 1,
      faint: false,
      points: [
        [0, 4],
        [10.04, 5.06],
      ],
    },
  ],
  marks: [
    { x: 10, y: 20, colour: null },
    { x: 30, y: 20, colour: 1, interval: [10, 30] },
  ],
  canvas: undefined as unknown as HTMLCanvasElement,
};
const sheet: ChartPicture = {
  width: 300,
  height: 150,
  background: 'white',
  font: '"Segoe UI", sans-serif',
  theme: {
    fg: 'black',
    dim: 'grey',
    grid: 'silver',
    lines: Array.from({ length: lineCount }, (_, i) => `rgb(${i}, 0, 0)`),
    contrast: false,
  },
  panels: [{ title: 'Reward <parts>', legend: [{ text: 'a & b', colour: 1 }], x: 8, y: 0, chart }],
};

it('a sheet of charts is one SVG: lines with their gaps, marks with intervals, names escaped', () => {
  const svg = svgOf(sheet);
  expect(svg).toContain('font-family="&quot;Segoe UI&quot;, sans-serif"');
  expect(svg).toContain('Reward &lt;parts&gt;');
  expect(svg).toContain('fill="rgb(1, 0, 0)">a &amp; b<');
  expect(svg).toContain(
    'd="M0 1L10 2M20 3h0.01" fill="none" stroke="rgb(0, 0, 0)" stroke-linecap="round" stroke-width="1" opacity="0.3"',
  );
  expect(svg).toContain('d="M0 4L10 5.1" fill="none" stroke="rgb(1, 0, 0)"');
  expect(svg).toContain('>Stage 2<');
  expect(svg).toContain('d="M30 10V30"');
  expect(svg.match(/<circle/g)).toHaveLength(1);
  const open = [...svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)].reduce((depth, [, end, , self]) => {
    if (self) return depth;
    return end ? depth - 1 : depth + 1;
  }, 0);
  expect(open).toBe(0);
  expect(svg).not.toMatch(/NaN|undefined/);
});
