import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';

import { loadReward, resolveReward } from '../../config/load';
import { isPreset, presetNames } from '../../config/presets';
import type { RewardConfig } from '../../config/reward';
import { UserError } from '../../errors';
import { CodeRewards, modulesOf } from '../../rewards/code/code-rewards';
import { scoreRollouts } from '../../rewards/dry-run';
import { summariseScores } from '../../rewards/summary';
import { runsFolderName } from '../../runs/layout';
import { namesOf, positive } from '../inputs/options';
import { type CompletionChoice, readRecorded, type ScorableRollout } from '../inputs/recorded';
import { printDocument } from '../terminal/exit';
import { warningsText } from '../terminal/format';
import { stderr, stdout } from '../terminal/terminal';
import { scoreText } from '../text/score-text';
import { readTextRows, scoreRows } from './score-rows';

const stages = ['complete', 'rewrite'] as const;

interface Options extends Omit<CompletionChoice, 'stage'> {
  stage?: (typeof stages)[number][];
  show: number;
  json?: boolean;
}

export function addScoreCommand(program: Command): void {
  program
    .command('score')
    .description('score recorded completions with another reward, before training with it')
    .argument('<reward>', `a *.reward.json file, or a preset: ${presetNames.join(', ')}`)
    .argument(
      '<rollouts>',
      'a run (its newest update with rollouts), a file rollouts/<stage>/<step>.jsonl, or a file of texts',
    )
    .option(
      '--stage <name>',
      `stage of the run: ${stages.join(' or ')} (default: the last one with rollouts)`,
      namesOf(stages),
    )
    .option('--step <n>', 'update of the run', positive)
    .option('--updates <n>', 'the newest n updates of the run', positive, 1)
    .option('--data <file>', 'the problems, for completions outside of a run')
    .option('--show <n>', 'number of rising and of falling completions to show', positive, 5)
    .option('--runs <folder>', `folder to search for runs (default: ${runsFolderName} here, below or above)`)
    .option('--json', 'a summary and every completion as one JSON object')
    .addHelpText(
      'after',
      `
Training compares a completion's reward with the others of its group: a completion rises when it passes others there.

A file of texts has {"question", "answer", "text"} on each line, optionally with "id" (a group), "kind" and the
teacher's "chain"; the other kinds are compared with the texts of the kind "honest". One such file is
bench/reward-battery/battery.jsonl.

Examples:
  distillery score brevity.reward.json latest
  distillery score bridge-stage2 latest --stage complete --updates 10
  distillery score brevity.reward.json bench/reward-battery/battery.jsonl --json
  distillery score brevity.reward.json latest --json | jq '.completions[] | select(.movement == "falls")'`,
    )
    .action(async (rewardName: string, source: string, options: Options) => {
      const reward = readReward(rewardName);
      const problems: string[] = [];
      const work = (code: CodeRewards) => score({ reward, code, name: reward.name ?? rewardName }, source, options);
      const document = await withCode(reward, problems, work);
      if (document) printDocument({ ...document, problems });
    });
}

/**
 * Runs `work` with the modules of the reward, reports which modules run, and ends them. Their problems are printed, and
 * added to `problems`.
 */
async function withCode<T>(reward: RewardConfig, problems: string[], work: (code: CodeRewards) => Promise<T>) {
  for (const path of modulesOf([reward])) stderr.write(`runs code: ${path}\n`);
  const warn = (text: string) => {
    problems.push(text);
    stderr.write(`warning: ${text}\n`);
  };
  const code = new CodeRewards({ warn });
  try {
    return await work(code);
  } finally {
    await code.close();
  }
}

/** Prints the scores, or returns the document of --json. */
async function score(
  { reward, code, name }: { reward: RewardConfig; code: CodeRewards; name: string },
  source: string,
  options: Options,
): Promise<object | undefined> {
  const rows = existsSync(source) && statSync(source).isFile() ? readTextRows(source) : null;
  if (rows) {
    return scoreRows({ reward, code }, { name, file: source, rows }, options);
  }
  const { files, completions } = readRecorded(source, { ...options, stage: options.stage?.at(-1) });
  const rescored = await scoreRollouts<ScorableRollout>(reward, completions, code);
  const summary = summariseScores(rescored);
  if (options.json)
    return {
      reward: name,
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
    };
  const scored = { reward: name, files, most: options.show };
  stdout.write(`${scoreText(scored, summary, rescored)}\n`);
  return undefined;
}

function readReward(name: string): RewardConfig {
  if (isPreset(name) && !existsSync(name)) return resolveReward(name, '.');
  if (!existsSync(name) && !/[./\\]/.test(name))
    throw new UserError(`"${name}" is neither a file nor a preset`, {
      code: 'missing',
      remedy: `Presets are ${presetNames.join(', ')}.`,
    });
  const { reward, warnings } = loadReward(name);
  stderr.write(warningsText(warnings));
  return reward;
}
