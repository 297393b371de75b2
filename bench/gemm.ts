/**
 * Speed of each matrix product kernel that this machine supports, in 10^9 floating-point operations per second. The
 * best of many runs counts, to exclude other processes as far as possible.
 *   npx tsx bench/gemm.ts [seconds for each figure, default 0.3]
 */
import { availableParallelism } from 'node:os';
import { nativeIsas, openAddon } from '../src/kernels/native/addon';
import type { KernelLibrary } from '../src/kernels/native/library';
import { openWasm, wasmIsas } from '../src/kernels/native/wasm';
import { place, space } from '../src/kernels/testing/forms';
import { Random } from '../src/random';

/**
 * batch, m, n, k: a square one, a feed-forward layer over 2048 tokens, attention scores, and a layer while decoding 1,
 * 16 and 64 rows.
 */
const shapes = [
  [1, 512, 512, 512],
  [1, 2048, 256, 1024],
  [64, 128, 128, 64],
  [1, 1, 1024, 256],
  [1, 16, 1024, 256],
  [1, 64, 1024, 256],
];
const transposes = { NN: [0, 0], NT: [0, 1], TN: [1, 0] };
const seconds = Number(process.argv[2] ?? 0.3);
const threads = [1, ...(availableParallelism() > 1 ? [Math.min(availableParallelism(), 16)] : [])];

function speed(library: KernelLibrary, [batch, m, n, k]: number[], [transposeA, transposeB]: number[]): number {
  const random = new Random(1);
  const noise = (size: number) =>
    place(
      library,
      Float32Array.from({ length: size }, () => random.uniform() - 0.5),
    );
  const [a, b, c] = [noise(batch * m * k), noise(batch * k * n), space(library, batch * m * n)];
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + 1000 * seconds;
  do {
    const start = performance.now();
    library.kernels.gemm(a, b, c, transposeA, transposeB, batch, m, n, k, m * k, k * n, 0);
    best = Math.min(best, performance.now() - start);
  } while (performance.now() < end);
  return (2 * batch * m * n * k) / best / 1e6;
}

async function main(): Promise<void> {
  const forms = threads.flatMap((count) => [
    ...nativeIsas().map((isa) => openAddon({ isa, threads: count })),
    ...wasmIsas().map((isa) => openWasm({ isa, threads: count })),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 500)); // the workers start
  console.log(`GFLOP/s, ${Object.keys(transposes).join(' / ')}`);
  for (const library of forms) {
    console.log(`\n${library.target} ${library.isa}, ${library.threads} thread${library.threads > 1 ? 's' : ''}`);
    for (const shape of shapes) {
      const figures = Object.values(transposes).map((flags) => speed(library, shape, flags).toFixed(1).padStart(7));
      const [batch, m, n, k] = shape;
      console.log(`  ${`${batch > 1 ? `${batch} x ` : ''}${m} x ${n} x ${k}`.padEnd(22)}${figures.join(' ')}`);
    }
  }
}

main();
