/** The doctor's report as Markdown. Pure. */
import { UserError } from '../../errors';
import type { HostResult } from '../../protocol/control';
import { speedText } from '../../report/format';
import { bytes } from '../../words';
import { join, type Markdown, md, paragraphs, table } from '../vscode/markdown';

interface Editor {
  /** Versions of Distillery and of the editor. */
  version: string;
  name: string;
  /** Where it runs: '' for this machine, or such as `ssh-remote`. */
  remote: string;
  trusted: boolean;
}

export interface Findings {
  editor: Editor;
  /** The Node that runs training, or the error that none was found. */
  node: { command: string; version: string } | UserError;
  /** The host's report, or its error. */
  machine: HostResult<'doctor'> | UserError;
}

export function doctorText({ editor, node, machine }: Findings): Markdown {
  const problems = [
    ...(editor.trusted
      ? []
      : ['This workspace is in Restricted Mode: runs can be read, but nothing is started and nothing is written.']),
    ...(node instanceof UserError ? [said(node)] : []),
    ...(machine instanceof UserError ? [`The training host does not answer: ${said(machine)}`] : machine.problems),
  ];
  const verdict = problems.length === 0 ? ['✓ Nothing is missing.'] : problems.map((one) => `✗ ${one}`);
  const rows = [
    ['Distillery', `${editor.version} in ${editor.name}${editor.remote ? ` (${editor.remote})` : ''}`],
    ['Node', node instanceof UserError ? '–' : `${node.version}, ${node.command}`],
    ...(machine instanceof UserError ? [] : machineRows(machine)),
  ];
  return paragraphs(
    md`# Distillery: Doctor`,
    ...verdict,
    table(['This machine', ''], rows, 'left'),
    ...(machine instanceof UserError ? [] : backendParts(machine)),
  );
}

const said = ({ message, remedy }: UserError) => [message, remedy].filter(Boolean).join('. ').replace(/\.\. /g, '. ');

function machineRows({ processor, memory, disk, compiler, addon }: HostResult<'doctor'>): string[][] {
  const { isa, isas, threads } = addon as { isa?: string; isas?: string[]; threads?: number };
  return [
    ['Processor', `${processor.model}, ${processor.cores} cores`],
    ['Memory', `${bytes(memory.total)}, ${bytes(memory.free)} free`],
    ['Disk', `${bytes(disk.free)} free of ${bytes(disk.total)} for ${disk.folder}`],
    ['C compiler', compiler ? `${compiler.name}: ${compiler.version}` : 'none found: WebAssembly is used instead'],
    [
      'Native kernels',
      addon.usable
        ? [isa, threads && `${threads} threads`, isas && `this processor runs ${isas.join(', ')}`]
            .filter(Boolean)
            .join('; ')
        : (addon.reason ?? 'not usable'),
    ],
  ];
}

function backendParts({ backends }: HostResult<'doctor'>): Markdown[] {
  const rows = backends.map(({ name, usable, detail, ...speeds }) => [
    `${usable ? '✓' : '✗'} ${name}`,
    speedText(speeds) || '–',
    detail,
  ]);
  const advice = backends.map(({ name, advice: text }) => md`- **${name}**: ${editorAdvice[name] ?? text}`);
  return [
    md`## Backends`,
    md`With \`auto\`, an experiment uses tensorflow-gpu if it works, else embedded (on a CPU faster than tensorflow).`,
    table(['Backend', 'Speed', ''], rows, 'left'),
    join(advice, '\n'),
  ];
}

/** Replaces the command line's advice by the editor's commands. */
const editorAdvice: Partial<Record<string, string>> = {
  embedded:
    'The default, with nothing to install: native kernels where the ' +
    'package has them for this machine, else WebAssembly.',
  torch:
    'Optional, for large students, GPUs and other families: "Distillery: ' +
    'Set Up PyTorch Engine" in the command palette sets it up.',
  tensorflow: 'Optional: "Distillery: Set Up TensorFlow Backend" in the command palette sets it up.',
  'tensorflow-gpu': 'Optional, for CUDA: "Distillery: Set Up TensorFlow Backend" in the command palette sets it up.',
};
