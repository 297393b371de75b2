import { element } from '../common/dom';

/** Colours as a canvas takes them. */
export interface Theme {
  fg: string;
  dim: string;
  grid: string;
  lines: string[];
  contrast: boolean;
}

/** As many runs or lines as can be told apart; more begin again. */
export const lineCount = 6;

/** Lines differ in dash as well as in colour: in canvas pixels. */
export const dashes: number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 5], [5, 2, 2, 2, 2, 2]];

/**
 * What dashboard.css makes of the theme's variables, forced colours included: read from elements that carry its
 * classes.
 */
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

/**
 * Calls back when VS Code changes the theme, which it does by the classes of the body and the variables of the root.
 */
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

/** What a run is called where there are several, beside its swatch. */
export const letterOf = (run: number): string => String.fromCharCode(65 + run);

/** A short piece of the line that stands for run or metric `index`. */
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
