/** Charts as pictures for papers and slides: one SVG of all, and the same as PNG, exactly as displayed. */
import { shortStageTitles, stageNames } from '../../src/stages';
import type { Band } from './axis';
import type { ChartMark } from './marks';
import { dashes, lineCount, type Theme } from './theme';

/** A tick, in pixels along its axis. */
interface Tick {
  at: number;
  text: string;
}

interface DrawnLine {
  colour: number;
  /** Behind the smoothed line: the measured values. */
  faint: boolean;
  /** Pixels; null separates segments. */
  points: (readonly [x: number, y: number] | null)[];
}

/** The content of a chart, in pixels of its plot. */
export interface DrawnChart {
  left: number;
  top: number;
  width: number;
  height: number;
  bands: (Pick<Band, 'stage' | 'phase'> & { from: number; to: number })[];
  xTicks: Tick[];
  yTicks: Tick[];
  lines: DrawnLine[];
  marks: { x: number; y: number; colour: ChartMark['colour']; interval?: [number, number] }[];
  /** As drawn on the canvas. */
  canvas: HTMLCanvasElement;
}

interface DrawnPanel {
  title: string;
  /** Names of its lines; `colour` is undefined if there is only one. */
  legend: { text: string; colour?: number }[];
  x: number;
  y: number;
  chart: DrawnChart;
}

export interface ChartPicture {
  width: number;
  height: number;
  background: string;
  font: string;
  theme: Theme;
  panels: DrawnPanel[];
}

const head = 22;

/** The sheet as one self-contained SVG file. */
export function svgOf(sheet: ChartPicture): string {
  const { background, font } = sheet;
  const [width, height] = [round(sheet.width), round(sheet.height)];
  const panels = sheet.panels.map((panel) => panelSvg(panel, sheet));
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${escaped(font)}" font-size="11">
<rect width="100%" height="100%" fill="${background}"/>
${panels.join('\n')}
</svg>
`;
}

function panelSvg({ title, legend, x, y, chart }: DrawnPanel, { theme }: ChartPicture): string {
  const { left, top, width, height, bands, lines, marks, xTicks, yTicks } = chart;
  const ink = (colour: number | null | undefined) =>
    colour === null || colour === undefined ? theme.fg : theme.lines[colour % lineCount];
  const names = legend.map(
    ({ text, colour }) =>
      `<tspan dx="10" fill="${colour === undefined ? theme.dim : ink(colour)}">${escaped(text)}</tspan>`,
  );
  const parts = [
    `<text y="14" fill="${theme.fg}"><tspan font-weight="bold">${escaped(title)}</tspan>${names.join('')}</text>`,
    `<g transform="translate(${round(left)} ${round(top + head)})">`,
    ...yTicks.map(
      ({ at, text }) =>
        `<path d="M0 ${round(at)}H${round(width)}" stroke="${theme.grid}"/><text x="-6" ` +
        `y="${round(at + 4)}" text-anchor="end" fill="${theme.dim}">${escaped(text)}</text>`,
    ),
    ...xTicks.map(
      ({ at, text }) =>
        `<text x="${round(at)}" y="${round(height + 14)}" ` +
        `text-anchor="middle" fill="${theme.dim}">${escaped(text)}</text>`,
    ),
    ...bands.flatMap((band, i) => bandSvg(band, i, chart, theme)),
    ...lines.map(
      ({ points, faint, colour }) =>
        `<path d="${pathOf(points)}" fill="none" stroke="${ink(colour)}" stroke-linecap="round" ` +
        `stroke-width="${faint ? 1 : 1.5}"${faint ? ' opacity="0.3"' : dash(colour)}/>`,
    ),
    ...marks.map(({ x: at, y: up, colour, interval }) => markSvg(at, up, ink(colour), interval)),
    '</g>',
  ];
  return `<g transform="translate(${round(x)} ${round(y)})">\n${parts.join('\n')}\n</g>`;
}

function dash(colour: number): string {
  const lengths = dashes[colour % dashes.length];
  return lengths.length > 0 ? ` stroke-dasharray="${lengths.join(' ')}"` : '';
}

function bandSvg(
  { stage, phase, from, to }: DrawnChart['bands'][number],
  i: number,
  { width, height }: DrawnChart,
  theme: Theme,
): string[] {
  const [left, right] = [Math.max(0, from), Math.min(width, to)];
  if (right <= left) return [];
  const name = stageNames[stage];
  const title = phase === name ? shortStageTitles[name] : phase;
  const line = `<path d="M${round(left)} 0V${round(height)}" stroke="${theme.dim}" opacity="0.45"/>`;
  // An estimate of the width, as text cannot be measured here.
  const text = `<text x="${round(left + 4)}" y="10" font-size="10" fill="${theme.dim}">${escaped(title)}</text>`;
  return [...(i > 0 ? [line] : []), ...(title.length * 5.5 < right - left - 8 ? [text] : [])];
}

function markSvg(x: number, y: number, ink: string, interval?: [number, number]): string {
  if (!interval)
    return `<circle cx="${round(x)}" cy="${round(y)}" r="2.8" fill="none" stroke="${ink}" stroke-width="1.5"/>`;
  const [from, to] = interval.map(round);
  const line = `<path d="M${round(x)} ${from}V${to}" stroke="${ink}" stroke-width="1.5"/>`;
  return `${line}<path d="M${round(x)} ${round(y - 4.5)}l4.5 4.5l-4.5 4.5l-4.5 -4.5z" fill="${ink}"/>`;
}

function pathOf(points: DrawnLine['points']): string {
  let [path, pen] = ['', 'M'];
  for (const point of points) {
    if (point) path += `${pen}${round(point[0])} ${round(point[1])}`;
    pen = point ? 'L' : 'M';
  }
  // A line of one value has no length: its round end is a dot.
  return path.replace(/M([^ML]+)(?=M|$)/g, 'M$1h0.01');
}

const round = (value: number) => String(Math.round(value * 10) / 10);
const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => names[sign]);

/** The sheet as PNG from the pixels of the page: base64. */
export function pngOf({ width, height, background, font, theme, panels }: ChartPicture, ratio: number): string {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext('2d')!;
  context.scale(ratio, ratio);
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  for (const { title, legend, x, y, chart } of panels) {
    context.font = `bold 11px ${font}`;
    context.fillStyle = theme.fg;
    context.fillText(title, x, y + 14);
    let at = x + context.measureText(title).width;
    context.font = `11px ${font}`;
    for (const { text, colour } of legend) {
      context.fillStyle = colour === undefined ? theme.dim : theme.lines[colour % lineCount];
      context.fillText(text, at + 10, y + 14);
      at += 10 + context.measureText(text).width;
    }
    context.drawImage(chart.canvas, x, y + head, chart.canvas.width / ratio, chart.canvas.height / ratio);
  }
  return canvas.toDataURL('image/png').replace(/^data:image\/png;base64,/, '');
}
