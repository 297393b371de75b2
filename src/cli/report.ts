import type { Command } from 'commander';
import { reportHead, reportOf } from '../report/report';
import { runsFolderName } from '../runs/layout';
import { writeOutput } from '../writing';
import { printDocument } from './exit';
import { count } from './options';
import { locateRun } from './places';
import { checkTarget } from './target';
import { stdout } from './terminal';

interface Options {
  out?: string;
  cases: number;
  case: string[];
  runs?: string;
  json?: boolean;
}

export function addReportCommand(program: Command, version: string): void {
  program
    .command('report')
    .description('a run as one HTML page that needs nothing else: table, curves, cases')
    .argument('<run>', 'a run folder, a run by its name or a part of it, or `latest`')
    .option('--out <file>', 'where it goes (default: the run’s name with .html, here)')
    .option('--cases <n>', 'how many cases are shown', count, 10)
    .option(
      '--case <id>',
      'a case that is shown; may be given more than once',
      (id, before: string[]) => [...before, id],
      [],
    )
    .option('--runs <folder>', `where runs are looked for (default: ${runsFolderName} here, below or above)`)
    .option('--json', 'where the page is, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  distillery report latest\n  distillery report ' +
        'latest --case arithmetic-17 --cases 3 --out for-anna.html',
    )
    .action((name: string, { out, cases, case: named, runs, json }: Options) => {
      const run = locateRun(name, runs);
      const file = out ?? `${run.record.id}.html`;
      const path = checkTarget(file, (head) => head.startsWith(reportHead));
      writeOutput(path, reportOf(run, { count: cases, cases: named, version }));
      if (json) printDocument({ file: path });
      else stdout.write(`${file}\n`);
    });
}
