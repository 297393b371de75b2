/**
 * Measures speed and memory of the engine. If Python has torch (DISTILLERY_PYTHON names an interpreter other than
 * python3) or TensorFlow is set up, the same run also measures eager PyTorch and TensorFlow:
 *   npm run bench [-- --seconds n] [--json file] [--out]
 *
 * All of them have the same student, initial weights, tokens and optimizer, and their first losses are compared.
 * Measurements alternate, so that other processes slow all of them down equally, and ratios are taken within a turn.
 * DISTILLERY_THREADS sets the number of threads (default 2). --seconds is the time of each of the two measurements
 * (default 20). --json writes all figures to a file, --out the tables to docs/performance.md. Other modes: --profile
 * shows the kernels of an update (profile.ts), --trl compares whole updates with TRL (trl.ts), --pipe measures the
 * overhead of an engine's pipe (pipe.ts), --llama compares generation with llama.cpp (llama.ts).
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ProductPrecision } from '../src/engine-data/training';
import { readInstalled } from '../src/kernels/tensorflow/installed';
import { packageRoot } from '../src/paths';
import { type Section, writeSection } from './document';
import { compareWithLlama } from './llama';
import { openPeer, type Peer } from './peer';
import { pipeCost } from './pipe';
import { profiles } from './profile';
import { generationTable, memoryTable, type Rounds, speeds, trainTable } from './report';
import { besideTrlByThreads, compareWithTrl } from './trl';
import { tokens, vocabularyPeaks } from './vocabulary';
import { type Contender, openEngine, shape } from './workload';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    json: { type: 'string' },
    profile: { type: 'boolean', default: false },
    trl: { type: 'boolean', default: false },
    pipe: { type: 'boolean', default: false },
    llama: { type: 'boolean', default: false },
    pretrained: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    student: { type: 'string' },
    precision: { type: 'string', default: 'float32' },
    out: { type: 'boolean', default: false },
  },
});

const leastRounds = 3;

/** Milliseconds between turns: enough for spinning worker threads to go to sleep. */
const pauseMs = 50;

type Contenders = Record<string, Contender>;

async function measureInTurns(contenders: Contenders, seconds: number, work: 'train' | 'generate'): Promise<Rounds> {
  const rounds: Rounds = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < leastRounds || performance.now() < end; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      await setTimeout(pauseMs);
      rounds[name].push((await contender[work]()).ms);
    }
  }
  return rounds;
}

/** How far first losses may differ from the float32 engine's. */
const lossTolerance: Record<ProductPrecision, number> = { float32: 1e-3, bfloat16: 2e-2 };

/** Losses of three warm-up steps. They must agree; otherwise the contenders do different work. */
async function firstLosses(contenders: Contenders): Promise<Record<string, number[]>> {
  const losses: Record<string, number[]> = {};
  for (const [name, contender] of Object.entries(contenders)) {
    losses[name] = [];
    for (let step = 0; step < 3; step++) losses[name].push((await contender.train()).loss);
    await contender.generate();
  }
  const [first, ...others] = Object.entries(losses);
  for (const [name, other] of others)
    if (other.some((loss, step) => !(Math.abs(loss - first[1][step]) < lossTolerance[contenders[name].precision])))
      throw new Error(`${name} does not train as ${first[0]} does: losses ${other} and ${first[1]}`);
  return losses;
}

const git = (...args: string[]) => execFileSync('git', args, { cwd: packageRoot(), encoding: 'utf8' }).trim();

function commit(): string {
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') ? ', with changes' : '');
  } catch {
    return 'unknown';
  }
}

/** TensorFlow takes part if it is set up (`distillery backend install`). */
function ifSetUp(error: unknown): null {
  if (readInstalled()) throw error;
  return null;
}

/** PyTorch in each precision; none where it cannot run. */
async function openPeers(threads: number): Promise<Record<string, Peer>> {
  const peers: Record<string, Peer> = {};
  const names = { float32: 'PyTorch eager', bfloat16: 'PyTorch eager, bfloat16' } as const;
  for (const [precision, name] of Object.entries(names)) {
    const peer = await openPeer(threads, precision as ProductPrecision);
    if (typeof peer === 'string') {
      console.error(`Without a comparison with ${name} (${peer}); DISTILLERY_PYTHON names a Python that has torch.`);
      break;
    }
    peers[name] = peer;
  }
  return peers;
}

