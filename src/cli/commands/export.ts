import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { runConfigOf } from '../../curriculum/run-config';
import { type Exported, type ExportFormat, exportStudent } from '../../engine/embedded/export';
import { verifyWeights } from '../../runs/checkpoints';
import type { WrittenType } from '../../student-files/gguf/write';
import { studentAt } from '../inputs/asked-student';
import { commandLine, quoted, shortPath } from '../inputs/places';
import { printDocument } from '../terminal/exit';
import { bytes, columns } from '../terminal/format';
import { pc, stdout } from '../terminal/terminal';
import { waiting } from '../terminal/waiting-indicator';

interface Options {
  to?: ExportFormat;
  dtype: string;
  force?: boolean;
  json?: boolean;
}

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description('export a student to transformers and vLLM, or to llama.cpp and Ollama')
    .argument('<student>', 'a checkpoint, a Hugging Face folder (an adapter is merged), or a .gguf file')
    .argument('<out>', 'folder (hf) or file (gguf) to write')
    .addOption(
      new Option('--to <format>', 'hf: a Hugging Face folder; gguf: one file (default: gguf for *.gguf)').choices([
        'hf',
        'gguf',
      ]),
    )
    .addOption(
      new Option('--dtype <type>', 'type of the weights; q8_0 for gguf only')
        .choices(['f32', 'f16', 'bf16', 'q8_0'])
        .default('f32'),
    )
    .option('--force', 'overwrite an existing target')
    .option('--json', 'what was written as one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  distillery export .distillery/runs/<run>/checkpoints/rewrite-320 my-student --dtype bf16
  distillery export my-student my-student.gguf --dtype q8_0
(GGUF cannot store the tokenizer of the built-in student; it can store that of any pretrained student.)`,
    )
    .action(async (student: string, out: string, { to, dtype, ...options }: Options) => {
      const format = to ?? (/\.gguf$/i.test(out) ? 'gguf' : 'hf');
      const { path } = await write(studentAt(student), out, { ...options, format, dtype });
      if (!options.json) stdout.write(askHint(path));
    });
}

/** `import student`: an export to a Hugging Face folder, of a student from elsewhere. */
export function addStudentImport(command: Command): void {
  command
    .command('student')
    .description('convert a student from elsewhere, such as a GGUF file, to a Hugging Face folder (dequantized)')
    .argument('<student>', 'a .gguf file, or a folder')
    .argument('<out>', 'folder to write')
    .addOption(new Option('--dtype <type>', 'type of the weights').choices(['f32', 'f16', 'bf16']).default('f32'))
    .option('--force', 'overwrite an existing target')
    .option('--json', 'what was written as one JSON object')
    .addHelpText('after', '\nExamples:\n  distillery import student SmolLM2-135M-Instruct.Q8_0.gguf ./smollm2')
    .showHelpAfterError('See `distillery import student --help`.')
    .action(async (student: string, out: string, { dtype, ...options }: Omit<Options, 'to'>) => {
      const { path } = await write(student, out, { ...options, format: 'hf', dtype });
      if (!options.json) stdout.write(askHint(path));
    });
}

const askHint = (student: string) =>
  `\nAsk it with:\n  ${commandLine(`ask ${quoted(shortPath(student))} "What is 12 * 7?"`)}\n`;

async function write(
  student: string,
  out: string,
  { format, dtype, force, json }: { format: ExportFormat; dtype: string; force?: boolean; json?: boolean },
): Promise<Exported> {
  const done = waiting(`Writing ${out}`, json);
  const prompts = runConfigOf(student)?.experiment.student;
  let exported: Exported;
  try {
    verifyWeights(student);
    exported = await exportStudent(student, out, { format, dtype: dtype.toUpperCase() as WrittenType, force, prompts });
  } finally {
    done();
  }
  if (json) printDocument({ student: resolve(student), format, dtype, ...exported });
  else stdout.write(`${text(exported, format, dtype)}\n`);
  return exported;
}

function text({ path, files, parameters, note }: Exported, format: ExportFormat, dtype: string): string {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const head = `${pc.bold(shortPath(path))}  ${(parameters / 1e6).toFixed(1)} M parameters, ${dtype}, ${bytes(total)}`;
  if (format === 'gguf') return note === undefined ? head : `${head}\n${pc.yellow(note)}`;
  return [head, '', ...columns(files.map((file) => [`  ${file.name}`, bytes(file.bytes)]))].join('\n');
}
