/** Downloads what is missing of the Hugging Face Hub after the user's consent: students and datasets. */
import { dirname } from 'node:path';
import { checkExperiment } from '../../config/check';
import type { loadExperiment } from '../../config/load';
import { withSettings } from '../../config/set';
import { UserError } from '../../errors';
import { datasetsCache, missingDataset, missingStudent, studentsCache } from '../../hub/cache';
import type { DatasetName } from '../../hub/dataset-name';
import { planDataset } from '../../hub/dataset-plan';
import { type DownloadProgress, download } from '../../hub/download';
import type { StudentName } from '../../hub/name';
import type { DownloadPlan } from '../../hub/plan';
import { type Hub, hubOf } from '../../hub/request';
import { planStudent } from '../../hub/student-plan';
import { readSmallText } from '../../lines';
import { askConsent } from '../terminal/consent';
import { clock, plural, bytes as size } from '../terminal/format';
import { clipLine, pc, stderr } from '../terminal/terminal';
import { shortPath } from './places';

export interface Consent {
  json: boolean;
  agree: () => Promise<boolean>;
}

export const fetchStudent = (student: StudentName, consent: Consent) =>
  fetch((hub) => planStudent(hub, student), studentsCache(), consent);
export const fetchDataset = (dataset: DatasetName, consent: Consent) =>
  fetch((hub) => planDataset(hub, dataset), datasetsCache(), consent);

/** How the user consents to a download: by an option, or on the terminal. */
export interface ConsentOptions {
  yes?: boolean;
  json?: boolean;
}

/** Without a terminal or consent, the original error is thrown; it names the command that downloads. */
const canAsk = ({ yes, json }: ConsentOptions) => yes || (!json && process.stdin.isTTY && stderr.isTTY);

const consentOf = ({ yes, json = false }: ConsentOptions): Consent => ({
  json,
  agree: () => askConsent('Download it?', yes),
});

/** Downloads the student and the datasets that an experiment names, if they are missing. */
export async function fetchMissing(
  file: string,
  options: ConsentOptions & Parameters<typeof loadExperiment>[1],
): Promise<void> {
  let text: string;
  try {
    text = readSmallText(file);
  } catch {
    return; // loading the experiment reports what is wrong
  }
  const { quick, set = [] } = options;
  const { value } = checkExperiment(withSettings(text, set, quick), { quick });
  if (!value || !canAsk(options)) return;
  const folder = dirname(file);
  const student = missingStudent(value.student.path, folder);
  if (student) await fetchStudent(student, consentOf(options));
  for (const source of [value.data.train, value.data.test])
    if ('path' in source) await fetchMissingDataset(source.path, folder, options);
}

/** Downloads the dataset named by a text, if it is missing. */
export async function fetchMissingDataset(text: string, folder: string, options: ConsentOptions): Promise<void> {
  const dataset = canAsk(options) && missingDataset(text, folder);
  if (dataset) await fetchDataset(dataset, consentOf(options));
}

async function fetch(
  planOf: (hub: Hub) => Promise<DownloadPlan>,
  cache: string,
  { json, agree }: Consent,
): Promise<string> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  const hub = { ...hubOf(process.env), signal: stop.signal };
  process.once('SIGINT', interrupt);
  const line = progressLine(json);
  try {
    const plan = await planOf(hub);
    stderr.write(
      `${plan.what}: ${size(plan.bytes)} in ` +
        `${plural(plan.files.length, 'file')}\nfrom ${hub.url}\nto   ` +
        `${shortPath(cache)}\n`,
    );
    if (!(await agree())) throw new UserError(`${plan.what} is not downloaded`, { code: 'consent' });
    return await download(hub, plan, cache, line.show);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw new UserError('stopped; the downloaded part is kept, and the next attempt resumes', { code: 'stopped' });
  } finally {
    line.end();
    process.off('SIGINT', interrupt);
  }
}

/** Progress with speed and time left: one redrawn line on a terminal, a line for each tenth in a log. */
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
