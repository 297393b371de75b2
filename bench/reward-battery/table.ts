/**
 * Scores the battery with all presets and the examples' rewards: `npx tsx bench/reward-battery/table.ts` regenerates
 * battery.jsonl and the table in docs/rewards.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadReward } from '../../src/config/load';
import { preset, presetNames } from '../../src/config/presets';
import type { RewardConfig } from '../../src/config/reward';
import { packageRoot } from '../../src/paths';
import { type KindSummary, scoreTexts, summariseKinds } from '../../src/rewards/texts';
import { batteryRows } from './kinds';

export const examples = ['examples/arithmetic/brevity.reward.json', 'examples/smollm2/right-and-short.reward.json'];

export function batteryRewards(): { name: string; reward: RewardConfig }[] {
  return [
    ...presetNames.map((name) => ({ name: `\`${name}\``, reward: preset(name) })),
    ...examples.map((path) => ({
      name: `\`${path.split('/').slice(1).join('/')}\``,
      reward: loadReward(join(packageRoot(), path)).reward,
    })),
  ];
}

export const batteryText = () =>
  batteryRows()
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('');

/**
 * For each kind and reward: the mean reward, and the number of problems whose honest text earns no more than the text
 * of this kind.
 */
export async function batteryTable(): Promise<string> {
  const rows = batteryRows();
  const columns: { name: string; kinds: KindSummary[] }[] = [];
  for (const { name, reward } of batteryRewards())
    columns.push({ name, kinds: summariseKinds(await scoreTexts(reward, rows)) });
  const cell = ({ mean, asGoodAsHonest }: KindSummary) =>
    `${mean === null ? '–' : mean.toFixed(2)}${asGoodAsHonest ? ` (**${asGoodAsHonest}**)` : ''}`;
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['text', ...columns.map(({ name }) => name)]),
    line(columns.map(() => '---').concat('---')),
    ...columns[0].kinds.map(({ kind }, i) => line([kind, ...columns.map(({ kinds }) => cell(kinds[i]))])),
  ].join('\n');
}

const [begin, end] = ['<!-- battery -->\n', '\n<!-- /battery -->'];

/** docs/rewards.md with the current table. */
export async function withTable(text: string): Promise<string> {
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  return text.slice(0, from) + (await batteryTable()) + text.slice(to);
}

export const files = {
  battery: join(packageRoot(), 'bench/reward-battery/battery.jsonl'),
  docs: join(packageRoot(), 'docs/rewards.md'),
};

if (process.argv[1]?.endsWith('table.ts')) {
  writeFileSync(files.battery, batteryText());
  void withTable(readFileSync(files.docs, 'utf8')).then((docs) => writeFileSync(files.docs, docs));
  void batteryTable().then(console.log);
}
