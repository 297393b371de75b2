import { UserError } from '../../errors';
import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import { commandOffer, offer } from '../shared/offers';
import * as vscode from '../vscode';
import { install } from './installer';

/** A way to get TensorFlow: arguments of `distillery backend install`. */
interface InstallAttempt {
  args: string[];
  /** The fallback when those find no TensorFlow. */
  otherwise?: string[];
}

interface TensorFlowChoice extends vscode.QuickPickItem, InstallAttempt {
  /** Asks for a file or folder, which follows --from. */
  asks?: boolean;
}

const fetchCpu = ['--download', '--yes'];
const fetchGpu = ['--gpu', ...fetchCpu];

const ways: TensorFlowChoice[] = [
  {
    icon: 'search',
    label: 'Installed TensorFlow',
    detail: 'From the active environment, or from python3 on the PATH',
    args: ['--no-download'],
    otherwise: fetchCpu,
  },
  {
    icon: 'cloud-download',
    label: 'TensorFlow from PyPI',
    detail: 'For the CPU: downloads 274 MB, uses 0.9 GB',
    args: fetchCpu,
  },
  {
    icon: 'circuit-board',
    label: 'Installed TensorFlow for the GPU',
    detail: 'With its CUDA libraries: pip install "tensorflow[and-cuda]"',
    args: ['--gpu', '--no-download'],
    otherwise: fetchGpu,
  },
  {
    icon: 'cloud-download',
    label: 'TensorFlow from PyPI for the GPU',
    detail: 'Downloads 572 MB; needs CUDA 12 and cuDNN on this machine',
    args: fetchGpu,
  },
  {
    icon: 'folder-opened',
    label: 'Choose a Python...',
    detail: 'A Python program that has TensorFlow',
    args: [],
    asks: true,
  },
];

/** `distillery.setUpTensorFlow`: runs `distillery backend install` with progress. Returns the installed version. */
export function registerSetUpTensorFlow(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.setUpTensorFlow', async (argument?: unknown) => {
    const plan: InstallAttempt | undefined = Array.isArray(argument)
      ? { args: argument.map(String) }
      : await chooseWay();
    if (!plan) return undefined;
    const made = await installBy(plan, services);
    if (!made) return undefined;
    const name = made.gpu ? 'tensorflow-gpu' : 'tensorflow';
    const { version } = made.tensorflow;
    const use = `add "backend": "${name}" next to the "name" of an experiment`;
    const text = `TensorFlow ${version} works. To use it, ${use}.`;
    services.log.info(text);
    void offer(text, commandOffer('Doctor', 'distillery.doctor'));
    return version;
  });
}

async function chooseWay(): Promise<InstallAttempt | undefined> {
  const title = 'Set Up TensorFlow Backend';
  const way = await vscode.window.showQuickPick(ways, { title, placeHolder: 'Which TensorFlow?' });
  if (!way?.asks) return way;
  const file = await vscode.window.showOpenDialog({ title, openLabel: 'Use This Python' });
  return file === undefined ? undefined : { args: [...way.args, '--from', file] };
}

/** When none is installed, asks whether to download PyPI's. Undefined: no. */
async function installBy(
  { args, otherwise }: InstallAttempt,
  services: Services,
): Promise<InstalledVersion | undefined> {
  try {
    return await installTensorFlow(args, services);
  } catch (error) {
    if (!otherwise || !(error instanceof UserError) || error.code !== 'missing') throw error;
    const fetch = 'Download From PyPI';
    const chosen = await vscode.window.showWarningMessage('TensorFlow was not found on this machine.', fetch);
    return chosen === fetch ? installTensorFlow(otherwise, services) : undefined;
  }
}

interface InstalledVersion {
  gpu: boolean;
  tensorflow: { version: string };
}

const installTensorFlow = (args: string[], services: Services) =>
  install<InstalledVersion>({ what: 'backend', args, title: 'Setting up TensorFlow' }, services);
