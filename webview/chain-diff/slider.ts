/** Moves the problem through training: a stop for each time it was answered, a tick where a stage begins. */
import type { CaseView } from '../../src/protocol/chain-diff';
import { element } from '../common/dom';

export function makeSlider({ moments, subject }: CaseView, go: (moment: string) => void): HTMLElement | null {
  const at = moments.findIndex(({ key }) => key === subject.moment);
  if (at < 0 || moments.length < 2) return null;
  const current = moments[at];
  const said = (i: number) => `${moments[i].stage}, ${moments[i].label}`;
  const where = element('span', { class: 'where', 'aria-hidden': 'true' }, said(at));
  const count = element('span', { class: 'dim' }, `${at + 1} of ${moments.length} moments`);
  const input = element('input', {
    type: 'range',
    min: 0,
    max: moments.length - 1,
    step: 1,
    value: at,
    'aria-label': 'Moment of training',
    'aria-valuetext': said(at),
    'data-testid': 'moments',
  });
  input.addEventListener('input', () => {
    where.textContent = said(input.valueAsNumber);
    input.setAttribute('aria-valuetext', said(input.valueAsNumber));
  });
  input.addEventListener('change', () => go(moments[input.valueAsNumber].key));
  const ticks = moments.map(({ stage, kind }, i) => {
    const begins = i > 0 && moments[i - 1].stage !== stage;
    const tick = element('span', { class: `tick ${kind}${begins ? ' boundary' : ''}`, title: said(i) });
    tick.style.setProperty('--at', String(i / (moments.length - 1)));
    return tick;
  });
  return element(
    'div',
    { class: 'slider' },
    element('span', { class: 'dim' }, moments[0].stage),
    element('div', { class: 'track' }, element('div', { class: 'ticks', 'aria-hidden': 'true' }, ...ticks), input),
    current.stage === moments.at(-1)!.stage ? null : element('span', { class: 'dim' }, moments.at(-1)!.stage),
    where,
    count,
  );
}
