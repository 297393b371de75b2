/**
 * Profiles a GRPO update by kernel:
 *   npm run bench -- --profile [--student path] [--precision bfloat16] [--json file] [--out]
 * Calls of every kernel are measured in processor time, with one thread unless DISTILLERY_THREADS is set, to reduce the
 * influence of other processes; the fastest of several updates is shown. For comparison, the same run measures a large
 * matrix product and reading memory.
 */
import { findBackend } from '@tensorflow/tfjs-core';
import type { ProductPrecision } from '../src/engine-data/training';
import { useBackend } from '../src/kernels/backends';
import type { EmbeddedBackend } from '../src/kernels/embedded/backend';
import type { KernelArgument, KernelName } from '../src/kernels/native/library';
import { embeddedStudent, openUpdates, pretrainedWork, smallWork, spentSeconds, type UpdateWork } from './update';

/** One kind of work within an update. */
interface WorkShare {
  /** `merge`: merging the adapter into the weights for generation, and packing these. */
  part: 'merge' | 'prompt' | 'decode' | 'forward' | 'backward' | 'optimizer' | 'JavaScript';
  work: string;
  calls: number;
  seconds: number;
  /** Floating-point operations; 0 if they are not counted. */
  flop: number;
}

interface UpdateProfile {
  title: string;
  seconds: number;
  generate: number;
  train: number;
  shares: WorkShare[];
}

interface Roofline {
  /** 10^9 operations per second in a matrix product of 768 x 768 x 768. */
  gflops: number;
  /** 10^9 bytes per second, reading a buffer larger than all caches once. */
  gigabytes: number;
}

const decodeParts = ['projections', 'attention', 'MLP', 'logits'];

/** Floating-point operations of a call (argument order: kernels/list.h); 0 for memory-bound kernels. */
function flopOf(name: KernelName, args: readonly KernelArgument[]): number {
  const product = (...at: number[]) => at.reduce((size, i) => size * (args[i] as number), 2);
  switch (name) {
    case 'gemm':
      return product(5, 6, 7, 8);
    case 'token_log_probs':
      return product(7, 8, 9);
    case 'token_log_probs_grad':
      return product(8, 9, 10) * (args[6] ? 3 : 2);
    default:
      return 0;
  }
}

/** Runs `work` with every kernel timed. */
async function timeKernels(backend: EmbeddedBackend, work: () => Promise<void>): Promise<WorkShare[]> {
  const { kernels } = backend.library;
  const shares = new Map<string, WorkShare>();
  const plain = { ...backend.call };
  let part: WorkShare['part'] = 'merge';
  const count = (work: string, seconds: number, flop = 0) => {
    const key = `${part}/${work}`;
    const share = shares.get(key) ?? { part, work, calls: 0, seconds: 0, flop: 0 };
    shares.set(key, { ...share, calls: share.calls + 1, seconds: share.seconds + seconds, flop: share.flop + flop });
  };
  const times = new Float32Array(decodeParts.length);
  backend.decodeTimes = times;
  for (const name of Object.keys(kernels) as KernelName[]) {
    const timed = (...args: unknown[]) => {
      if (name === 'decode_step') {
        // More new tokens than rows means that prompts are among them.
        const [starts, rows] = [args[1] as Int32Array, args[11] as number];
        part = starts[rows] > rows ? 'prompt' : 'decode';
      }
      if (name === 'embed') part = 'forward';
      if (name === 'sum_squares') part = 'optimizer';
      times.fill(0);
      const began = spentSeconds();
      (plain[name] as (...args: unknown[]) => void)(...args);
      const seconds = spentSeconds() - began;
      if (name === 'decode_step') for (const [i, kind] of decodeParts.entries()) count(kind, times[i]);
      else count(name, seconds, flopOf(name, args as KernelArgument[]));
      if (name === 'grpo_loss') part = 'backward';
    };
    Object.assign(backend.call, { [name]: timed });
  }
  try {
    await work();
  } finally {
    Object.assign(backend.call, plain);
    backend.decodeTimes = null;
  }
  return [...shares.values()];
}

