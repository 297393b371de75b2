/** Explanations of numbers: for a token, and for a reward. */
import type { CaseView, ChainView, GroupMember } from '../../src/protocol/chain-diff';
import { element } from '../common/dom';
import { factTable } from '../common/explain';
import { verdictOf } from '../common/verdict';
import { visibleNodes } from '../common/visible';
import { format, signedValue, tokenKl } from './overlays';

interface Fact {
  name: string;
  value: string;
  about?: string;
}

function tokenFacts(chain: ChainView, token: number): Fact[] {
  const facts: Fact[] = [
    { name: 'id', value: String(chain.ids[token]), about: `token ${token + 1} of ${chain.ids.length}` },
  ];
  const logProb = chain.logProbs?.[token] ?? null;
  const refLogProb = chain.refLogProbs?.[token] ?? null;
  const entropy = chain.entropy?.[token] ?? null;
  if (logProb !== null)
    facts.push({
      name: 'log-prob',
      value: format(logProb),
      about: `probability ${roughly(Math.exp(logProb))} when sampled`,
    });
  if (refLogProb !== null)
    facts.push({
      name: 'reference',
      value: format(refLogProb),
      about: `probability ${roughly(Math.exp(refLogProb))} by the reference`,
    });
  if (logProb !== null && refLogProb !== null)
    facts.push({
      name: 'KL',
      value: format(tokenKl(logProb, refLogProb)),
      about: 'exp(x) − x − 1, x = reference − log-prob',
    });
  if (entropy !== null) facts.push({ name: 'entropy', value: `${format(entropy)} nats` });
  if (chain.reward?.advantage !== null && chain.reward !== undefined)
    facts.push({
      name: 'advantage',
      value: signedValue(chain.reward.advantage),
      about: 'the same for all tokens of the completion',
    });
  for (const { from, to, text } of chain.findings)
    if (token >= from && token < to) facts.push({ name: 'checked', value: text });
  return facts;
}

export function explainToken(chain: ChainView, token: number): Node[] {
  const text = chain.texts[token];
  const shown = JSON.stringify(text).slice(1, -1);
  const recorded = chain.logProbs !== undefined;
  return [
    element('p', { class: 'token-name' }, ...visibleNodes(shown === '' ? '(part of a character)' : shown)),
    factTable(tokenFacts(chain, token)),
    element(
      'p',
      { class: 'dim' },
      recorded ? 'Ctrl+click or R: open the record' : 'Recorded as text. R: open the record',
    ),
  ];
}

/** How a completion's reward and advantage are computed. */
export function explainReward({ reward }: ChainView): Node[] {
  if (!reward) return [];
  const { total, advantage, groupMean, groupStd, parts, scale } = reward;
  const mean = groupMean === null ? '' : ` ${signedValue(groupMean)}`;
  const deviation = groupStd === null ? '' : ` (standard deviation ${format(groupStd)})`;
  const scaled = scale === 'group' || scale === 'batch' ? `, divided by the ${scale}’s standard deviation` : '';
  return [
    factTable([
      { name: 'reward', value: total === null ? 'not scored' : signedValue(total), about: 'the sum of its parts' },
      ...parts.map(({ name, value, weight, about }) => ({
        name,
        value: value === null ? 'does not apply' : signedValue(value),
        about: value !== null && weight ? `= weight ${format(weight)} × ${format(value / weight)}. ${about}` : about,
      })),
      ...(advantage === null
        ? []
        : [
            {
              name: 'advantage',
              value: signedValue(advantage),
              about: `the reward minus the group’s mean${mean}${scaled}${deviation}`,
            },
          ]),
    ]),
    element('p', { class: 'dim' }, 'Click: open the record'),
  ];
}

export function explainMember(
  { reward, advantage, length, answer, correct, finished, sample }: GroupMember,
  unit: CaseView['unit'],
): Node[] {
  return [
    factTable([
      { name: 'sample', value: String(sample + 1) },
      ...(reward === null ? [] : [{ name: 'reward', value: signedValue(reward) }]),
      ...(advantage === null ? [] : [{ name: 'advantage', value: signedValue(advantage), about: 'against its group' }]),
      { name: 'length', value: `${length} ${unit}`, ...(finished ? {} : { about: 'cut off by the token budget' }) },
      { name: 'answer', value: answer ?? 'none', about: verdictOf(correct)?.said },
    ]),
    element('p', { class: 'dim' }, 'Click or Enter: show as the student’s. With Shift: show in the third column.'),
  ];
}

/** A share with two digits. */
export const roughly = (share: number) =>
  `${share >= 0.0995 ? (100 * share).toFixed(0) : (100 * share).toPrecision(2)} %`;
