/** Scores of a reward for recorded completions, as text beside the reward. Pure. */

import { stepMarks } from '../../reward-components/input';
import type { Rescored } from '../../rewards/dry-run';
import type { Scorable } from '../../rewards/recorded';
import { allEqual, groupsOf, type RewardDistribution, type ScoreSummary, summariseScores } from '../../rewards/summary';
import type { RolloutRecord } from '../../runs/records';
import { deviation, largest, smallest } from '../../statistics';
import { minus, percent, plural, signed } from '../../words';
import { clipLine } from '../shared/words';
import { type PageText, ScorePage } from './page';

type RescoredCompletion = Rescored<Scorable<RolloutRecord>>;

/** At most this many rising and falling completions are shown. */
const mostMoved = 15;
/** At most this many groups are shown in full. */
const mostGroups = 60;
/** Maximum number of characters of a completion. */
const textWidth = 120;

/** `about` names the source of the completions; `warnings` lists limits of the comparison. */
export function scoreReport(
  title: string,
  about: string,
  rescored: readonly RescoredCompletion[],
  warnings: readonly string[] = [],
): PageText {
  const page = new ScorePage();
  const summary = summariseScores(rescored);
  const groups = groupsOf(rescored);
  page.head(`${title}: ${plural(summary.count, 'completion')}, ${plural(summary.groups, 'group')}`);
  page.line(about, 'dim');
  for (const warning of warnings) page.line(`! ${warning}`, 'fall');
  page.line();
  parts(page, summary);
  movement(page, summary);
  flatGroups(page, groups);
  moved(page, rescored, 'rises');
  moved(page, rescored, 'falls');
  wholeGroups(page, groups);
  return page.text();
}

const number = (value: number, digits = 3) => minus(value.toFixed(digits));
const numberText = (value: number | null | undefined) => (value == null ? '–' : number(value));

function parts(page: ScorePage, { total, parts: components }: ScoreSummary): void {
  page.head('Mean of each component, with its weight');
  const row = (name: string, before: RewardDistribution | null, after: RewardDistribution | null) => {
    const { change, tone } = changeOf(before, after);
    return {
      cells: [
        name,
        numberText(after?.mean),
        numberText(before?.mean),
        change,
        numberText(after?.std),
        after ? `${number(after.min, 2)} to ${number(after.max, 2)}` : '–',
        after ? percent(after.applies, 0) : '–',
      ],
      tone,
    };
  };
  page.table(
    ['', 'now', 'before', 'change', 'std', 'range', 'applies to'],
    [
      row('total', total.before, total.after),
      ...Object.entries(components).map(([name, { before, after }]) => row(name, before, after)),
    ],
  );
  page.line();
}

function changeOf(
  before: RewardDistribution | null,
  after: RewardDistribution | null,
): { change: string; tone?: 'rise' | 'fall' } {
  if (!before || !after) return { change: after ? 'new' : 'gone' };
  const by = after.mean - before.mean;
  const moves = Math.abs(by) >= 5e-4;
  if (!moves) return { change: '=' };
  return by > 0 ? { change: `▲ ${signed(by, 3)}`, tone: 'rise' } : { change: `▼ ${signed(by, 3)}`, tone: 'fall' };
}

function movement(page: ScorePage, { movement: moves, newBest, flatGroups: flat, failures }: ScoreSummary): void {
  page.head('What changes');
  page.line(`  ▲ ${moves.rises} rise in their group`, moves.rises > 0 ? 'rise' : undefined);
  page.line(`  ▼ ${moves.falls} fall`, moves.falls > 0 ? 'fall' : undefined);
  page.line(`  = ${moves.stays} keep their place${moves.unscored > 0 ? `; ${moves.unscored} are not scored` : ''}`);
  page.line(`  ${percent(newBest, 0)} of the groups have a different best completion`);
  if (moves.rises === 0 && moves.falls === 0)
    page.line('  Every group keeps its order; only the distances in it change');
  page.line(`  ${percent(flat.after, 0)} of the groups are flat and teach nothing, ${percent(flat.before, 0)} before`);
  for (const [failure, n] of Object.entries(failures)) page.line(`  ! ${failure} (${plural(n, 'completion')})`, 'fall');
  page.line();
}

const isFlatNow = (group: readonly RescoredCompletion[]) => allEqual(group.map((one) => one.new.total));
const hadEqualRewards = (group: readonly RescoredCompletion[]) => allEqual(group.map(({ old }) => old.total));

function flatGroups(page: ScorePage, groups: readonly RescoredCompletion[][]): void {
  const kinds = [
    ['Groups that become flat', groups.filter((group) => isFlatNow(group) && !hadEqualRewards(group)), 'fall'],
    ['Groups no longer flat', groups.filter((group) => !isFlatNow(group) && hadEqualRewards(group)), 'rise'],
  ] as const;
  for (const [title, found, mark] of kinds) {
    if (found.length === 0) continue;
    page.head(`${title}: ${found.length}`);
    for (const group of found) {
      const now = group.flatMap((one) => one.new.total ?? []);
      const before = group.flatMap(({ old }) => old.total ?? []);
      page.linked(['  ', nameOfGroup(group), `   ${range(now)}, before ${range(before)}`], target(group[0]), mark);
    }
    page.line();
  }
}

