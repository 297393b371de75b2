import type { Command } from 'commander';
import { printDocument } from '../terminal/exit';
import { stdout } from '../terminal/terminal';

/** Adds `uninstall`, whose work returns the deleted folder, or null if there was none. */
export function addUninstallCommand(command: Command, description: string, uninstall: () => string | null): void {
  command
    .command('uninstall')
    .description(description)
    .option('--json', 'the folder as one JSON object')
    .action(({ json }: { json?: boolean }) => {
      const deleted = uninstall();
      if (json) printDocument({ deleted });
      else stdout.write(deleted ? `Deleted ${deleted}\n` : 'Nothing was set up.\n');
    });
}
