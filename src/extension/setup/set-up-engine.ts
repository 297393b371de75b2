import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import { commandOffer, offer } from '../shared/offers';
import * as vscode from '../vscode';
import { install } from './installer';

interface EngineChoice extends vscode.QuickPickItem {
  /** Arguments of `distillery engine install`; null: asks for a Python. */
  args: string[] | null;
}

const ways: EngineChoice[] = [
  {
    icon: 'cloud-download',
    label: 'New Environment for This Machine',
    detail: 'From PyPI: for the GPU if there is an NVIDIA driver (about 7 GB), else for the CPU (about 1 GB)',
    args: ['--yes'],
  },
  {
    icon: 'cloud-download',
    label: 'New Environment for the CPU',
    detail: 'From PyPI; about 1 GB',
    args: ['--cpu', '--yes'],
  },
  {
    icon: 'folder-opened',
    label: 'Choose a Python...',
    detail: 'An existing environment with torch, transformers and peft; it is not changed',
    args: null,
  },
];

/**
 * `distillery.setUpEngine`: runs `distillery engine install` with progress. Returns a description of the device in use.
 */
export function registerSetUpEngine(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.setUpEngine', async (argument?: unknown) => {
    const args = Array.isArray(argument) ? argument.map(String) : await chooseWay();
    if (!args) return undefined;
    const title = 'Setting up the PyTorch engine';
    const { description } = await install<{ description: string }>({ what: 'engine', args, title }, services);
    const text = `${description} works. To use it, add "backend": "torch" next to the "name" of an experiment.`;
    services.log.info(text);
    void offer(text, commandOffer('Doctor', 'distillery.doctor'));
    return description;
  });
}

async function chooseWay(): Promise<string[] | undefined> {
  const title = 'Set Up PyTorch Engine';
  const way = await vscode.window.showQuickPick(ways, { title, placeHolder: 'Which Python environment?' });
  if (!way || way.args) return way?.args ?? undefined;
  const file = await vscode.window.showOpenDialog({ title, openLabel: 'Use This Python' });
  return file === undefined ? undefined : ['--python', file];
}
