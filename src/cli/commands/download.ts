import type { Command } from 'commander';
import { UserError } from '../../errors';
import { findDataset, findStudent } from '../../hub/cache';
import { datasetNameText, parseDatasetName } from '../../hub/dataset-name';
import { parseStudentName, studentNameText } from '../../hub/name';
import { type Consent, fetchDataset, fetchStudent } from '../inputs/fetch';
import { commandLine, quoted, shortPath } from '../inputs/places';
import { printDocument } from '../terminal/exit';
import { pc, stdout } from '../terminal/terminal';

interface Options {
  dataset?: boolean;
  json?: boolean;
}

export function addDownloadCommand(program: Command): void {
  program
    .command('download')
    .description('download a student or a dataset of the Hugging Face Hub, for use in experiments')
    .argument(
      '<name>',
      'owner/name, with @revision if it is not main: Qwen/Qwen2.5-0.5B; for a dataset also its subset and split',
    )
    .option('--dataset', 'download a dataset: openai/gsm8k/main, or openai/gsm8k/main/train')
    .option('--json', 'its folder as one JSON object')
    .addHelpText(
      'after',
      `
Only needed files are downloaded (for a student config, safetensors and tokenizer; for a dataset the files of its rows),
and each is verified by its hash. An interrupted download resumes. HF_TOKEN holds a token for gated repositories,
HF_ENDPOINT names another server.

Examples:
  distillery download HuggingFaceTB/SmolLM2-135M-Instruct
  distillery download Qwen/Qwen2.5-3B && distillery run examples/gsm8k-qwen2.5
  distillery download --dataset openai/gsm8k/main && distillery new gsm8k --data openai/gsm8k/main`,
    )
    .action((text: string, options: Options) =>
      options.dataset || /^(hf:\/\/|https:)/.test(text)
        ? downloadDataset(text, options)
        : downloadStudent(text, options),
    );
}

async function downloadStudent(text: string, { json }: Options): Promise<void> {
  const student = parseStudentName(text);
  if (!student)
    throw new UserError(`"${text}" is not a name on the Hugging Face Hub`, {
      code: 'usage',
      remedy: 'Names are owner/name, with @revision if it is not main: Qwen/Qwen2.5-0.5B.',
    });
  const name = studentNameText(student);
  const trial = commandLine(`evaluate ${name} --data arithmetic --limit 20`);
  const next = `Use it in an experiment ("student": { "path": "${name}" }), or try it:\n  ${trial}`;
  const fetchIt = (consent: Consent) => fetchStudent(student, consent);
  await provide({ kind: 'student', name, here: findStudent(student), fetchIt, next }, json);
}

async function downloadDataset(text: string, { json }: Options): Promise<void> {
  const dataset = parseDatasetName(text);
  if (!dataset)
    throw new UserError(`"${text}" is not the name of a dataset on the Hugging Face Hub`, {
      code: 'usage',
      remedy: 'Names are owner/name, then its subset and split if there are several: openai/gsm8k/main/train.',
    });
  const name = datasetNameText(dataset);
  const next = `Create an experiment with it:\n  ${commandLine(`new my-experiment --data ${quoted(name)}`)}`;
  const fetchIt = (consent: Consent) => fetchDataset(dataset, consent);
  await provide({ kind: 'dataset', name, here: findDataset(dataset), fetchIt, next }, json);
}

interface Download {
  kind: 'student' | 'dataset';
  name: string;
  /** Its folder, if it is on this machine already. */
  here: string | null;
  fetchIt: (consent: Consent) => Promise<string>;
  /** What to do with it next. */
  next: string;
}

/** Downloads what is missing and reports where it is. */
async function provide({ kind, name, here, fetchIt, next }: Download, json = false): Promise<void> {
  const folder = here ?? (await fetchIt({ json, agree: async () => true }));
  if (json) return printDocument({ [kind]: name, folder, fetched: here === null });
  stdout.write(
    `${pc.bold(name)} ${here ? 'was already downloaded' : 'was downloaded'}: ${shortPath(folder)}\n\n${next}\n`,
  );
}
