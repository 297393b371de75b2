import { element } from '../common/dom';

/** Colours for a canvas. */
export interface Theme {
  fg: string;
  dim: string;
  grid: string;
  lines: string[];
  contrast: boolean;
}

/** Number of distinguishable runs or lines; further ones repeat. */
export const lineCount = 6;

/** Lines differ in dash as well as in colour: in canvas pixels. */
export const dashes: number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 5], [5, 2, 2, 2, 2, 2]];

/** The effective colours of dashboard.css, including forced colours: read from elements with its classes. */
export function readTheme(): Theme {
  const probe = element('div', { class: 'probe', 'aria-hidden': 'true' });
  document.body.append(probe);
  const colour = (name: string) => {
    probe.className = `probe ${name}`;
    return getComputedStyle(probe).color;
  };
  const theme: Theme = {
    fg: colour('colour-fg'),
    dim: colour('colour-dim'),
    grid: colour('colour-grid'),
    lines: Array.from({ length: lineCount }, (_, i) => colour(`line-${i}`)),
    contrast: /vscode-high-contrast/.test(document.body.className) || matchMedia('(forced-colors: active)').matches,
  };
  probe.remove();
  return theme;
}

/** Calls back when VS Code changes the theme, which changes the classes of the body and the variables of the root. */
export function onThemeChange(changed: () => void): void {
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      changed();
    });
  };
  const observer = new MutationObserver(soon);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  matchMedia('(forced-colors: active)').addEventListener('change', soon);
}

/** The name of a run beside its swatch, if there are several. */
export const letterOf = (run: number): string => String.fromCharCode(65 + run);

/** A short piece of the line of run or metric `index`. */
export function swatch(index: number): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [name, value] of Object.entries({
    class: `swatch line-${index % lineCount}`,
    width: '26',
    height: '8',
    viewBox: '0 0 26 8',
    'aria-hidden': 'true',
  }))
    svg.setAttribute(name, value);
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', 'M0 4H26');
  path.setAttribute('stroke', 'currentColor');
  path.setAttribute('stroke-width', '2');
  path.setAttribute('stroke-dasharray', dashes[index % dashes.length].join(' '));
  svg.append(path);
  return svg;
}
