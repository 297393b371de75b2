import type { RunHead } from '../../src/protocol/dashboard';
import type { FromDashboard } from '../../src/protocol/dashboard-requests';
import { element, redraw } from '../common/dom';
import { letterOf } from './theme';

type RunControl = Extract<FromDashboard, { type: 'control' }>['verb'];

const titles: Record<RunControl, string> = {
  pause: 'Finish the current update, write a checkpoint, and wait',
  resume: 'Resume from the last checkpoint',
  stop: 'Finish the current update, write a checkpoint, and end the run; it can be resumed',
};

/** The available actions on a run, by state. */
export function verbsOf(state: RunHead['state']): RunControl[] {
  if (state === 'running') return ['pause', 'stop'];
  if (state === 'paused') return ['resume', 'stop'];
  return state === 'stopped' || state === 'interrupted' || state === 'failed' ? ['resume'] : [];
}

/**
 * Pause, Resume and Stop, redrawn only when a run's state changes: headers change twice a second, and buttons must stay
 * under the mouse.
 */
export class Controls {
  readonly root = element('div', { class: 'controls', role: 'group', 'aria-label': 'Run' });
  private drawn = '';

  constructor(private readonly act: (run: string, verb: RunControl) => void) {}

  draw(heads: readonly RunHead[]): void {
    const key = JSON.stringify(heads.map(({ folder, state }) => [folder, state]));
    if (key === this.drawn) return;
    this.drawn = key;
    const many = heads.length > 1;
    redraw(
      this.root,
      ...heads.flatMap(({ folder, id, state }, i) =>
        verbsOf(state).map((verb) => {
          const name = `${verb[0].toUpperCase()}${verb.slice(1)}${many ? ` ${letterOf(i)}` : ''}`;
          const made = element('button', { class: 'plain', title: `${titles[verb]} (${id})` }, name);
          made.addEventListener('click', () => {
            made.disabled = true; // until the run's state has changed
            setTimeout(() => {
              made.disabled = false;
            }, 5000);
            this.act(folder, verb);
          });
          return made;
        }),
      ),
    );
    this.root.hidden = this.root.children.length === 0;
  }
}
