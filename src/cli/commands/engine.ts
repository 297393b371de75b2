import { type Command, Option } from 'commander';
import type { EngineCommand } from '../../engine/process/child';
import {
  askedCommand,
  askForEngine,
  engineFolder,
  findEngine,
  type InstalledEngine,
  readInstalledEngine,
} from '../../engine/process/installed';
import { type Verified, verifyEngine } from '../../engine/process/verify';
import {
  type EngineInstallOptions,
  type InstallPlan,
  installEngine,
  repairEngine,
  uninstallEngine,
} from '../../engine-install/install';
import type { Accelerator } from '../../engine-install/pins';
import { UserError } from '../../errors';
import { speedText } from '../../report/format';
import { askConsent } from '../terminal/consent';
import { printDocument } from '../terminal/exit';
import { bytes, columns } from '../terminal/format';
import { interruptible } from '../terminal/interruptible';
import { pc, stderr, stdout } from '../terminal/terminal';
import { waiting } from '../terminal/waiting-indicator';
import { addUninstallCommand } from './setup';

interface Options {
  cuda?: boolean;
  cpu?: boolean;
  vllm?: boolean;
  python?: string;
  yes?: boolean;
  json?: boolean;
  progress?: boolean;
}

/** `--engine-command`, for every command that may need an engine; DISTILLERY_ENGINE has the same effect. */
export const engineOption = () =>
  new Option(
    '--engine-command <command>',
    'command that starts the engine, such as "ssh box python -m distillery_engine"',
  ).argParser((text) => {
    askForEngine({ text, origin: '--engine-command' });
    return text;
  });

export function addEngineCommand(program: Command): void {
  const command = program
    .command('engine')
    .description('set up the PyTorch engine for large students, in a new or an existing Python environment');
  command
    .command('install')
    .description('create a Python environment with PyTorch, test it, and save it for all projects')
    .addOption(new Option('--cuda', 'for an NVIDIA GPU (default if its driver is installed)').conflicts('cpu'))
    .option('--cpu', 'for the CPU')
    .option('--vllm', 'with vLLM, which samples faster')
    .option('--python <path>', 'an existing environment: it is tested and saved, and nothing in it is changed')
    .option('-y, --yes', 'download without asking')
    .option('--progress', 'with --json: steps as JSON lines on standard error')
    .option('--json', 'the result as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  distillery engine install\n  distillery engine install --cuda ' +
        '--vllm --yes\n  distillery engine install --python ~/venv/bin/python',
    )
    .action(async (options: Options) => {
      const asked: EngineInstallOptions = {
        accelerator: acceleratorOf(options),
        vllm: options.vllm ?? false,
        python: options.python,
      };
      const agreed = (plan: InstallPlan) => {
        stderr.write(planText(plan));
        return askConsent('Download them?', options.yes);
      };
      report(await interruptible(options, (watch) => installEngine(asked, agreed, watch)), options.json);
    });
  command
    .command('repair')
    .description('set up the same again, from new downloads')
    .option('--progress', 'with --json: steps as JSON lines on standard error')
    .option('--json', 'the result as one JSON object')
    .action(async (options: Options) => report(await interruptible(options, repairEngine), options.json));
  command
    .command('status')
    .description('show what is set up and whether it works, by sampling and by a gradient')
    .addOption(engineOption())
    .option('--json', 'the same as one JSON object')
    .action(status);
  addUninstallCommand(command, 'delete what was set up; your own environment is kept', uninstallEngine);
}

function acceleratorOf({ cuda, cpu }: Options): Accelerator | undefined {
  if (cuda) return 'cuda';
  return cpu ? 'cpu' : undefined;
}

const planText = ({ packages, bytes: size, folder }: InstallPlan) =>
  'These packages and their dependencies would be installed from PyPI into ' +
  `${folder} (up to ${bytes(size)}):\n  ${packages.join('\n  ')}\n`;

function report(made: InstalledEngine, json?: boolean): void {
  if (json) {
    printDocument(made);
    return;
  }
  stdout.write(
    `${pc.green('✓')} ${pc.bold('torch')} works: ${made.description}, ` +
      `${Math.round(made.tokensPerSecond)} tokens/s of the built-in student.\n` +
      'Use it with "backend": "torch" in an experiment.\n',
  );
}

async function status(options: Options): Promise<void> {
  const installed = readInstalledEngine();
  const command = askedCommand() || installed ? findEngine() : null;
  if (!command) {
    if (options.json) printDocument({ folder: engineFolder(), installed, engine: null });
    else stdout.write('Nothing is set up. Run `distillery engine install`.\n');
    return;
  }
  const end = waiting('Testing sampling and a gradient', options.json);
  const result = await verifyEngine(command).catch((error) => {
    if (error instanceof UserError) return error;
    throw error;
  });
  end();
  const failed = result instanceof UserError;
  if (failed) process.exitCode = 2;
  if (options.json)
    printDocument({
      folder: engineFolder(),
      installed,
      command: command.line,
      engine: failed ? null : result,
      problem: failed ? result.toString() : undefined,
    });
  else stdout.write(`${columns(statusRows(command, installed, result), 2).join('\n')}\n`);
}

function statusRows(
  command: EngineCommand,
  installed: InstalledEngine | null,
  result: Verified | UserError,
): string[][] {
  const rows = [[pc.bold('command'), command.line.join(' ')]];
  if (installed)
    rows.push([
      pc.bold('set up'),
      `${installed.installedAt.slice(0, 10)}, ${installed.own ? 'an environment of yours' : engineFolder()}`,
    ]);
  if (result instanceof UserError)
    return [...rows, [pc.bold('now'), `${pc.red('does not work')}: ${result.toString()}`]];
  return [...rows, ...factsOf(result).map(([name, fact]) => [pc.bold(name), fact])];
}

/** The facts of a tested engine, as rows for people. */
function factsOf({ hello, description, tokensPerSecond, flops }: Verified): [string, string][] {
  const devices = hello.devices.map((one) => {
    if (typeof one === 'string') return one;
    return one.totalBytes ? `${one.name} (${bytes(one.totalBytes)}, ${bytes(one.freeBytes ?? 0)} free)` : one.name;
  });
  const versions = Object.entries(hello.versions).map(([name, version]) => `${name} ${version}`);
  return [
    ['now', `${pc.green('works')}: ${description}`],
    ['devices', devices.join(', ') || hello.device],
    ['dtypes', hello.dtypes.join(', ')],
    ['samplers', hello.samplers.join(', ')],
    ['versions', versions.join(', ')],
    [
      'speed',
      `${speedText({ tokensPerSecond, gflops: flops === null ? undefined : flops / 1e9 })} ` +
        '(the built-in student; a large matrix product)',
    ],
  ];
}
