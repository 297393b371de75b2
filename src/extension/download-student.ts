import { UserError } from '../errors';
import { findStudent, studentsCache } from '../students/cache';
import { downloadStudent } from '../students/download';
import { parseStudentName, type StudentName, studentNameText } from '../students/name';
import { type DownloadPlan, planDownload } from '../students/plan';
import { type Hub, hubOf } from '../students/request';
import { cancellable } from './cancellable';
import { trustedCommand } from './commands/report';
import type { Services } from './services';
import * as vscode from './vscode';
import { duration } from './words';

const { t } = vscode.l10n;

/**
 * `distillery.downloadStudent`: fetches a model of the Hugging Face Hub, whose name then stands for it. Returns its
 * folder.
 */
export function registerDownloadStudent(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.downloadStudent', async (argument?: unknown) => {
    const given = typeof argument === 'string' ? parseStudentName(argument) : null;
    const student = given ?? (await askName());
    if (!student) return undefined;
    const name = studentNameText(student);
    const folder = findStudent(student) ?? (await fetchStudent(student, services));
    if (folder === undefined) return undefined;
    const [copy, ask] = [t('Copy Name'), t('Ask It')];
    const text = t(
      '{0} is here. Its name stands for it in experiments: "student": {1}.',
      name,
      `{ "path": "${name}" }`,
    );
    void vscode.window.showInformationMessage(text, copy, ask).then(async (answer) => {
      if (answer === copy) await vscode.env.clipboard.writeText(name);
      if (answer === ask) await vscode.commands.executeCommand('distillery.askStudent', folder);
    });
    return folder;
  });
}

async function askName(): Promise<StudentName | null> {
  const text = await vscode.window.showInputBox({
    title: t('Download Student'),
    prompt: t('Name of a model on the Hugging Face Hub. Its size is shown before anything is fetched.'),
    placeHolder: 'Qwen/Qwen2.5-0.5B',
    ignoreFocusOut: true,
    validateInput: (value) =>
      parseStudentName(value.trim()) ? undefined : t('owner/name, with @revision if it is not main'),
  });
  return text === undefined ? null : parseStudentName(text.trim());
}

/** A token belongs to one server. */
const secretName = (hub: Hub) => `distillery.hub.token ${new URL(hub.url).origin}`;

async function fetchStudent(
  student: StudentName,
  { context: { secrets }, log }: Services,
): Promise<string | undefined> {
  const open = hubOf(process.env);
  let hub = hubOf(process.env, (await secrets.get(secretName(open))) ?? process.env.HF_TOKEN);
  let plan: DownloadPlan;
  try {
    plan = await look(hub, student);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'denied') throw error;
    const token = await askToken(hub, error);
    if (token === undefined) return undefined;
    hub = hubOf(process.env, token);
    plan = await look(hub, student);
    await secrets.store(secretName(hub), token); // only once it was good for something
  }
  if (!(await agree(hub, plan))) return undefined;
  log.info(`Fetching ${studentNameText(student)}, ${plan.bytes} bytes, from ${hub.url}`);
  return fetchAll(hub, plan);
}

const look = (hub: Hub, student: StudentName) =>
  cancellable(t('Looking for {0}', studentNameText(student)), (signal) => planDownload({ ...hub, signal }, student));

function askToken(hub: Hub, { message, remedy }: UserError): Thenable<string | undefined> {
  const { host } = new URL(hub.url);
  return vscode.window.showInputBox({
    title: t('Token for {0}', host),
    prompt: t(
      '{0}. {1} It is kept in the secret storage of VS Code and sent to {2} only.',
      message,
      remedy ?? '',
      host,
    ),
    placeHolder: 'hf_…',
    password: true,
    ignoreFocusOut: true,
    validateInput: (value) => (/^hf_\w+$/.test(value.trim()) ? undefined : t('Tokens begin with hf_')),
  });
}

/** Nothing is fetched before this was answered. */
async function agree(hub: Hub, { student, bytes, files }: DownloadPlan): Promise<boolean> {
  const fetch = {
    icon: 'cloud-download',
    label: t('Download {0}', gigabytes(bytes)),
    detail: t('{0} files, to {1}', files.length, studentsCache()),
  };
  const title = t('Download {0}?', studentNameText(student));
  const answer = await vscode.window.showQuickPick([fetch], { title, placeHolder: hub.url, ignoreFocusOut: true });
  return answer === fetch;
}

function fetchAll(hub: Hub, plan: DownloadPlan): Thenable<string> {
  return cancellable(t('Downloading {0}', studentNameText(plan.student)), (signal, progress) => {
    let [told, last] = [0, 0];
    let begun: { at: number; done: number } | undefined;
    return downloadStudent({ ...hub, signal }, plan, studentsCache(), ({ done, bytes }) => {
      const now = performance.now();
      begun ??= { at: now, done };
      if (now - last < 500) return;
      last = now;
      const speed = (done - begun.done) / Math.max(now - begun.at, 1); // bytes a millisecond
      const left = speed > 0 ? t(', {0} left', duration((bytes - done) / speed / 1000)) : '';
      const increment = (100 * (done - told)) / Math.max(bytes, 1);
      told = done;
      progress.report({ increment, message: t('{0} of {1}{2}', gigabytes(done), gigabytes(bytes), left) });
    });
  });
}

const gigabytes = (bytes: number) =>
  bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
