/**
 * Prints the table of docs/numerics.md, which compares whole updates with those of TRL's GRPOTrainer.train() from the
 * same weights, completions and rewards.
 *   npx tsx bench/parity.ts [--backend embedded]
 */
import { parseArgs } from 'node:util';
import { useBackend } from '../src/kernels/backends';
import { type Compared, compareUpdates, type Logged, readUpdates } from '../test/parity/grpo-updates';

const { values } = parseArgs({ options: { backend: { type: 'string', default: 'embedded' } } });

const shown: [Logged, string][] = [
  ['gradNorm', 'gradient norm'],
  ['loss', 'loss'],
  ['entropy', 'entropy'],
  ['kl', 'KL'],
  ['clipLow', 'clipped low'],
  ['clipHigh', 'clipped high'],
];

/** Our value and TRL's in the last update, to four digits; one number if they agree. */
function both(pairs: Compared['pairs'][Logged]): string {
  if (!pairs) return '';
  const [ours, theirs] = pairs.at(-1)!.map((value) => short(value));
  return ours === theirs ? ours : `${ours}, TRL ${theirs}`;
}

const short = (value = Number.NaN) => (Math.abs(value) < 1e-6 ? '0' : `${Number(value.toPrecision(4))}`);
const row = (cells: string[]) => console.log(`| ${cells.join(' | ')} |`);

async function main(): Promise<void> {
  const { description } = await useBackend(values.backend as 'embedded');
  const { shared, cases } = readUpdates();
  const versions = Object.entries(shared.versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${versions.join(', ')}, compared with ${description}\n`);
  const titles = ['updates', 'cosine', 'norm', ...shown.map(([, title]) => title)];
  row(titles);
  row(titles.map(() => '---'));
  for (const one of cases) {
    const { cosine, normRatio, pairs } = await compareUpdates(shared, one);
    row([one.name, cosine.toFixed(5), normRatio.toFixed(4), ...shown.map(([name]) => both(pairs[name]))]);
  }
}

void main();
