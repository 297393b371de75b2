import type { Command } from 'commander';
import { UserError } from '../../errors';
import { compareRuns } from '../../report/groups';
import { runsFolderName } from '../../runs/layout';
import { locateRuns } from '../inputs/places';
import { printDocument } from '../terminal/exit';
import { stdout } from '../terminal/terminal';
import { comparedText } from '../text/compare-text';

interface Options {
  runs?: string;
  markdown?: boolean;
  json?: boolean;
}

export function addCompareCommand(program: Command): void {
  program
    .command('compare')
    .description('several runs: means over seeds, and differences between settings, with 95 % intervals')
    .argument('<run...>', 'run folders, run names or unique parts of them, or patterns such as "*-arithmetic"')
    .option('--runs <folder>', `folder to search for runs (default: ${runsFolderName} here, below or above)`)
    .option('--markdown', 'Markdown tables')
    .option('--json', 'the same as one JSON object')
    .addHelpText(
      'after',
      `
Runs that differ only in their seed are a group. Each group is compared with its base student, with its strongest
baseline, and with the first group, always on the same problems. docs/baselines.md says how intervals are computed.

Examples:
  distillery compare "*-arithmetic"
  distillery compare .distillery/runs/*-brevity .distillery/runs/*-default --markdown
  distillery compare "*-arithmetic" --json | jq '.tests[].results[] | {stage, accuracy, accuracyInterval}'`,
    )
    .action((names: string[], { runs, markdown, json }: Options) => {
      const compared = compareRuns(locateRuns(names, runs));
      if (compared.groups.length === 0) throw nothingToCompare(compared.leftOut);
      if (json) printDocument(compared);
      else stdout.write(`${comparedText(compared, markdown)}\n`);
    });
}

const nothingToCompare = (leftOut: readonly { id: string; reason: string }[]) =>
  new UserError(
    `none of these runs can be compared: ${leftOut.map(({ id, reason }) => `${id} (${reason})`).join(', ')}`,
    {
      code: 'run',
      remedy:
        'A run counts if it is finished and has the answers to its test; `distillery resume <run>` continues an ' +
        'unfinished one.',
    },
  );
