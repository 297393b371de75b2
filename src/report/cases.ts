/** Cases of a report: the failures of a run or, if it has none, completions of its last update. */

import { completionLength, completionText } from '../chain/completion';
import { placeChain } from '../chain/split';
import { UserError } from '../errors';
import { groupedBy } from '../grouped';
import type { Damage } from '../lines';
import { readFailures, readRewrites, readRollouts, rolloutSteps } from '../runs/reading';
import type { FailureRecord } from '../runs/records';
import { plural } from '../words';
import { type Html, html } from './html';

/** A wrong part of a text, and the reason. */
interface WrongPart {
  start: number;
  end: number;
  reason: string;
}

interface ShownText {
  title: string;
  text: string;
  mark?: WrongPart;
  /** Right, wrong, or not judged. */
  correct?: boolean | null;
}

export interface ReportedCase {
  problemId: string;
  question: string;
  answer: string;
  category?: string;
  texts: ShownText[];
}

interface CaseChoice {
  count: number;
  /** Problems by id. */
  named: readonly string[];
  /** Called for lines that cannot be read. */
  damage: Damage;
}

/** The named ones first, then others up to `count`. @throws UserError for an unknown case */
export function casesOf(run: string, { count, named, damage }: CaseChoice): ReportedCase[] {
  const failures = readFailures(run, damage);
  const all = failures.length > 0 ? casesOfFailures(run, failures, damage) : ofRollouts(run, damage);
  const byId = new Map(all.map((one) => [one.problemId, one]));
  const chosen = named.map((id) => {
    const found = byId.get(id);
    if (found) return found;
    const known = [...byId.keys()].slice(0, 6).join(', ');
    throw new UserError(`the run has no case "${id}"`, {
      file: run,
      code: 'run',
      remedy: known ? `There are: ${known}${byId.size > 6 ? ', ...' : ''}.` : 'It has none at all.',
    });
  });
  const others = all.filter((one) => !chosen.includes(one));
  // Those with a first wrong step are the most informative.
  const marked = (one: ReportedCase) => Number(one.texts.some(({ mark }) => mark));
  return [...chosen, ...others.toSorted((a, b) => marked(b) - marked(a))].slice(0, Math.max(count, chosen.length));
}

function casesOfFailures(run: string, failures: readonly FailureRecord[], damage: Damage): ReportedCase[] {
  const rewrites = readRewrites(run, damage).filter(({ accepted }) => accepted);
  return failures.map(({ problemId, question, answer, category, samples, firstWrongStep, teacherChain }) => {
    const shown =
      firstWrongStep?.sample ??
      Math.max(
        0,
        samples.findIndex(({ correct }) => !correct),
      );
    const sample = samples[shown];
    const rewrite = rewrites.find((one) => one.problemId === problemId);
    const length = sample && `${sample.tokens} ${sample.unit ?? 'tokens'}${sample.finished ? '' : ', cut off'}`;
    return {
      problemId,
      question,
      answer,
      category,
      texts: [
        ...(sample
          ? [
              {
                title: `The student’s answer (${length})`,
                text: sample.text,
                correct: sample.correct,
                mark: markOf(sample.text, firstWrongStep),
              },
            ]
          : []),
        ...(teacherChain ? [{ title: 'The teacher’s chain', text: teacherChain }] : []),
        ...(rewrite
          ? [{ title: `The accepted rewrite (${rewrite.tokens} tokens)`, text: rewrite.text, correct: true }]
          : []),
      ],
    };
  });
}

/** The range of the first wrong step in the answer's text; undefined if it cannot be found. */
function markOf(text: string, wrong: FailureRecord['firstWrongStep']): WrongPart | undefined {
  if (!wrong) return undefined;
  const place = placeChain(text).place(wrong);
  return place && { ...place, reason: wrong.reason };
}

/** For each problem of the last update, the best and the worst completion. */
function ofRollouts(run: string, damage: Damage): ReportedCase[] {
  const last = rolloutSteps(run).at(-1);
  if (!last) return [];
  const groups = groupedBy(readRollouts(run, last.stage, last.step, damage), ({ problemId }) => problemId);
  return groups.map((group) => {
    const ranked = group.toSorted((a, b) => (b.reward ?? -Infinity) - (a.reward ?? -Infinity));
    const ends = ranked.length > 1 ? [ranked[0], ranked[ranked.length - 1]] : ranked;
    const [{ problemId, question, prompt, gold = '' }] = group;
    return {
      problemId,
      question: question ?? prompt,
      answer: gold,
      category: `update ${last.step}, ${plural(group.length, 'completion')}`,
      texts: ends.map((one, i) => ({
        title:
          `${['Best', 'Worst'][i]} completion (reward ${one.reward?.toFixed(2) ?? 'none'}, ` +
          `${completionLength(one)} ` +
          `${one.unit ?? 'tokens'}${one.finished ? '' : ', cut off'})`,
        text: completionText(one),
        correct: one.correct,
      })),
    };
  });
}

export function casesPart(cases: readonly ReportedCase[]): Html | null {
  if (cases.length === 0) return null;
  return html`<section><h2>Cases</h2>
${cases.map(casePart)}
</section>`;
}

const casePart = ({ problemId, question, answer, category, texts }: ReportedCase): Html => html`<details open>
<summary><strong>${problemId}</strong>${category ? html` <span class="dim">${category}</span>` : null}</summary>
<p class="question">${question}</p>
${answer ? html`<p>Reference answer: <strong>${answer}</strong></p>` : null}
<div class="texts">${texts.map(textPart)}</div>
</details>
`;

const marked = (text: string, { start, end }: { start: number; end: number }) =>
  html`${text.slice(0, start)}<mark>${text.slice(start, end)}</mark>${text.slice(end)}`;

function textPart({ title, text, mark, correct }: ShownText): Html {
  const verdict =
    typeof correct === 'boolean'
      ? html` <span class="${correct ? 'good' : 'bad'}">${correct ? '✓\u00a0right' : '✗\u00a0wrong'}</span>`
      : null;
  const reason = mark ? html`<p class="reason">First wrong step: ${mark.reason}.</p>` : null;
  return html`<article><h3>${title}${verdict}</h3><pre>${mark ? marked(text, mark) : text}</pre>${reason}</article>`;
}
