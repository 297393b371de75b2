/**
 * Speed and memory of the engine, with PyTorch eager beside it in the same run where Python has torch
 * (DISTILLERY_PYTHON names another interpreter than python3), and TensorFlow where it was set up:
 *   npm run bench [-- --seconds n] [--json file] [--out]
 *
 * The same student, tokens and optimizer on every side; all start from the same weights, and their first losses are
 * compared. They take turns, so that other processes disturb all alike, and ratios are taken within a turn. 2 threads
 * unless DISTILLERY_THREADS says otherwise.
 * --seconds is for each of the two timings (default 20). --json writes every figure to a file, --out the tables to
 * docs/performance.md.
 * --profile shows where the time of an update goes instead (profile.ts), --trl whole updates beside TRL's (trl.ts),
 * --pipe what the pipe to an engine costs (pipe.ts).
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ProductPrecision } from '../src/engine-data/training';
import { readInstalled } from '../src/kernels/tensorflow/installed';
import { packageRoot } from '../src/paths';
import { type Section, writeSection } from './document';
import { openPeer } from './peer';
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
    pretrained: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    student: { type: 'string' },
    precision: { type: 'string', default: 'float32' },
    out: { type: 'boolean', default: false },
  },
});

const peerName = 'PyTorch eager';
const leastRounds = 3;

/** Milliseconds between turns: threads that spin for more work have gone to sleep by then. */
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

/** The losses of three train steps, which warm each side up; they must agree, or the sides do not do the same work. */
async function firstLosses(contenders: Contenders): Promise<Record<string, number[]>> {
  const losses: Record<string, number[]> = {};
  for (const [name, contender] of Object.entries(contenders)) {
    losses[name] = [];
    for (let step = 0; step < 3; step++) losses[name].push((await contender.train()).loss);
    await contender.generate();
  }
  const [first, ...others] = Object.entries(losses);
  for (const [name, other] of others)
    if (other.some((loss, step) => !(Math.abs(loss - first[1][step]) < 1e-3)))
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

/** TensorFlow is beside the others where it was set up (`distillery backend install`). */
function ifSetUp(error: unknown): null {
  if (readInstalled()) throw error;
  return null;
}

async function compare(): Promise<void> {
  process.env.DISTILLERY_THREADS ??= '2';
  const embedded = await openEngine('embedded');
  const peer = await openPeer(embedded.info.threads ?? 2);
  const wasm = await openEngine('embedded-wasm');
  const tensorflow = await openEngine('tensorflow').catch(ifSetUp);
  await setTimeout(500); // the workers start
  const torch = typeof peer === 'string' ? null : peer;
  if (!torch) console.error(`Without PyTorch beside it (${peer}); DISTILLERY_PYTHON names a Python that has torch.`);

  const [load] = loadavg(); // of others: this process has only begun
  const contenders: Contenders = {
    embedded,
    ...(torch && { [peerName]: torch }),
    'embedded-wasm': wasm,
    ...(tensorflow && { tensorflow }),
  };
  const losses = await firstLosses(contenders);
  const train = speeds(await measureInTurns(contenders, Number(values.seconds), 'train'), peerName);
  const generation = speeds(await measureInTurns(contenders, Number(values.seconds), 'generate'), peerName);
  torch?.close();
  const memory = [...(await vocabularyPeaks('embedded')), ...(await vocabularyPeaks('embedded-wasm'))];

  const machine = {
    cpu: cpus()[0].model,
    cores: cpus().length,
    node: process.version,
    embedded: embedded.info.description,
    wasm: wasm.info.description,
    tensorflow: tensorflow?.info.description ?? null,
    torch: torch?.version ?? null,
    load,
    commit: commit(),
  };
  const text = [
    `${machine.cpu}, ${machine.cores} cores; Node ${machine.node}; PyTorch ${machine.torch ?? 'not there'}.`,
    ...(load > 0.5 ? [`Other processes were busy (load ${load.toFixed(1)}): figures and ratios are disturbed.`] : []),
    `embedded: ${machine.embedded}. embedded-wasm: ${machine.wasm}. tensorflow: ${machine.tensorflow ?? 'not set up'}.`,
    '',
    'Qwen2 of 3.08 M parameters (width 256, 4 layers, 4 heads over 2, head 64, ' +
      'SwiGLU 704, vocabulary 512, tied), float32. Losses of the',
    `first steps agree: ${losses.embedded.map((loss) => loss.toFixed(4)).join(', ')}.`,
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
  if (values.profile) {
    const { text, data } = await profiles(values.student, values.precision as ProductPrecision);
    return report('profile', text, data);
  }
  if (values.pipe) {
    const { text, data } = await pipeCost(Number(values.rounds));
    return report('pipe', text, data);
  }
  if (!values.trl) return compare();
  if (!process.env.DISTILLERY_THREADS) {
    const { text, data } = besideTrlByThreads();
    return report('trl', text, data);
  }
  const { text, data } = await compareWithTrl({ ...values, rounds: Number(values.rounds) });
  report('trl', text, { text, data });
}

main();
