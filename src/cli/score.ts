import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';

import { loadReward, resolveReward } from '../config/load';
import { isPreset, presetNames } from '../config/presets';
import type { RewardConfig } from '../config/reward';
import { UserError } from '../errors';
import { scoreRollouts } from '../rewards/dry-run';
import { summariseScores } from '../rewards/summary';
import { runsFolderName } from '../runs/layout';
import { printDocument } from './exit';
import { namesOf, positive } from './options';
import { type Choice, readRecorded, type Scorable } from './recorded';
import { readTextRows, scoreRows } from './score-rows';
import { scoreText } from './score-text';
import { pc, stderr, stdout } from './terminal';

const stages = ['complete', 'rewrite'] as const;

interface Options extends Omit<Choice, 'stage'> {
  stage?: (typeof stages)[number][];
  show: number;
  json?: boolean;
}

export function addScoreCommand(program: Command): void {
  program
    .command('score')
    .description('score recorded completions with another reward, before anything trains on it')
    .argument('<reward>', `a *.reward.json file, or a preset: ${presetNames.join(', ')}`)
    .argument(
      '<rollouts>',
      'a run (its newest update with rollouts), a file rollouts/<stage>/<step>.jsonl of one, or a file of texts',
    )
    .option('--stage <name>', `of a run: ${stages.join(' or ')} (default: the last one with rollouts)`, namesOf(stages))
    .option('--step <n>', 'of a run: this update', positive)
    .option('--updates <n>', 'of a run: the newest n updates', positive, 1)
    .option('--data <file>', 'the problems, for completions outside of a run')
    .option('--show <n>', 'completions that rise, and that fall, to show', positive, 5)
    .option('--runs <folder>', `where runs are looked for (default: ${runsFolderName} here, below or above)`)
    .option('--json', 'a summary and every completion as one JSON object')
    .addHelpText(
      'after',
      `
What counts for training is a completion's reward against the others of its group: a completion rises when it passes
others there.

A file of texts has a line {"question", "answer", "text"} each, if you like with "id" (a group), "kind" and the
teacher's "chain"; texts of the kind "honest" are what the others are compared with. One such file is
bench/reward-battery/battery.jsonl.

Examples:
  distillery score brevity.reward.json latest
  distillery score bridge-stage2 latest --stage complete --updates 10
  distillery score brevity.reward.json bench/reward-battery/battery.jsonl --json
  distillery score brevity.reward.json latest --json | jq '.completions[] | select(.movement == "falls")'`,
    )
    .action((rewardName: string, source: string, options: Options) => {
      const reward = readReward(rewardName);
      const rows = existsSync(source) && statSync(source).isFile() ? readTextRows(source) : null;
      if (rows) {
        scoreRows(reward, { name: reward.name ?? rewardName, file: source, rows }, options);
        return;
      }
      const { files, completions } = readRecorded(source, { ...options, stage: options.stage?.at(-1) });
      const rescored = scoreRollouts<Scorable>(reward, completions);
      const summary = summariseScores(rescored);
      if (options.json)
        printDocument({
          reward: reward.name ?? rewardName,
          files,
          ...summary,
          completions: rescored.map(({ record, old, new: now, oldRank, newRank, movement }) => ({
            problemId: record.problemId,
            step: record.rollout.step,
            group: record.rollout.group,
            sample: record.rollout.sample,
            correct: record.rollout.correct,
            tokens: record.completion.tokens.length,
            before: old.total,
            after: now.total,
            parts: now.parts,
            failures: now.failures,
            rankBefore: oldRank,
            rankAfter: newRank,
            movement,
          })),
        });
      else {
        const scored = { reward: reward.name ?? rewardName, files, most: options.show };
        stdout.write(`${scoreText(scored, summary, rescored)}\n`);
      }
    });
}

function readReward(name: string): RewardConfig {
  if (isPreset(name) && !existsSync(name)) return resolveReward(name, '.');
  if (!existsSync(name) && !/[./\\]/.test(name))
    throw new UserError(`"${name}" is neither a file nor a preset`, {
      code: 'missing',
      remedy: `Presets are ${presetNames.join(', ')}.`,
    });
  const { reward, warnings } = loadReward(name);
  for (const { message } of warnings) stderr.write(`${pc.yellow('warning')} ${message}\n`);
  return reward;
}
