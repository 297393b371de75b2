/** Students of the Hugging Face Hub, fetched when somebody says so. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { checkExperiment } from '../config/check';
import { UserError } from '../errors';
import { findStudent, missingStudent, studentsCache } from '../students/cache';
import { type DownloadProgress, downloadStudent } from '../students/download';
import { parseStudentName, type StudentName, studentNameText } from '../students/name';
import { planDownload } from '../students/plan';
import { hubOf } from '../students/request';
import { askConsent } from './consent';
import { printDocument } from './exit';
import { clock, bytes as size } from './format';
import { commandLine, shown } from './places';
import { clipLine, pc, stderr, stdout } from './terminal';

export function addDownloadCommand(program: Command): void {
  program
    .command('download')
    .description('fetch a student from the Hugging Face Hub, to be named in experiments')
    .argument('<name>', 'owner/name, with @revision if it is not main: Qwen/Qwen2.5-0.5B')
    .option('--json', 'its folder as one JSON object')
    .addHelpText(
      'after',
      `
Only what a student needs is fetched (config, safetensors, tokenizer), each file checked by its hash; a second try goes on where
the first one stopped. HF_TOKEN holds a token for gated models, HF_ENDPOINT names another server.

Examples:
  distillery download HuggingFaceTB/SmolLM2-135M-Instruct
  distillery download Qwen/Qwen2.5-3B && distillery run examples/gsm8k-qwen2.5`,
    )
    .action(async (text: string, { json = false }: { json?: boolean }) => {
      const student = parseStudentName(text);
      if (!student)
        throw new UserError(`"${text}" is not a name on the Hugging Face Hub`, {
          code: 'usage',
          remedy: 'Names are owner/name, with @revision if it is not main: Qwen/Qwen2.5-0.5B.',
        });
      const here = findStudent(student);
      const folder = here ?? (await fetchStudent(student, { json, agree: async () => true }));
      const name = studentNameText(student);
      if (json) return printDocument({ student: name, folder, fetched: here === null });
      const verb = here ? 'is here already' : 'is here';
      stdout.write(
        `${pc.bold(name)} ${verb}: ${shown(folder)}\n\nName it in an experiment ("student": { "path": "${name}" }), or try it:\n  ${commandLine(`evaluate ${name} --data arithmetic --limit 20`)}\n`,
      );
    });
}

/**
 * Fetches the student that an experiment names when it is not here: with `yes`, or when the user says so on the
 * terminal.
 */
export async function fetchMissingStudent(file: string, options: { quick?: boolean; yes?: boolean; json?: boolean }) {
  const { quick = false, yes, json = false } = options;
  const student = missingIn(file, quick);
  if (!student) return;
  // Without a terminal or consent the experiment is refused as it is, with the command that fetches the student.
  if (!yes && (json || !process.stdin.isTTY || !stderr.isTTY)) return;
  await fetchStudent(student, { json, agree: () => askConsent('Fetch it?', yes) });
}

function missingIn(file: string, quick: boolean): StudentName | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null; // whoever loads the experiment says what is wrong
  }
  const { value } = checkExperiment(text, { quick });
  return value ? missingStudent(value.student.path, dirname(file)) : null;
}

async function fetchStudent(
  student: StudentName,
  { json, agree }: { json: boolean; agree: () => Promise<boolean> },
): Promise<string> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  const hub = { ...hubOf(process.env), signal: stop.signal };
  process.once('SIGINT', interrupt);
  const cache = studentsCache();
  const line = progressLine(json);
  try {
    const plan = await planDownload(hub, student);
    stderr.write(
      `${studentNameText(student)}: ${size(plan.bytes)} in ${plan.files.length} files\nfrom ${hub.url}\nto   ${shown(cache)}\n`,
    );
    if (!(await agree())) throw new UserError('the student is not fetched', { code: 'consent' });
    return await downloadStudent(hub, plan, cache, line.show);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw new UserError('stopped; what was fetched is kept, and the next try goes on from there', { code: 'stopped' });
  } finally {
    line.end();
    process.off('SIGINT', interrupt);
  }
}

/** How far it is, with speed and time left: a line that is redrawn on a terminal, a line for each tenth in a log. */
function progressLine(silent: boolean) {
  let started: { at: number; done: number } | undefined;
  let drawn = 0;
  let tenth = 0;
  const text = ({ file, done, bytes }: DownloadProgress) => {
    const seconds = (performance.now() - started!.at) / 1000;
    const speed = (done - started!.done) / Math.max(seconds, 0.001);
    const left = speed > 0 && seconds > 1 ? `, ${size(speed)}/s, ${clock((bytes - done) / speed)} left` : '';
    return `${size(done)} of ${size(bytes)}${left}  ${file}`;
  };
  return {
    show: (progress: DownloadProgress) => {
      started ??= { at: performance.now(), done: progress.done };
      if (silent) return;
      const now = performance.now();
      if (stderr.isTTY && now - drawn > 200) {
        drawn = now;
        stderr.clearLine();
        stderr.write(pc.dim(clipLine(text(progress), (stderr.columns ?? 120) - 1)));
      } else if (!stderr.isTTY && Math.floor((10 * progress.done) / progress.bytes) > tenth) {
        tenth = Math.floor((10 * progress.done) / progress.bytes);
        stderr.write(`${text(progress)}\n`);
      }
    },
    end: () => {
      if (stderr.isTTY && drawn > 0) stderr.clearLine();
    },
  };
}
