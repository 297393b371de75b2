/** Copies run folders to other disks, machines and buckets while a run is in progress, and back. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../errors';
import { readSmallText } from '../../lines';
import { runFile, runsFolderName } from '../../runs/layout';
import { lockHolder } from '../../runs/lock';
import { mirrorRun, notCopied } from '../../runs/mirror';
import { makeFolder } from '../../writing';
import { positive } from '../inputs/options';
import { locateRun, shortPath } from '../inputs/places';
import { printDocument } from '../terminal/exit';
import { untilStopped, waitForNextPoll } from '../terminal/following';
import { stdout } from '../terminal/terminal';

/** Seconds between two copies of a followed run. */
const defaultPollSeconds = 10;

/**
 * Programs that reach other machines and buckets, with their arguments: once for all files but the last, then for that
 * one.
 */
const programs: Record<string, (from: string, to: string) => string[][]> = {
  rsync: (from, to) => [
    ['-a', '--delete', ...notCopied.map((name) => `--exclude=/${name}`), `${from}/`, `${to}/`],
    ['-a', `${from}/${lastFile}`, `${to}/`],
  ],
  rclone: (from, to) => [
    ['sync', ...notCopied.flatMap((name) => ['--exclude', `/${name}`, '--exclude', `/${name}/**`]), from, to],
    ['copyto', `${from}/${lastFile}`, `${to}/${lastFile}`],
  ],
};
const lastFile = basename(runFile(''));
const programNames = Object.keys(programs).join(', ');

interface Options {
  with?: string;
  runs?: string;
  json?: boolean;
}

export function addMirrorCommands(program: Command): void {
  program
    .command('mirror')
    .description('copy a run elsewhere, also while it trains: to a folder (a mounted bucket), or by rsync or rclone')
    .argument('<run>', 'a run folder, a run name or a unique part of it, or `latest`')
    .requiredOption('--to <place>', 'target, to which the name of the run is added: a folder, or an address for --with')
    .option('--with <program>', `program that reaches the copy: ${programNames}`)
    .option(
      '--follow [seconds]',
      `repeat every so many seconds while the run is in progress (${defaultPollSeconds}), until Ctrl-C`,
      positive,
    )
    .option('--runs <folder>', `folder to search for runs (default: ${runsFolderName} here, below or above)`)
    .option('--json', 'what was copied where, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  distillery mirror latest --to /mnt/bucket/runs ' +
        '--follow\n  distillery mirror latest --with rclone --to ' +
        's3:bucket/runs\n  distillery mirror latest --with rsync --to box:runs',
    )
    .action(async (name: string, options: Options & { to: string; follow?: true | number }) => {
      const { folder } = locateRun(name, options.runs);
      const target = below(options.to, basename(folder));
      const pulse = 1000 * (typeof options.follow === 'number' ? options.follow : defaultPollSeconds);
      await untilStopped(async ({ signal }) => {
        do copy(folder, target, options.with);
        while (await waitForNextPoll(folder, options.follow !== undefined, signal, pulse));
        if (signal.aborted) copy(folder, target, options.with);
      });
      report(folder, target, options);
    });
  program
    .command('pull')
    .description('copy a run back from where `mirror` put it')
    .argument('<place>', 'the copy: a folder, or an address for --with')
    .option('--with <program>', `program that reaches the copy: ${programNames}`)
    .option('--runs <folder>', 'folder for run folders', runsFolderName)
    .option('--json', 'what was copied where, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  distillery pull /mnt/bucket/runs/20260205-140309-arithmetic\n  ' +
        'distillery pull box:runs/20260205-140309-arithmetic --with rsync',
    )
    .action((place: string, options: Options & { runs: string }) => {
      const from = place.replace(/[\\/]+$/, '');
      const target = join(resolve(options.runs), from.split(/[\\/:]/).at(-1)!);
      const holder = existsSync(target) && lockHolder(target);
      if (holder)
        throw new UserError(`process ${holder.pid} works on the run of this name`, {
          file: target,
          code: 'locked',
          remedy: 'Stop it first, or give --runs another folder.',
        });
      makeFolder(resolve(options.runs), target);
      copy(from, target, options.with);
      report(from, target, options);
    });
}

const below = (place: string, name: string) => `${place.replace(/([^:])[\\/]+$/, '$1')}/${name}`;

function copy(from: string, to: string, program: string | undefined): void {
  if (program !== undefined) {
    copyBy(program, from, to);
    return;
  }
  for (const place of [from, to])
    if (/^(\w[\w+.-]*:\/\/|[\w@.-]{2,}:)/.test(place))
      throw new UserError(`"${place}" is not a folder of this machine`, {
        code: 'usage',
        remedy: `Give the program that reaches it: --with ${programNames.replace(',', ' or')}.`,
      });
  if (!existsSync(runFile(from)))
    throw new UserError('there is no run: run.json is missing', { file: from, code: 'run', remedy: 'Check the path.' });
  mirrorRun(from, resolve(to));
}

function copyBy(program: string, from: string, to: string): void {
  const steps = programs[program];
  if (!steps)
    throw new UserError(`--with does not know ${program}`, { code: 'usage', remedy: `Use one of ${programNames}.` });
  // The run continues meanwhile, so files that run.json names by then must be sent too: it is read again at the end.
  for (let before: string | undefined; ; ) {
    const said = existsSync(runFile(from)) ? readSmallText(runFile(from)) : '';
    if (said === before) break;
    before = said;
    for (const args of steps(from, to)) call(program, args);
  }
}

function call(program: string, args: string[]): void {
  const { status, error, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (error)
    throw new UserError(`${program} cannot be started`, { code: 'missing', remedy: 'Install it.', cause: error });
  if (status !== 0)
    throw new UserError(`${program} failed: ${stderr.trim().split('\n').at(-1)}`, {
      code: 'disk',
      remedy: `Try it by hand: ${program} ${args.join(' ')}`,
    });
}

function report(from: string, to: string, { json }: Options): void {
  if (json) printDocument({ from, to });
  else stdout.write(`${shortPath(from)} was copied to ${shortPath(to)}\n`);
}
