#!/usr/bin/env node
import { Command } from 'commander';
import { packageVersion } from '../paths';
import { addAskCommand } from './commands/ask';
import { addAttachCommand } from './commands/attach';
import { addBackendCommand } from './commands/backend';
import { addCompareCommand } from './commands/compare';
import { addDoctorCommand } from './commands/doctor';
import { addDownloadCommand } from './commands/download';
import { addEngineCommand } from './commands/engine';
import { addEvaluateCommand } from './commands/evaluate';
import { addExportCommand } from './commands/export';
import { addGradeCommand } from './commands/grade';
import { addImportCommand } from './commands/import';
import { addMirrorCommands } from './commands/mirror';
import { addNewCommand } from './commands/new';
import { addPreviewCommand } from './commands/preview';
import { addReportCommand } from './commands/report';
import { addRunCommands } from './commands/run';
import { addRunsCommand } from './commands/runs';
import { addScoreCommand } from './commands/score';
import { addShowCommand } from './commands/show';
import { addTeachCommand } from './commands/teach';
import { addTrackCommand } from './commands/track';
import { refuseEmpty } from './inputs/options';
import { endOnBrokenPipe, fail } from './terminal/exit';
import { pc, stderr, stdout } from './terminal/terminal';

const version = packageVersion();

const program = new Command('distillery')
  .description('Distill the reasoning of a large teacher into a small student, in three stages.')
  .version(version)
  .configureHelp({ sortSubcommands: false })
  .configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    outputError: (text) => stderr.write(text.replace(/^error:/, pc.red('error'))),
  })
  .exitOverride()
  .addHelpText(
    'after',
    `
Exit codes: 0 success, 2 wrong input or environment, 130 stopped by you, 1 a defect of this program.
With --json every command writes JSON to standard output, including errors.

Examples:
  distillery new my-experiment --data train.jsonl --student ./Qwen2.5-0.5B
  distillery preview my-experiment
  distillery run my-experiment --quick
  distillery show latest`,
  );

addRunCommands(program);
addAttachCommand(program, version);
addEvaluateCommand(program);
addAskCommand(program);
addExportCommand(program);
addRunsCommand(program);
addShowCommand(program);
addCompareCommand(program);
addReportCommand(program, version);
addTrackCommand(program);
addMirrorCommands(program);
addPreviewCommand(program);
addScoreCommand(program);
addGradeCommand(program);
addNewCommand(program);
addTeachCommand(program);
addImportCommand(program);
addDownloadCommand(program);
addBackendCommand(program);
addEngineCommand(program);
addDoctorCommand(program);
program.hook('preAction', (_, command) => refuseEmpty(command));
for (const command of program.commands) command.showHelpAfterError(`See \`distillery ${command.name()} --help\`.`);
program.showHelpAfterError('See `distillery --help`.');

endOnBrokenPipe();
program.parseAsync().catch((error) => fail(error, process.argv.includes('--json')));