function range(values: readonly number[]): string {
  if (values.length === 0) return 'not scored';
  const [least, most] = [smallest(values), largest(values)];
  return most - least < 1e-9 ? `all ${number(values[0])}` : `${number(least)} to ${number(most)}`;
}

function moved(page: ScorePage, rescored: readonly RescoredCompletion[], kind: 'rises' | 'falls'): void {
  const all = rescored.filter((one) => one.movement === kind);
  if (all.length === 0) return;
  const rankChange = ({ oldRank, newRank }: RescoredCompletion) => Math.abs(newRank! - oldRank!);
  const found = all.toSorted((a, b) => rankChange(b) - rankChange(a)).slice(0, mostMoved);
  const most = found.length < all.length ? `, the ${found.length} largest moves` : '';
  page.head(`${kind === 'rises' ? 'Rising' : 'Falling'} (rank in the group, before → now): ${all.length}${most}`);
  for (const one of found) completion(page, one);
  page.line();
}

const signs = { rises: '▲', falls: '▼', stays: '=', unscored: '·' } as const;
/** The colour shows whether a move is desirable: right answers should rise, wrong ones fall. */
function markOf({ movement: moves, record }: RescoredCompletion): 'rise' | 'fall' | 'dim' | undefined {
  if (moves === 'unscored') return 'dim';
  if (moves === 'stays') return undefined;
  return (moves === 'rises') === (record.rollout.correct === true) ? 'rise' : 'fall';
}

function completion(page: ScorePage, one: RescoredCompletion): void {
  const { record, old, new: now, oldRank, newRank, movement: moves } = one;
  const places = `${String(oldRank).padStart(4)} → ${String(newRank).padEnd(4)}`;
  const totals = `${numberText(old.total).padStart(7)} → ${numberText(now.total).padEnd(7)}`;
  const start = `  ${signs[moves]} rank ${places} reward ${totals} ${verdict(record)} `;
  page.linked([start, `${nameOfGroup([one])}, sample ${record.rollout.sample + 1}`, ''], target(one), markOf(one));
  const names = [...new Set([...Object.keys(now.parts), ...Object.keys(old.parts)])];
  const values = names.map((name) => {
    const [before, after] = [numberText(old.parts[name]), numberText(now.parts[name])];
    return `${name} ${before === after ? after : `${before} → ${after}`}`;
  });
  page.line(`      ${values.join('   ')}`);
  page.line(`      ${beginning(record)}`, 'dim');
}

const verdict = ({ rollout, completion: { tokens, finished } }: Scorable<RolloutRecord>) =>
  `${rollout.correct ? 'right' : 'wrong'}${`${tokens.length}`.padStart(5)} tok${finished ? '' : ', cut off'}`;

/** Starts at the first step: the text before is much the same in the whole group. */
function beginning({ completion: { text } }: Scorable<RolloutRecord>): string {
  const [first] = stepMarks(text);
  return clipLine(first ? text.slice(first.index) : text, textWidth);
}

const nameOfGroup = ([{ record }]: readonly RescoredCompletion[]) =>
  `${record.problemId}, update ${record.rollout.step}`;

const target = ({ record: { problemId, rollout } }: RescoredCompletion) => ({
  problemId,
  stage: rollout.stage,
  step: rollout.step,
  sample: rollout.sample,
});

/** The groups whose order changes most, with the rewards that their advantages are computed from. */
function wholeGroups(page: ScorePage, groups: readonly RescoredCompletion[][]): void {
  const change = (group: readonly RescoredCompletion[]) =>
    group.reduce((sum, { oldRank, newRank }) => sum + Math.abs((newRank ?? 0) - (oldRank ?? 0)), 0);
  const found = groups.toSorted((a, b) => change(b) - change(a)).slice(0, mostGroups);
  page.head(`Groups: ${groups.length}${found.length < groups.length ? `, the ${found.length} that change most` : ''}`);
  for (const group of found) {
    const spread = (totals: (number | null)[]) => number(deviation(totals.filter((total) => total !== null)), 2);
    page.line(
      `  ${nameOfGroup(group)}   std ` +
        `${spread(group.map((one) => one.new.total))}, before ` +
        `${spread(group.map(({ old }) => old.total))}`,
      'strong',
    );
    const order = (one: RescoredCompletion) => one.newRank ?? Number.POSITIVE_INFINITY;
    for (const one of group.toSorted((a, b) => order(a) - order(b))) {
      const { record, new: now, oldRank, newRank, movement: moves } = one;
      const places = `${String(newRank ?? '–').padStart(4)}  was ${String(oldRank ?? '–').padEnd(4)}`;
      const start = `   ${signs[moves]}${places}${numberText(now.total).padStart(8)}   ${verdict(record)}   `;
      page.linked([start, `sample ${record.rollout.sample + 1}`, `   ${beginning(record)}`], target(one), markOf(one));
    }
  }
}
