import { closeSync, constants, existsSync, readFileSync, writeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../errors';
import { eventFiles } from '../report/tensorboard';
import { metricsFile, runsFolderName } from '../runs/layout';
import { openRun, stateOf } from '../runs/reading';
import { makeFolder, openToWrite, replaceText } from '../writing';
import { printDocument } from './exit';
import { plural } from './format';
import { locateRun, shown } from './places';
import { stdout } from './terminal';

interface Options {
  out: string;
  runs?: string;
  follow?: boolean;
  json?: boolean;
}

/** How often a followed run is looked at, in milliseconds. */
const pulse = 2000;

export function addTensorboardCommand(program: Command): void {
  program
    .command('tensorboard')
    .description('the metrics of a run as event files that TensorBoard shows')
    .argument('<run>', 'a run folder, a run by its name or a part of it, or `latest`')
    .option('--out <folder>', 'where they go, in a folder of the run’s name', 'tensorboard')
    .option('--follow', 'go on while the run does, until Ctrl-C')
    .option('--runs <folder>', `where runs are looked for (default: ${runsFolderName} here, below or above)`)
    .option('--json', 'where they are, as JSON')
    .addHelpText('after', '\nExamples:\n  distillery tensorboard latest\n  tensorboard --logdir tensorboard')
    .action(async (name: string, { out, follow, runs, json }: Options) => {
      const { folder } = locateRun(name, runs);
      const target = resolve(out, basename(folder));
      const goesOn = () => follow && ['running', 'paused', 'created'].includes(stateOf(openRun(folder)));
      while (goesOn()) {
        if (existsSync(metricsFile(folder))) write(folder, target, false);
        await new Promise((done) => setTimeout(done, pulse));
      }
      const written = write(folder, target, true);
      if (json) printDocument({ folder: target, files: written });
      else
        stdout.write(
          `${plural(written.length, 'event file')} in ${shown(target)}. See them with:\n  tensorboard --logdir ${shown(dirname(target))}\n`,
        );
    });
}

function write(run: string, target: string, results: boolean): string[] {
  const files = eventFiles(run, results);
  if (files.size === 0)
    throw new UserError('the run has no metrics yet', {
      file: run,
      code: 'run',
      remedy: 'They come with its first update.',
    });
  return [...files].map(([name, bytes]) => {
    const file = join(target, name);
    makeFolder(target, dirname(file));
    put(target, file, bytes);
    return file;
  });
}

/**
 * What TensorBoard reads already stays, where the file only grew: it does not begin anew with one that was replaced.
 */
function put(root: string, file: string, bytes: Buffer): void {
  const before = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  if (before.length === 0 || !bytes.subarray(0, before.length).equals(before)) {
    replaceText(root, file, bytes);
    return;
  }
  const handle = openToWrite(root, file, constants.O_WRONLY | constants.O_APPEND);
  try {
    writeSync(handle, bytes, before.length);
  } finally {
    closeSync(handle);
  }
}
