#!/usr/bin/env node
import { Command } from 'commander';
import { packageVersion } from '../paths';
import { addAskCommand } from './ask';
import { addAttachCommand } from './attach';
import { addBackendCommand } from './backend';
import { addDoctorCommand } from './doctor';
import { addDownloadCommand } from './download';
import { addEngineCommand } from './engine';
import { addEvaluateCommand } from './evaluate';
import { endOnBrokenPipe, fail } from './exit';
import { addExportCommand } from './export';
import { addGradeCommand } from './grade';
import { addImportCommand } from './import';
import { addMirrorCommands } from './mirror';
import { addNewCommand } from './new';
import { refuseEmpty } from './options';
import { addPreviewCommand } from './preview';
import { addReportCommand } from './report';
import { addRunCommands } from './run';
import { addRunsCommand } from './runs';
import { addScoreCommand } from './score';
import { addShowCommand } from './show';
import { addTeachCommand } from './teach';
import { pc, stderr, stdout } from './terminal';
import { addTrackCommand } from './track';

const version = packageVersion();

const program = new Command('distillery')
  .description('Distil the reasoning of a large teacher into a small student, in three stages.')
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
