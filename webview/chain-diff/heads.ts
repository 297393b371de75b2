/** Column headers: role, length, answer, verdict, and the reward with its components. */
import type { CaseView, ChainView } from '../../src/protocol/chain-diff';
import type { FromChainPage } from '../../src/protocol/chain-diff-requests';
import { element } from '../common/dom';
import { explain, factTable } from '../common/explain';
import { verdictOf } from '../common/verdict';
import { visibleNodes } from '../common/visible';
import { explainReward, roughly } from './facts';
import { missingFor, type Overlay, signedValue } from './overlays';

export const roleTitles = { teacher: 'Teacher', student: 'Student', rewritten: 'Rewritten' };

interface ShownCase {
  view: CaseView;
  overlay: Overlay;
}

/** One header per chain, after one for step numbers. */
export function makeHeads(
  chains: readonly ChainView[],
  { view, overlay }: ShownCase,
  inline: boolean,
  post: (message: FromChainPage) => void,
): Node[] {
  const corner = element(
    'div',
    { class: 'number', role: 'columnheader' },
    element('span', { class: 'spoken' }, 'Step'),
  );
  const teacher = chains.find(({ role }) => role === 'teacher');
  const heads = chains.map((chain) =>
    element(
      'div',
      { class: `head ${chain.role}`, role: inline ? undefined : 'columnheader' },
      ...headOf(chain, { view, overlay }, teacher, post),
    ),
  );
  return inline
    ? [corner, element('div', { class: 'inline-heads', role: 'columnheader' }, ...heads)]
    : [corner, ...heads];
}

function headOf(
  chain: ChainView,
  { view, overlay }: ShownCase,
  teacher: ChainView | undefined,
  post: (message: FromChainPage) => void,
): Node[] {
  const { role, reward } = chain;
  const lacks = missingFor(chain, overlay);
  const verdict = role === 'rewritten' && !view.subject.third ? view.rewrites.verdict : null;
  const origin = [chain.label, verdict, lacks].filter(Boolean).join(' · ');
  const first = element(
    'div',
    { class: 'head-line' },
    element('b', {}, roleTitles[role]),
    element('span', { class: 'space' }),
  );
  if (reward && reward.total !== null) first.append(rewardButton(chain, post));
  const copyButton = iconButton('copy', `Copy the ${role} chain`, () => post({ type: 'copy', role }));
  first.append(lengthOf(chain, view, teacher), answerOf(chain, view), copyButton);
  const buttons = role === 'rewritten' ? [...rewriteButtons(view, post), ...decisionButtons(view, post)] : [];
  const text = element('span', { class: 'origin', title: origin }, origin);
  return [first, element('div', { class: 'head-line dim origin-line' }, ...buttons, text)];
}

function rewardButton(chain: ChainView, post: (message: FromChainPage) => void): HTMLElement {
  const { total, advantage } = chain.reward!;
  const onclick = () => post({ type: 'openRecord', origin: { ...chain.origin, field: 'reward' } });
  const made = element(
    'button',
    { class: 'number-button', 'data-testid': `reward-${chain.role}`, onclick },
    signedValue(total!),
    advantage === null ? null : element('span', { class: 'dim' }, ` adv ${signedValue(advantage)}`),
  );
  explain(made, () => explainReward(chain));
  return made;
}

function lengthOf(chain: ChainView, view: CaseView, teacher: ChainView | undefined): HTMLElement {
  const { length: recorded, lengthIsRecorded, finished, ids, ended } = chain;
  // Side by side in one unit, whatever was recorded.
  const { unit } = view;
  const inWords = unit === 'words';
  const length = inWords ? ids.length - Number(ended) : recorded;
  const comparable =
    teacher && teacher !== chain && teacher.length > 0 && (inWords || teacher.lengthIsRecorded === lengthIsRecorded);
  const against = inWords ? teacher?.ids.length : teacher?.length;
  const change = comparable && against ? (length - against) / against : null;
  const made = element('span', { class: 'dim length', tabindex: 0 }, `${length} ${unit}`);
  if (change !== null) made.append(` ${change < 0 ? '−' : '+'}${roughly(Math.abs(change))}`.replace(' %', '%'));
  if (!finished) made.append(element('span', { class: 'bad' }, ' cut off'));
  explain(made, () => [
    factTable([
      { name: 'length', value: `${length} ${unit}`, about: inWords ? undefined : 'without the end token' },
      ...(lengthIsRecorded ? [{ name: 'recorded', value: `${recorded} tokens` }] : []),
      ...(change === null
        ? []
        : [
            {
              name: 'change',
              value: `${signedValue(100 * change, 0)} %`,
              about: `against the teacher’s ${against}`,
            },
          ]),
      ...(finished ? [] : [{ name: 'cut off', value: 'yes', about: 'cut off by the token budget' }]),
    ]),
  ]);
  return made;
}

function answerOf({ answer, correct }: ChainView, view: CaseView): HTMLElement {
  const verdict = verdictOf(correct);
  if (!verdict) {
    const plain = element('span', { class: 'answer' });
    plain.append(...visibleNodes(answer ?? 'no answer'));
    return plain;
  }
  const made = element('span', { class: `${verdict.class} answer`, tabindex: 0 });
  made.append(...visibleNodes(answer ?? 'no answer'), element('span', { 'aria-hidden': 'true' }, ` ${verdict.mark}`));
  made.append(element('span', { class: 'spoken' }, ` ${verdict.said}`));
  explain(made, () => [
    factTable([
      { name: 'answer', value: answer ?? 'none found' },
      { name: 'right answer', value: view.answer, about: correct ? 'equal as a number' : 'not equal' },
    ]),
  ]);
  return made;
}

/** The request for the rewrite `by` places further, wrapping round. There must be one. */
export function rewriteFrom({ subject, rewrites: { count } }: CaseView, by: number): FromChainPage {
  const rewrite = ((subject.rewrite ?? 0) + by + count) % count;
  return { type: 'show', subject: { ...subject, rewrite, third: undefined } };
}

function rewriteButtons(view: CaseView, post: (message: FromChainPage) => void): Node[] {
  if (view.rewrites.count < 2) return [];
  const go = (by: number, icon: string, name: string) => iconButton(icon, name, () => post(rewriteFrom(view, by)));
  return [go(-1, 'previous', 'Previous rewrite (Shift+V)'), go(1, 'next', 'Next rewrite (V)')];
}

function decisionButtons({ rewrites: { can } }: CaseView, post: (message: FromChainPage) => void): Node[] {
  if (!can) return [];
  const decide = (what: 'accept' | 'reject' | 'edit', text: string, key: string) => {
    const name = `${text} rewrite`;
    const onclick = () => post({ type: 'decide', what });
    return element('button', { class: 'link', title: `${name} (${key})`, 'aria-label': name, onclick }, text);
  };
  return [
    can.accept ? decide('accept', 'Accept', 'A') : null,
    decide('edit', 'Edit', 'E'),
    can.reject ? decide('reject', 'Reject', 'D') : null,
  ].filter((one) => one !== null);
}

const iconButton = (icon: string, name: string, onclick: () => void) =>
  element('button', { class: `icon ${icon}`, title: name, 'aria-label': name, onclick });