/** Cores that other processes use, over a second in which this one waits. */
async function busyCores(): Promise<number> {
  const read = () =>
    cpus().map(({ times }) => ({ idle: times.idle, all: Object.values(times).reduce((a, b) => a + b) }));
  const before = read();
  await setTimeout(1000);
  const idle = read().map(({ idle, all }, core) => (idle - before[core].idle) / (all - before[core].all));
  return cpus().length - idle.reduce((a, b) => a + b);
}

async function compare(): Promise<void> {
  process.env.DISTILLERY_THREADS ??= '2';
  const embedded = await openEngine('embedded');
  const rounding = await openEngine('embedded', 'bfloat16');
  const torch = await openPeers(embedded.info.threads ?? 2);
  const wasm = await openEngine('embedded-wasm');
  const tensorflow = await openEngine('tensorflow').catch(ifSetUp);
  await setTimeout(500); // the workers start

  const busy = await busyCores();
  const contenders: Contenders = {
    embedded,
    'embedded, bfloat16': rounding,
    ...torch,
    'embedded-wasm': wasm,
    ...(tensorflow && { tensorflow }),
  };
  const losses = await firstLosses(contenders);
  const peers = Object.keys(torch);
  const train = speeds(await measureInTurns(contenders, Number(values.seconds), 'train'), peers);
  const generation = speeds(await measureInTurns(contenders, Number(values.seconds), 'generate'), peers);
  for (const peer of Object.values(torch)) peer.close();
  const memory = [...(await vocabularyPeaks('embedded')), ...(await vocabularyPeaks('embedded-wasm'))];

  const machine = {
    cpu: cpus()[0].model,
    cores: cpus().length,
    node: process.version,
    embedded: embedded.info.description,
    wasm: wasm.info.description,
    tensorflow: tensorflow?.info.description ?? null,
    torch: Object.values(torch)[0]?.version ?? null,
    busy,
    commit: commit(),
  };
  const text = [
    `${machine.cpu}, ${machine.cores} cores; Node ${machine.node}; PyTorch ${machine.torch ?? 'not there'}.`,
    ...(busy > 0.2 ? [`Other processes took ${busy.toFixed(1)} cores: figures and ratios are disturbed.`] : []),
    `embedded: ${machine.embedded}. embedded-wasm: ${machine.wasm}. tensorflow: ${machine.tensorflow ?? 'not set up'}.`,
    '',
    'Qwen2 of 3.08 M parameters (width 256, 4 layers, 4 heads over 2, head 64, ' +
      'SwiGLU 704, vocabulary 512, tied). Losses of the first steps agree:',
    `${losses.embedded.map((loss) => loss.toFixed(4)).join(', ')} in float32. ` +
      'With bfloat16, a train step rounds the factors of products (PyTorch: autocast),',
    'and generation the weights.',
    '',
    `Forward, backward and AdamW over ${shape.rows} x ${shape.trainTokens} tokens:`,
    '',
    trainTable(train),
    '',
    `${shape.rows} prompts of ${shape.promptTokens} tokens, ` +
      `${shape.newTokens} new tokens each, sampled, with a KV cache:`,
    '',
    generationTable(generation),
    '',
    `Peak memory at the allocator, forward and backward over ${tokens} ` +
      'tokens of width 256 (blocks are rounded up to be used again):',
    '',
    memoryTable(memory),
  ].join('\n');
  report('engine', text, { machine, losses, train, generation, memory });
}

function report(section: Section, text: string, data: object): void {
  console.log(text);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(data, null, 2)}\n`);
  if (values.out) writeSection(section, `${text}\n\nCommit ${commit()}.`);
}

async function main(): Promise<void> {
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (values.profile) {
    const { text, data } = await profiles(values.student, values.precision as ProductPrecision);
    return report('profile', text, data);
  }
  if (values.pipe) {
    const { text, data } = await pipeCost(rounds);
    return report('pipe', text, data);
  }
  if (values.llama) {
    const { text, data } = await compareWithLlama(rounds);
    return report('llama', text, data);
  }
  if (!values.trl) return compare();
  if (!process.env.DISTILLERY_THREADS) {
    const { text, data } = besideTrlByThreads();
    return report('trl', text, data);
  }
  const { text, data } = await compareWithTrl({ rounds, pretrained: values.pretrained, student: values.student });
  report('trl', text, { text, data });
}

main();
