/** The user's own Tinker server: its address in the user's settings, its key in the secret storage of VS Code. */
import type { Identity } from '../../client/link';
import { pricesSchema } from '../../spent';
import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import { faultIn } from '../shared/endpoints';
import { commandOffer, offer } from '../shared/offers';
import { setting } from '../shared/settings';
import * as vscode from '../vscode';

/** A key belongs to one origin: it is never sent to another server. */
const secretName = (url: string) => `distillery.tinker.key ${new URL(url).origin}`;

/** Sent to hosts at every connection, which does not wait for the secret storage, so the key is read before. */
export class TinkerServer implements vscode.Disposable {
  private known: { url: string; key?: string } = { url: '' };
  private readonly listeners: vscode.Disposable[];

  constructor(private readonly secrets: vscode.SecretStorage) {
    this.listeners = [
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('distillery.tinker')) void this.read();
      }),
      secrets.onDidChange(() => void this.read()),
    ];
  }

  get identity(): NonNullable<Identity['tinker']> {
    const url = setting('tinker.url', '');
    const prices = pricesSchema.safeParse(setting('tinker.prices', {}));
    // After a change of the address, no key is known until that of the new one is read.
    const key = this.known.url === url ? this.known.key : undefined;
    return { url, key, model: setting('tinker.model', ''), prices: prices.data };
  }

  async read(): Promise<void> {
    const url = setting('tinker.url', '');
    const key = URL.canParse(url) ? await this.secrets.get(secretName(url)) : undefined;
    this.known = { url, key: key || undefined };
  }

  dispose(): void {
    for (const listener of this.listeners) listener.dispose();
  }
}

/** `distillery.setUpTinker`: asks for address, key and model. */
export function registerSetUpTinker(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.setUpTinker', async () => {
    const title = 'Set Up Tinker Server';
    const ask = (options: Parameters<typeof vscode.window.showInputBox>[0]) =>
      vscode.window.showInputBox({ title, ignoreFocusOut: true, ...options });
    const url = await ask({
      prompt: 'Address of the server, without /api/v1',
      placeHolder: 'http://127.0.0.1:8000',
      value: setting('tinker.url', ''),
      validateInput: (text) => faultIn(text.trim()),
    });
    if (!url?.trim()) return;
    const host = new URL(url.trim()).host;
    const key = await ask({
      prompt:
        `API key. It is kept in the secret storage of VS Code and sent to ${host} only. ` +
        'Leave it empty if the server needs none.',
      password: true,
    });
    if (key === undefined) return;
    const model = await ask({
      prompt: 'Name of the model on the server. Leave it empty if the server has only one.',
      placeHolder: 'Qwen/Qwen3-8B',
      value: setting('tinker.model', ''),
    });
    if (model === undefined) return;
    if (key.trim()) await services.context.secrets.store(secretName(url.trim()), key.trim());
    else await services.context.secrets.delete(secretName(url.trim()));
    const settings = vscode.workspace.getConfiguration('distillery');
    await settings.update('tinker.url', url.trim(), vscode.ConfigurationTarget.Global);
    await settings.update('tinker.model', model.trim(), vscode.ConfigurationTarget.Global);
    const text = `To train on ${host}, add "backend": "tinker" next to the "name" of an experiment.`;
    void offer(text, commandOffer('Reload Window', 'workbench.action.reloadWindow'));
  });
}
