import type { Rescored } from '../../rewards/dry-run';
import type { RewardDistribution, ScoreSummary } from '../../rewards/summary';
import { type ScorableRollout, shownFiles } from '../inputs/recorded';
import { clip, percent, plural, table } from '../terminal/format';
import { inOneLine, pc } from '../terminal/terminal';

/** The dry run for a terminal: totals, components, and the `most` completions that rise and fall furthest. */
export function scoreText(
  { reward, files, most }: { reward: string; files: readonly string[]; most: number },
  summary: ScoreSummary,
  rescored: readonly Rescored<ScorableRollout>[],
): string {
  const { count, groups, movement, flatGroups, newBest, failures } = summary;
  const moved = (kind: 'rises' | 'falls') =>
    rescored
      .filter(({ movement }) => movement === kind)
      .sort((a, b) => Math.abs(b.newRank! - b.oldRank!) - Math.abs(a.newRank! - a.oldRank!))
      .slice(0, most);
  const sections = [
    `${pc.bold(reward)} on ${plural(count, 'completion')} in ${plural(groups, 'group')}\n${pc.dim(shownFiles(files))}`,
    partsTable(summary),
    [
      `${movement.rises} rise in their group, ${movement.falls} fall, ` +
        `${movement.stays} ` +
        `stay${movement.unscored > 0 ? `, ${movement.unscored} are not scored` : ''}; ` +
        `${percent(newBest, 0)} of the groups have a new best`,
      'groups without a gradient (all rewards equal): ' +
        `${percent(flatGroups.before, 0)} before, ` +
        `${percent(flatGroups.after, 0)} after`,
    ].join('\n'),
    ...Object.entries(failures).map(([failure, n]) => pc.red(`${failure} (${plural(n, 'completion')})`)),
  ];
  for (const [kind, title] of [
    ['rises', pc.green('Rising')],
    ['falls', pc.red('Falling')],
  ] as const) {
    const shown = moved(kind);
    if (shown.length > 0) sections.push(`${title}\n${shown.map(completionText).join('\n')}`);
  }
  return sections.join('\n\n');
}

function partsTable({ total, parts }: ScoreSummary): string {
  const row = (name: string, before: RewardDistribution | null, after: RewardDistribution | null) => [
    name,
    before ? before.mean.toFixed(3) : '–',
    after ? after.mean.toFixed(3) : '–',
    after ? after.std.toFixed(3) : '–',
    after ? `${after.min.toFixed(2)} – ${after.max.toFixed(2)}` : '–',
    after ? percent(after.applies, 0) : '–',
  ];
  return table(
    ['', 'mean before', 'mean after', 'std', 'range', 'applies to'],
    [
      row(pc.bold('total'), total.before, total.after),
      ...Object.entries(parts).map(([name, { before, after }]) => row(name, before, after)),
    ],
  );
}

function completionText({ record, old, new: now, oldRank, newRank }: Rescored<ScorableRollout>): string {
  const { rollout, completion } = record;
  const value = (total: number | null) => (total === null ? 'none' : total.toFixed(3));
  const text = completion.text.replace(/\s+/g, ' ').trim();
  return [
    `  ${inOneLine(record.problemId)} sample ${rollout.sample + 1}, update ${rollout.step}:`,
    `rank ${oldRank} → ${newRank},`,
    `reward ${value(old.total)} → ${value(now.total)},`,
    `${rollout.correct ? pc.green('right') : pc.red('wrong')}, ${plural(completion.tokens.length, 'token')}`,
  ]
    .join(' ')
    .concat(`\n    ${pc.dim(clip(text, 100))}`);
}
