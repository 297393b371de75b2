import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { UserError } from '../errors';
import { cancellable } from './cancellable';
import { answerOf, commandLine } from './command-line';
import { trustedCommand } from './commands/report';
import type { Services } from './services';
import * as vscode from './vscode';

const { t } = vscode.l10n;

/** How a TensorFlow is come by: arguments of `distillery backend install`. */
interface Plan {
  args: string[];
  /** What is offered where those find no TensorFlow. */
  otherwise?: string[];
}

interface Way extends vscode.QuickPickItem, Plan {
  /** A file or folder is asked for, and goes behind --from. */
  asks?: boolean;
}

const fetchCpu = ['--download', '--yes'];
const fetchGpu = ['--gpu', ...fetchCpu];

const ways = (): Way[] => [
  {
    icon: 'search',
    label: t('The TensorFlow that is here'),
    detail: t('That of the active environment, or of python3 on the PATH'),
    args: ['--no-download'],
    otherwise: fetchCpu,
  },
  {
    icon: 'cloud-download',
    label: t('TensorFlow from PyPI'),
    detail: t('For the CPU: 274 MB to fetch, 0.9 GB to keep'),
    args: fetchCpu,
  },
  {
    icon: 'circuit-board',
    label: t('The TensorFlow that is here, for the GPU'),
    detail: t('CUDA libraries beside it: pip install "tensorflow[and-cuda]"'),
    args: ['--gpu', '--no-download'],
    otherwise: fetchGpu,
  },
  {
    icon: 'cloud-download',
    label: t('TensorFlow from PyPI, for the GPU'),
    detail: t('572 MB to fetch; CUDA 12 and cuDNN must be on this machine'),
    args: fetchGpu,
  },
  {
    icon: 'folder-opened',
    label: t('Choose a Python...'),
    detail: t('A Python program that has TensorFlow'),
    args: [],
    asks: true,
  },
];

/** `distillery.setUpTensorFlow`: runs `distillery backend install`, with its progress. Returns the version that works now. */
export function registerSetUpTensorFlow(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.setUpTensorFlow', async (argument?: unknown) => {
    const plan: Plan | undefined = Array.isArray(argument) ? { args: argument.map(String) } : await chooseWay();
    if (!plan) return undefined;
    const made = await installBy(plan, services);
    if (!made) return undefined;
    const name = made.gpu ? 'tensorflow-gpu' : 'tensorflow';
    const doctor = t('Doctor');
    const text = t(
      'TensorFlow {0} works. An experiment takes it by a line "backend": "{1}" beside its "name".',
      made.tensorflow.version,
      name,
    );
    services.log.info(text);
    void vscode.window.showInformationMessage(text, doctor).then((answer) => {
      if (answer === doctor) void vscode.commands.executeCommand('distillery.doctor');
    });
    return made.tensorflow.version;
  });
}

async function chooseWay(): Promise<Plan | undefined> {
  const title = t('Set Up TensorFlow Backend');
  const way = await vscode.window.showQuickPick(ways(), { title, placeHolder: t('Which TensorFlow?') });
  if (!way?.asks) return way;
  const [file] = (await vscode.window.showOpenDialog({ title, openLabel: t('Use This Python') })) ?? [];
  return file && { args: [...way.args, '--from', file.fsPath] };
}

/** Where there is none here, asks whether PyPI's is fetched. undefined: it is not. */
async function installBy({ args, otherwise }: Plan, services: Services): Promise<Made | undefined> {
  try {
    return await install(args, services);
  } catch (error) {
    if (!otherwise || !(error instanceof UserError) || error.code !== 'missing') throw error;
    const fetch = t('Fetch It From PyPI');
    const chosen = await vscode.window.showWarningMessage(t('No TensorFlow is found here.'), fetch);
    return chosen === fetch ? install(otherwise, services) : undefined;
  }
}

interface Made {
  gpu: boolean;
  tensorflow: { version: string };
}

function install(args: string[], { log }: Services): Thenable<Made> {
  return cancellable(t('Setting up TensorFlow'), async (signal, progress) => {
    const line = await commandLine(['backend', 'install', '--json', '--progress', ...args]);
    if (signal.aborted) throw new vscode.CancellationError();
    log.info(`${line.command} ${line.args.join(' ')}`);
    const env = { ...network(process.env), ...line.env };
    const child = spawn(line.command, line.args, { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    signal.addEventListener('abort', () => child.kill('SIGINT'));
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    createInterface(child.stderr).on('line', (line) => {
      const step = stepOf(line);
      if (step) progress.report({ message: step });
      else log.info(line);
    });
    await new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
    if (signal.aborted) throw new vscode.CancellationError();
    return resultOf(output);
  });
}

/** Ways to the network and to compilers and environments, beyond what a training host gets. */
function network(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names =
    /^(https?_proxy|no_proxy|npm_config_registry|cxx|virtual_env|conda_prefix|xdg_data_home|node_extra_ca_certs)$/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.test(name)));
}

/** A line of `--progress`, as words; null for any other line. */
export function stepOf(line: string): string | null {
  try {
    const { doing, done, total } = JSON.parse(line) as { doing?: string; done?: number; total?: number };
    if (typeof doing !== 'string') return null;
    return total ? `${doing}, ${Math.floor((100 * (done ?? 0)) / total)} %` : doing;
  } catch {
    return null;
  }
}

/** What the command line answered. @throws UserError with its message and remedy */
export function resultOf(output: string): Made {
  try {
    return answerOf<Made>(output);
  } catch (error) {
    if (!(error instanceof UserError))
      throw new Error('distillery backend install gave no answer; the log has its words');
    const place = error.file ? `${error.file}: ` : '';
    throw new UserError(`${place}${error.message}`, { remedy: error.remedy, code: error.code });
  }
}
