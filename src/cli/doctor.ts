import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { type BackendReport, listBackends } from '../kernels/backends';
import { addonFile, nativeIsas, threadCount } from '../kernels/native/addon';
import { runsFolderName } from '../runs/layout';
import { exitCodes, printDocument } from './exit';
import { bytes, columns } from './format';
import { shown } from './places';
import { waiting } from './waiting';

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('what works on this machine: every backend with its speed, and what the others need')
    .option('--runs <folder>', `whose disk is looked at (default: ${runsFolderName})`)
    .option('--json', 'the same as one JSON object')
    .addHelpText(
      'after',
      `\nExamples:\n  distillery doctor\n  distillery doctor --json | jq '.backends[] | select(.usable).name'`,
    )
    .action(async (options: { runs?: string; json?: boolean }) => {
      const done = waiting('Measuring every backend', options.json);
      const facts = await examine(options.runs).finally(done);
      const report = { ...facts, problems: problems(facts) };
      if (options.json) printDocument(report);
      else process.stdout.write(`${text(report)}\n`);
      if (report.problems.length > 0) process.exitCode = exitCodes.input;
    });
}

const oldestNode = 20;
const leastSpace = 2e9;

type Facts = Awaited<ReturnType<typeof examine>>;

async function examine(told?: string) {
  const backends = await listBackends({ measure: true });
  const runs = resolve(told ?? runsFolderName);
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

/** Free and total bytes of the disk that a folder is or will be on. */
function space(folder: string): { free: number; total: number } {
  let there = folder;
  while (!existsSync(there)) there = dirname(there);
  const { bavail, blocks, bsize } = statfsSync(there);
  return { free: bavail * bsize, total: blocks * bsize };
}

/** The compiler that `npm run build` would take. */
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

function problems({ backends, disk }: Facts): string[] {
  const embedded = backends.find(({ name }) => name === 'embedded');
  return [
    ...(Number(process.versions.node.split('.')[0]) < oldestNode
      ? [`Node ${process.version} is too old: install Node ${oldestNode} or newer.`]
      : []),
    ...(embedded?.usable ? [] : [`The embedded backend does not work: ${embedded?.detail}`]),
    ...(disk.free < leastSpace ? [`Only ${bytes(disk.free)} are free for runs (${disk.folder}).`] : []),
  ];
}

function text({
  node,
  processor,
  memory,
  disk,
  compiler: found,
  addon: native,
  backends,
  problems,
}: Facts & { problems: string[] }): string {
  const facts = [
    ['Node', `${node.version}, ${node.platform}`],
    ['processor', `${processor.model}, ${processor.cores} cores`],
    ['memory', `${bytes(memory.total)}, ${bytes(memory.free)} free`],
    ['disk', `${bytes(disk.free)} free of ${bytes(disk.total)} for ${shown(disk.folder)}`],
    [
      'C compiler',
      found ? `${found.name}: ${found.version}` : 'none found (cc, gcc, clang): WebAssembly is used instead',
    ],
    [
      'addon',
      native.usable
        ? `${native.isa} on ${native.threads} threads; this processor runs ${native.isas?.join(', ')}`
        : `${native.reason}`,
    ],
  ];
  return [
    ...columns(
      facts.map(([name, fact]) => [pc.bold(name), fact]),
      2,
    ),
    '',
    ...backends.flatMap(backendText),
    '',
    ...(problems.length > 0 ? problems.map((problem) => pc.red(problem)) : [pc.green('Everything needed is here.')]),
  ].join('\n');
}

function backendText({ name, usable, detail, advice, gflops }: BackendReport): string[] {
  const speed = gflops === undefined ? '' : `, ${gflops < 10 ? gflops.toPrecision(2) : gflops.toFixed(0)} GFLOP/s`;
  return [
    `${usable ? pc.green('✓') : pc.red('✗')} ${pc.bold(name)}  ${usable ? detail + speed : pc.yellow(detail)}`,
    `  ${pc.dim(advice)}`,
  ];
}
