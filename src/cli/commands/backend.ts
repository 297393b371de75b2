import type { Command } from 'commander';
import { installTensorFlow, repairTensorFlow, uninstallTensorFlow } from '../../backend-install/install';
import { type Installed, probe, readInstalled, tensorFlowFolder } from '../../engine/embedded/tensorflow';
import { askConsent } from '../terminal/consent';
import { printDocument } from '../terminal/exit';
import { bytes, columns } from '../terminal/format';
import { interruptible } from '../terminal/interruptible';
import { pc, stderr, stdout } from '../terminal/terminal';
import { addUninstallCommand } from './setup';

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
    .description("set up the TensorFlow backend, with an installed TensorFlow or PyPI's");
  command
    .command('install')
    .description('find a TensorFlow, build the binding to it, test it, and save it for all projects')
    .option(
      '--from <what>',
      'a Python program that has TensorFlow, site-packages/tensorflow, or an unpacked libtensorflow',
    )
    .option('--gpu', 'for CUDA: the test must run on the GPU')
    .option('--download', "download PyPI's wheel, even if a TensorFlow is installed")
    .option('--no-download', 'download no wheel: use an installed TensorFlow or fail')
    .option('--release <number>', 'release of the wheel to download')
    .option('-y, --yes', 'download without asking')
    .option('--progress', 'with --json: steps as JSON lines on standard error')
    .option('--json', 'the result as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  distillery backend install\n  distillery backend install --gpu ' +
        '--from ~/venv/bin/python\n  distillery backend install --download --yes',
    )
    .action(async (options: Options) => {
      const made = await interruptible(options, (watch) =>
        installTensorFlow(
          {
            from: options.from,
            gpu: options.gpu ?? false,
            version: options.release,
            download: whenToDownload(options),
          },
          ({ name, size, url }) => {
            stderr.write(
              `${name} would come from ${new URL(url).host}: ${bytes(size)}, stored in ${tensorFlowFolder()}\n`,
            );
            return askConsent('Download it?', options.yes);
          },
          watch,
        ),
      );
      report(made, options.json);
    });
  command
    .command('repair')
    .description('build and test the installed setup again')
    .option('--progress', 'with --json: steps as JSON lines on standard error')
    .option('--json', 'the result as one JSON object')
    .action(async (options: Options) => report(await interruptible(options, repairTensorFlow), options.json));
  command
    .command('status')
    .description('show what is set up, and whether it works')
    .option('--json', 'the same as one JSON object')
    .action(status);
  addUninstallCommand(command, 'delete what was set up; your own TensorFlow is kept', uninstallTensorFlow);
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
      `Use it with "backend": "${name}" in an experiment; \`distillery doctor\` measures it.\n`,
  );
}

async function status(options: Options): Promise<void> {
  const made = readInstalled();
  const result = made ? await probe({ gpu: made.gpu }) : null;
  if (options.json) printDocument({ folder: tensorFlowFolder(), installed: made, result });
  else if (!made || !result) stdout.write('Nothing is set up. Run `distillery backend install`.\n');
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
