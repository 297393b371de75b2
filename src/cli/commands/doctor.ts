import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { EngineReport } from '../../engine/kind';
import { examineMachine, type MachineFacts, machineProblems } from '../../engine/machine';
import { speedText } from '../../report/format';
import { runsFolderName } from '../../runs/layout';
import { shortPath } from '../inputs/places';
import { exitCodes, printDocument } from '../terminal/exit';
import { bytes, columns } from '../terminal/format';
import { pc, stdout } from '../terminal/terminal';
import { waiting } from '../terminal/waiting-indicator';
import { engineOption } from './engine';

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check what works on this machine: every backend with its speed, and what is missing')
    .addOption(engineOption())
    .option('--runs <folder>', `folder whose disk is checked (default: ${runsFolderName})`)
    .option('--json', 'the same as one JSON object')
    .addHelpText(
      'after',
      `\nExamples:\n  distillery doctor\n  distillery doctor --json | jq '.backends[] | select(.usable).name'`,
    )
    .action(async (options: { runs?: string; json?: boolean }) => {
      const done = waiting('Measuring every backend', options.json);
      const facts = await examineMachine(resolve(options.runs ?? runsFolderName)).finally(done);
      const report = { ...facts, problems: machineProblems(facts) };
      if (options.json) printDocument(report);
      else stdout.write(`${text(report)}\n`);
      if (report.problems.length > 0) process.exitCode = exitCodes.input;
    });
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
}: MachineFacts & { problems: string[] }): string {
  const facts = [
    ['Node', `${node.version}, ${node.platform}`],
    ['processor', `${processor.model}, ${processor.cores} cores`],
    ['memory', `${bytes(memory.total)}, ${bytes(memory.free)} free`],
    ['disk', `${bytes(disk.free)} free of ${bytes(disk.total)} for ${shortPath(disk.folder)}`],
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
    ...(problems.length > 0 ? problems.map((problem) => pc.red(problem)) : [pc.green('Nothing is missing.')]),
  ].join('\n');
}

function backendText({ name, usable, detail, advice, ...speeds }: EngineReport): string[] {
  const found = [detail, speedText(speeds)].filter(Boolean).join(', ');
  return [
    `${usable ? pc.green('✓') : pc.red('✗')} ${pc.bold(name)}  ${usable ? found : pc.yellow(detail)}`,
    `  ${pc.dim(advice)}`,
  ];
}
