import { Command } from 'commander';
import { fail } from './exit';
import { addRunCommands } from './run';

const program = new Command('distillery')
  .description('Distil the reasoning of a large teacher into a small student, in three stages.')
  .version('0.1.0')
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false });

addRunCommands(program);

program.parseAsync().catch((error) => fail(error, process.argv.includes('--json')));
