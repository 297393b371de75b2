import type { Command } from 'commander';
import { installTensorFlow, repairTensorFlow, uninstallTensorFlow } from '../backend-install/install';
import {
  type Installed,
  probe,
  readInstalled,
  tensorFlowFolder,
  verifyTensorFlow,
} from '../engine/embedded/tensorflow';
import { askConsent } from './consent';
import { print, printDocument } from './exit';
import { bytes, columns } from './format';
import { pc, stderr, stdout } from './terminal';
import { watched } from './watched';

interface Options {
  from?: string;
  gpu?: boolean;
  download?: boolean;
  release?: string;
  yes?: boolean;
  json?: boolean;
  progress?: boolean;
}

export function addBackendCommand(program: Command): void {
  const command = program
    .command('backend')
    .description("TensorFlow as what computes: set up over the one you have, or PyPI's");
  command
    .command('install')
    .description('finds a TensorFlow, builds the binding to it, tries it, and remembers it for every project')
    .option('--from <what>', 'a Python program that has it, site-packages/tensorflow, or an unpacked libtensorflow')
    .option('--gpu', 'for CUDA: it must compute on the GPU')
    .option('--download', "fetch PyPI's wheel, whatever is here")
    .option('--no-download', 'fetch no wheel: what is here, or nothing')
    .option('--release <number>', 'the release of the wheel to fetch')
    .option('-y, --yes', 'fetch without asking')
    .option('--progress', 'with --json: steps as JSON lines on standard error')
    .option('--json', 'the result as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  distillery backend install\n  distillery backend install --gpu ' +
        '--from ~/venv/bin/python\n  distillery backend install --download --yes',
    )
    .action(async (options: Options) => {
      const made = await watched(options, (watch) =>
        installTensorFlow(
          {
            from: options.from,
            gpu: options.gpu ?? false,
            version: options.release,
            download: whenToDownload(options),
          },
          ({ name, size, url }) => {
            stderr.write(
              `${name} would be fetched from ${new URL(url).host}: ${bytes(size)}, kept in ${tensorFlowFolder()}\n`,
            );
            return askConsent('Fetch it?', options.yes);
          },
          watch,
        ),
      );
      report(made, options.json);
    });
  command
    .command('repair')
    .description('builds and tries again what was set up')
    .option('--progress', 'with --json: steps as JSON lines on standard error')
    .option('--json', 'the result as one JSON object')
    .action(async (options: Options) => report(await watched(options, repairTensorFlow), options.json));
  command
    .command('status')
    .description('what is set up, and whether it works')
    .option('--json', 'the same as one JSON object')
    .action(status);
  command
    .command('uninstall')
    .description('deletes what was set up; a TensorFlow of your own stays')
    .option('--json', 'the folder as one JSON object')
    .action((options: Options) => {
      const folder = uninstallTensorFlow();
      if (options.json) printDocument({ deleted: folder });
      else stdout.write(folder ? `Deleted ${folder}\n` : 'Nothing was set up.\n');
    });
  command
    .command('probe', { hidden: true })
    .option('--gpu')
    .action(async (options: Options) => {
      const result = await verifyTensorFlow(options.gpu ?? false);
      print(result);
      if (!result.works) process.exitCode = 2;
    });
}

function whenToDownload({ download, from }: Options): 'always' | 'if-needed' | 'never' {
  if (download) return 'always';
  return from || download === false ? 'never' : 'if-needed';
}

function report(made: Installed, json?: boolean): void {
  if (json) {
    printDocument(made);
    return;
  }
  const name = made.gpu ? 'tensorflow-gpu' : 'tensorflow';
  stdout.write(
    `${pc.green('✓')} ${pc.bold(name)} works: TensorFlow ${made.tensorflow.version} (${made.tensorflow.origin}).\n` +
      `Use it by "backend": "${name}" in an experiment; \`distillery doctor\` measures it.\n`,
  );
}

async function status(options: Options): Promise<void> {
  const made = readInstalled();
  const result = made ? await probe({ gpu: made.gpu }) : null;
  if (options.json) printDocument({ folder: tensorFlowFolder(), installed: made, result });
  else if (!made || !result) stdout.write('Nothing is set up. `distillery backend install` does it.\n');
  else {
    const facts = [
      ['TensorFlow', `${made.tensorflow.version}, ${made.tensorflow.origin}`],
      ['libraries', made.tensorflow.libraries.join(', ')],
      ['binding', `${made.binding}, built ${made.builtAt.slice(0, 10)} by ${made.compiler}`],
      ['for', made.gpu ? 'the GPU (tensorflow-gpu)' : 'the CPU (tensorflow)'],
      ['now', result.works ? pc.green('works') : `${pc.red('does not work')}: ${result.reason}`],
    ];
    const lines = columns(
      facts.map(([name, fact]) => [pc.bold(name), fact]),
      2,
    );
    stdout.write(`${lines.join('\n')}\n${result.remedy ? `${result.remedy}\n` : ''}`);
  }
  if (result && !result.works) process.exitCode = 2;
}
