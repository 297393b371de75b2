import { UserError } from '../errors';
import { trustedCommand } from './commands/report';
import { install } from './installer';
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

/**
 * `distillery.setUpTensorFlow`: runs `distillery backend install`, with its progress. Returns the version that works
 * now.
 */
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
    return await installTensorFlow(args, services);
  } catch (error) {
    if (!otherwise || !(error instanceof UserError) || error.code !== 'missing') throw error;
    const fetch = t('Fetch It From PyPI');
    const chosen = await vscode.window.showWarningMessage(t('No TensorFlow is found here.'), fetch);
    return chosen === fetch ? installTensorFlow(otherwise, services) : undefined;
  }
}

interface Made {
  gpu: boolean;
  tensorflow: { version: string };
}

const installTensorFlow = (args: string[], services: Services) =>
  install<Made>({ what: 'backend', args, title: t('Setting up TensorFlow') }, services);
