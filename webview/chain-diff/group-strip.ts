/** Every completion of the prompt, best first. */
import type { CaseView, GroupMember } from '../../src/protocol/chain-diff';
import { element } from '../common/dom';
import { explain } from '../common/explain';
import { verdictOf } from '../common/verdict';
import { explainMember } from './facts';
import { signedValue } from './overlays';

/** `choose` receives the sample, and whether to show it in the third column. */
export function makeGroupStrip(view: CaseView, choose: (sample: number, third: boolean) => void): HTMLElement {
  const { group, subject, moments, unit } = view;
  const size = Math.max(...group.map(({ reward }) => Math.abs(reward ?? 0)), 1e-9);
  const longest = Math.max(...group.map(({ length }) => length), 1);
  const moment = moments.find(({ key }) => key === subject.moment);
  const groups = new Set(group.map((member) => member.group)).size;
  const right = group.filter(({ correct }) => correct).length;
  const list = element('div', {
    class: 'members',
    role: 'listbox',
    'aria-label': `${group.length} completions, ${right} right, best first`,
    'aria-orientation': 'horizontal',
    'data-testid': 'group',
  });
  group.forEach((member, i) => {
    const made = makeMember(member, member.sample === subject.sample, { several: groups > 1, size, longest, unit });
    made.tabIndex = member.sample === subject.sample || (i === 0 && subject.sample === undefined) ? 0 : -1;
    made.addEventListener('click', ({ shiftKey }) => choose(member.sample, shiftKey));
    list.append(made);
  });
  list.addEventListener('keydown', (event) => {
    const at = [...list.children].indexOf(document.activeElement!);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: list.children.length - 1 }[event.key];
    if (event.key === 'Enter' || event.key === ' ') choose(group[at].sample, event.shiftKey);
    else if (to === undefined) return;
    else (list.children[to] as HTMLElement | undefined)?.focus();
    event.preventDefault();
    event.stopPropagation();
  });
  const several = groups > 1 ? `${groups} groups, ${group.length} completions` : `Group of ${group.length}`;
  const title = group.length === 1 ? 'One completion' : several;
  return element(
    'div',
    { class: 'group' },
    element('span', { class: 'dim group-title' }, `${title}${moment && group.length > 1 ? `, ${right} right` : ''}`),
    list,
  );
}

/** The scale of the drawing: number of groups, largest absolute reward, greatest length. */
interface StripScale {
  several: boolean;
  size: number;
  longest: number;
  unit: CaseView['unit'];
}

function makeMember(member: GroupMember, chosen: boolean, { several, size, longest, unit }: StripScale): HTMLElement {
  const { group, reward, length, correct, finished, answer, sample } = member;
  const verdict = verdictOf(correct);
  const share = reward === null ? length / longest : Math.abs(reward) / size;
  const bar = element('span', { class: 'bar-of-member', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', share.toFixed(3));
  const said = [
    reward === null ? null : `reward ${signedValue(reward)}`,
    verdict?.said ?? null,
    answer === null ? 'no answer' : `answer ${answer}`,
    `${length} ${unit}${finished ? '' : ', cut off'}`,
    `sample ${sample + 1}`,
    several ? `group ${group + 1}` : null,
  ];
  const made = element(
    'div',
    {
      class: `member ${correct ? 'right' : 'not-right'}`,
      role: 'option',
      'aria-selected': String(chosen),
      'aria-label': said.filter(Boolean).join(', '),
    },
    element('span', { class: verdict?.class ?? 'dim' }, verdict?.mark ?? '·'),
    ` ${reward === null ? (answer ?? 'none') : signedValue(reward)} · ${length} ${unit === 'words' ? unit : 'tok'}`,
    finished ? null : element('span', { class: 'bad' }, '…'),
    bar,
  );
  explain(made, () => explainMember(member, unit));
  return made;
}
