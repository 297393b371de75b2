import { resolve } from 'node:path';
import type { Command } from 'commander';
import { importCases } from '../../cases/import';
import { runsFolderName } from '../../runs/layout';
import { type DatasetOptions, datasetOptions, datasetSource, loadAsked } from '../inputs/dataset';
import { commandLine, quoted, shortPath } from '../inputs/places';
import { printDocument } from '../terminal/exit';
import { plural } from '../terminal/format';
import { pc, stdout } from '../terminal/terminal';
import { addStudentImport } from './export';
import { addGsm8kImport } from './import-gsm8k';
import { addRolloutsImport } from './import-rollouts';

export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .description('import rollouts of other trainers, datasets, recorded failures, or students');
  const cases = command
    .command('cases')
    .description(
      'import recorded failures with teacher chains as a finished run that every view opens; nothing is trained',
    )
    .argument('<file>', "BRIDGE's stage3_error_samples.json, or a dataset with a student's answers")
    .option('--runs <folder>', `folder for the run (default: ${runsFolderName} here)`)
    .option('--json', 'the run as one JSON object');
  datasetOptions(cases)
    .addHelpText(
      'after',
      '\nExamples:\n  distillery import cases stage3_error_samples.json\n  distillery import ' +
        'cases answers.csv --columns student=response\n  distillery show latest',
    )
    .showHelpAfterError('See `distillery import cases --help`.')
    .action(async (file: string, options: DatasetOptions & { runs?: string; json?: boolean }) => {
      const data = await loadAsked(await datasetSource(file, options), { quiet: options.json });
      if (!data) return;
      const imported = await importCases(file, resolve(options.runs ?? runsFolderName), undefined, data);
      if (options.json) return printDocument(imported);
      const { folder, cases, categories, located } = imported;
      const lines = Object.entries(categories)
        .sort((a, b) => b[1] - a[1])
        .map(([category, n]) => `  ${String(n).padStart(6)}  ${category}`);
      stdout.write(
        `${pc.bold(plural(cases, 'case'))}, ${located} with a first wrong ` +
          `step\n${lines.join('\n')}\n\nThey are in ${shortPath(folder)}. Show them ` +
          `with:\n  ${commandLine(`show ${quoted(shortPath(folder))}`)}\n`,
      );
    });
  addRolloutsImport(command);
  addGsm8kImport(command);
  addStudentImport(command);
}
