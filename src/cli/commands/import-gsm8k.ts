import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { download, isThere } from '../../data/download';
import { gsm8kFiles, gsm8kSource } from '../../data/gsm8k-files';
import { UserError } from '../../errors';
import { commandLine, quoted, shortPath } from '../inputs/places';
import { askConsent } from '../terminal/consent';
import { printDocument } from '../terminal/exit';
import { bytes as size } from '../terminal/format';
import { stderr, stdout } from '../terminal/terminal';
import { waiting } from '../terminal/waiting-indicator';

interface Options {
  mirror: string;
  yes?: boolean;
  json?: boolean;
}

export function addGsm8kImport(command: Command): void {
  command
    .command('gsm8k')
    .description('download the GSM8K dataset (8,792 school problems with solutions, MIT) from its authors on GitHub')
    .argument('[folder]', 'folder for train.jsonl and test.jsonl', join('data', 'gsm8k'))
    .option('--mirror <url>', 'URL of a folder on another server with the two files', gsm8kSource)
    .option('--yes', 'download without asking')
    .option('--json', 'the files as one JSON object')
    .addHelpText(
      'after',
      `\nThe files are verified by their SHA-256. Example:\n  distillery import gsm8k examples/gsm8k-qwen2.5/data`,
    )
    .showHelpAfterError('See `distillery import gsm8k --help`.')
    .action(importGsm8k);
}

async function importGsm8k(folder: string, { mirror, yes, json }: Options): Promise<void> {
  if (!URL.canParse(mirror) || !/^https?:$/.test(new URL(mirror).protocol))
    throw new UserError(`"${mirror}" is not a web address`, {
      code: 'usage',
      remedy: 'Give --mirror an http or https URL.',
    });
  const files = Object.entries(gsm8kFiles).map(([name, known]) => ({ ...known, name, file: resolve(folder, name) }));
  const missing = files.filter(({ file, ...known }) => !isThere(file, known));
  if (missing.length > 0) {
    const list = missing.map(({ name, bytes }) => `${name} (${size(bytes)})`).join(' and ');
    stderr.write(`GSM8K, MIT license: ${list}\nfrom ${mirror}\nto   ${shortPath(resolve(folder))}\n`);
    if (!(await askConsent('Download them?', yes))) return;
  }
  for (const { name, file, bytes, sha256 } of missing) {
    const done = waiting(`Downloading ${name}`, json);
    await download(`${mirror.replace(/\/+$/, '')}/${name}`, file, { bytes, sha256 }).finally(done);
  }
  const kept = files.map(({ file, rows, sha256 }) => ({ file, rows, sha256 }));
  if (json) return printDocument({ files: kept, fetched: missing.map(({ name }) => name) });
  const [train, test] = files.map(({ file }) => quoted(shortPath(file)));
  stdout.write(
    `${kept.map(({ file, rows }) => `${String(rows).padStart(6)} rows  ${shortPath(file)}`).join('\n')}\n\nMake ` +
      'an experiment with them:\n  ' +
      `${commandLine(`new my-experiment --data ${train} --test ${test}`)}\n`,
  );
}