async function profile(work: UpdateWork, rounds: number, precision: ProductPrecision): Promise<UpdateProfile> {
  const backend = findBackend('embedded') as EmbeddedBackend;
  const updates = openUpdates(embeddedStudent(work), work, precision);
  let best: UpdateProfile | undefined;
  for (let round = 0; round < rounds; round++) {
    const began = spentSeconds();
    let generated = began;
    const shares = await timeKernels(backend, async () => {
      const episodes = await updates.generate();
      generated = spentSeconds();
      await updates.train(episodes);
    });
    const seconds = spentSeconds() - began;
    const inKernels = shares.reduce((sum, share) => sum + share.seconds, 0);
    shares.push({ part: 'JavaScript', work: 'all', calls: 0, seconds: seconds - inKernels, flop: 0 });
    const one = {
      title: `${work.title}, ${precision}`,
      seconds,
      generate: generated - began,
      train: seconds - (generated - began),
      shares,
    };
    if (!best || one.seconds < best.seconds) best = one;
  }
  return best!;
}

/** The best of many runs with one thread. */
function roofline({ library }: EmbeddedBackend): Roofline {
  const size = 768;
  const [a, b, c] = Array.from({ length: 3 }, () => new Float32Array(size * size).fill(0.5));
  const large = new Float32Array(64 << 20).fill(0.5); // unwritten pages would all share one physical page
  const best = (count: number, work: () => void) => {
    const times = Array.from({ length: count }, () => {
      const began = spentSeconds();
      work();
      return spentSeconds() - began;
    });
    return Math.min(...times);
  };
  const product = best(20, () => library.kernels.gemm(a, b, c, 0, 1, 1, size, size, size, 0, 0, 0));
  const reading = best(8, () => library.kernels.sum_squares(new Float32Array(1), 1, [[large, large.length]]));
  return { gflops: (2 * size ** 3) / product / 1e9, gigabytes: large.byteLength / reading / 1e9 };
}

function profileTable({ title, seconds, generate, train, shares }: UpdateProfile): string {
  const least = 0.004 * seconds;
  const shown = shares.filter((share) => share.seconds >= least).toSorted((a, b) => b.seconds - a.seconds);
  const parts = [...new Set(shares.map(({ part }) => part))];
  const lines = parts.flatMap((part) => {
    const all = shares.filter((share) => share.part === part);
    const sum = all.reduce((total, share) => total + share.seconds, 0);
    const percent = (value: number) => `${((100 * value) / seconds).toFixed(1)} %`;
    return [
      `| **${part}** | | ${sum.toFixed(3)} | ${percent(sum)} | |`,
      ...shown
        .filter((share) => share.part === part && part !== 'JavaScript')
        .map(({ work, calls, seconds: own, flop }) => {
          const speed = flop > 0 ? (flop / own / 1e9).toFixed(0) : '';
          return `| | ${work} (${calls}) | ${own.toFixed(3)} | ${percent(own)} | ${speed} |`;
        }),
    ];
  });
  return [
    `${title}: ${seconds.toFixed(2)} s (generation ${generate.toFixed(2)}, training ${train.toFixed(2)})`,
    '',
    '| part | work (calls) | s | share | GFLOP/s |',
    '| --- | --- | ---: | ---: | ---: |',
    ...lines,
  ].join('\n');
}

/** Profiles of both students, as text and as data. */
export async function profiles(
  student?: string,
  precision: ProductPrecision = 'float32',
): Promise<{ text: string; data: object }> {
  process.env.DISTILLERY_THREADS ??= '1';
  const { description } = await useBackend('embedded');
  const pretrained = await pretrainedWork(student);
  const backend = findBackend('embedded') as EmbeddedBackend;
  const machine = roofline(backend);
  const found = [await profile(smallWork(), 4, precision)];
  if (pretrained) found.push(await profile(pretrained, 2, precision));
  const head =
    `${description}: ${machine.gflops.toFixed(0)} GFLOP/s in a product of 768 x 768 x 768, ` +
    `${machine.gigabytes.toFixed(1)} GB/s read from memory. Seconds of processor time.`;
  return { text: [head, ...found.map(profileTable)].join('\n\n'), data: { description, machine, profiles: found } };
}
