import { element } from '../common/dom';
import { rolloutsShares } from './model';

const step = 0.05;
const { least, most } = rolloutsShares;

/**
 * A region with a splitter between the page and a pane at its end, moved by dragging or arrow keys. `change` receives
 * the pane's share.
 */
export function splitter(label: string, share: () => number, change: (share: number) => void): HTMLElement {
  const bar = element('div', {
    class: 'splitter',
    role: 'separator',
    tabindex: 0,
    'aria-label': label,
    'aria-valuemin': 100 * least,
    'aria-valuemax': 100 * most,
    'aria-valuenow': Math.round(100 * share()),
  });
  const set = (to: number) => {
    const now = Math.min(most, Math.max(least, to));
    bar.setAttribute('aria-valuenow', String(Math.round(100 * now)));
    change(now);
  };
  bar.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
  });
  bar.addEventListener('pointermove', ({ clientX, clientY, pointerId }) => {
    if (!bar.hasPointerCapture(pointerId)) return;
    const around = bar.parentElement!.parentElement!;
    const { left, top, width, height } = around.getBoundingClientRect();
    const across = getComputedStyle(around).flexDirection === 'row';
    set(1 - (across ? (clientX - left) / width : (clientY - top) / height));
  });
  bar.addEventListener('keydown', ({ key }) => {
    if (key === 'ArrowLeft' || key === 'ArrowUp') set(share() + step);
    if (key === 'ArrowRight' || key === 'ArrowDown') set(share() - step);
  });
  return element('div', { class: 'divider', role: 'region', 'aria-label': label }, bar);
}
