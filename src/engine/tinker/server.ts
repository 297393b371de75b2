/** The Tinker server in use: the one set in the editor (settings and secret storage), else that of the environment. */
import { UserError } from '../../errors';
import type { TokenPrices } from '../../spent';
import type { TinkerAddress } from './client';
import { parsePrices } from './meter';

/** The names used by Tinker's own SDK; the model's is ours, needed if a server offers several. */
export const variables = {
  url: 'TINKER_BASE_URL',
  key: 'TINKER_API_KEY',
  model: 'DISTILLERY_TINKER_MODEL',
  /** Ours too: what a million tokens cost (meter.ts). */
  prices: 'DISTILLERY_TINKER_PRICES',
};

export const advice =
  `Set ${variables.url} (and ${variables.key}) for a server of the Tinker API, ` +
  'or in VS Code use *Set Up Tinker Server*: docs/cluster.md.';

export interface AskedServer extends Partial<TinkerAddress> {
  /** '' = the server's only model. */
  model?: string;
  prices?: TokenPrices;
}

let asked: AskedServer | undefined;

/** Uses this server from now on; without a `url`, that of the environment. The key stays in memory. */
export function askForTinker(server: AskedServer | undefined): void {
  asked = server?.url ? server : undefined;
}

export function tinkerServer(): TinkerAddress & AskedServer {
  const { url, key, model, prices } = asked ?? {
    url: process.env[variables.url],
    key: process.env[variables.key],
    model: process.env[variables.model],
    prices: parsePrices(process.env[variables.prices], variables.prices),
  };
  if (!url?.trim()) throw new UserError('no Tinker server is configured', { code: 'backend', remedy: advice });
  return { url: url.trim(), key: key?.trim() || undefined, model: model || undefined, prices };
}
