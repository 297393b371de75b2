/** Checks this machine: backends, processor, memory, disk. */
import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { addonFile, nativeIsas, threadCount } from '../kernels/native/addon';
import { gigabytes } from '../words';
import { reportEngines } from './engines';

const oldestNode = 20;
const leastSpace = 2e9;

export type MachineFacts = Awaited<ReturnType<typeof examineMachine>>;

/**
 * Every backend with its speed, and the hardware. `runs` is the folder whose disk is checked; it need not exist yet.
 */
export async function examineMachine(runs: string) {
  const backends = await reportEngines({ measure: true });
  return {
    node: { version: process.version, platform: `${process.platform}-${process.arch}` },
    processor: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    memory: { total: totalmem(), free: freemem() },
    disk: { folder: runs, ...space(runs) },
    compiler: compiler(),
    addon: addon(),
    backends,
  };
}

/** Free and total bytes of the disk of a folder, which need not exist yet. */
function space(folder: string): { free: number; total: number } {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  const { bavail, blocks, bsize } = statfsSync(there);
  return { free: bavail * bsize, total: blocks * bsize };
}

/** The compiler that `npm run build` would use. */
function compiler(): { name: string; version: string } | null {
  for (const name of process.env.CC ? [process.env.CC] : ['cc', 'gcc', 'clang']) {
    const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { name, version: stdout.split('\n')[0] };
  }
  return null;
}

function addon() {
  const file = addonFile();
  try {
    const isas = nativeIsas();
    return { file, usable: true, isa: process.env.DISTILLERY_ISA || isas[0], isas, threads: threadCount() };
  } catch (error) {
    return { file, usable: false, reason: (error as Error).message.split('\n')[0] };
  }
}

/** Missing or insufficient requirements, as sentences. */
export function machineProblems({ backends, disk }: MachineFacts): string[] {
  const embedded = backends.find(({ name }) => name === 'embedded');
  return [
    ...(Number(process.versions.node.split('.')[0]) < oldestNode
      ? [`Node ${process.version} is too old: install Node ${oldestNode} or newer.`]
      : []),
    ...(embedded?.usable ? [] : [`The embedded backend does not work: ${embedded?.detail}`]),
    ...(disk.free < leastSpace ? [`Only ${gigabytes(disk.free)} are free for runs (${disk.folder}).`] : []),
  ];
}
