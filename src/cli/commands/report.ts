import { dirname } from 'node:path';
import type { Command } from 'commander';
import { reportHead, reportOf } from '../../report/report';
import { runsFolderName } from '../../runs/layout';
import { replaceText, writeOutput } from '../../writing';
import { count } from '../inputs/options';
import { locateRun } from '../inputs/places';
import { checkTarget } from '../inputs/target';
import { printDocument } from '../terminal/exit';
import { stdout } from '../terminal/terminal';

interface Options {
  out?: string;
  cases: number;
  case?: string[];
  runs?: string;
  json?: boolean;
}

export function addReportCommand(program: Command, version: string): void {
  program
    .command('report')
    .description('write a run as one self-contained HTML page: results, curves, cases')
    .argument('<run>', 'a run folder, a run name or a unique part of it, or `latest`')
    .option('--out <file>', 'output file (default: the run’s name with .html, here)')
    .option('--cases <n>', 'number of cases', count, 10)
    .option('--case <id>', 'a case to include; may be repeated', (id, before: string[] = []) => [...before, id])
    .option('--runs <folder>', `folder to search for runs (default: ${runsFolderName} here, below or above)`)
    .option('--json', 'the path of the page, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  distillery report latest\n  distillery report ' +
        'latest --case arithmetic-17 --cases 3 --out for-anna.html',
    )
    .action((name: string, { out, cases, case: named, runs, json }: Options) => {
      const run = locateRun(name, runs);
      const file = out ?? `${run.record.id}.html`;
      const path = checkTarget(file, (head) => head.startsWith(reportHead));
      const page = reportOf(run, { count: cases, cases: named, version });
      if (out === undefined) replaceText(dirname(path), path, page);
      else writeOutput(path, page);
      if (json) printDocument({ file: path });
      else stdout.write(`${file}\n`);
    });
}
