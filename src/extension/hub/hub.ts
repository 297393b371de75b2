/**
 * Downloads from the Hugging Face Hub: the user confirms the size first, and enters a token if one is needed.
 */
import { UserError } from '../../errors';
import { datasetsCache, studentsCache } from '../../hub/cache';
import { download } from '../../hub/download';
import type { DownloadPlan } from '../../hub/plan';
import { type Hub, hubOf } from '../../hub/request';
import { bytes } from '../../words';
import type { Services } from '../services';
import { cancellable } from '../shared/cancellable';
import { duration, plural } from '../shared/words';
import * as vscode from '../vscode';

const cacheOf = ({ kind }: DownloadPlan) => (kind === 'model' ? studentsCache() : datasetsCache());

/** A token belongs to one server. */
const secretName = (hub: Hub) => `distillery.hub.token ${new URL(hub.url).origin}`;

/** Downloads the files of `planOf` for the model or dataset `what`. Returns the folder; undefined when dismissed. */
export async function fetchFromHub(
  { context: { secrets }, log }: Services,
  what: string,
  planOf: (hub: Hub) => Promise<DownloadPlan>,
): Promise<string | undefined> {
  const look = (at: Hub) => cancellable(`Looking for ${what}`, (signal) => planOf({ ...at, signal }));
  const open = hubOf(process.env);
  let hub = hubOf(process.env, (await secrets.get(secretName(open))) ?? process.env.HF_TOKEN);
  let plan: DownloadPlan;
  try {
    plan = await look(hub);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'denied') throw error;
    const token = await askToken(hub, error);
    if (token === undefined) return undefined;
    hub = hubOf(process.env, token);
    plan = await look(hub);
    await secrets.store(secretName(hub), token); // saved only after it has worked
  }
  if (!(await agree(hub, plan))) return undefined;
  log.info(`Downloading ${what}, ${plan.bytes} bytes, from ${hub.url}`);
  return fetchAll(hub, plan);
}

interface NameQuestion<Name> {
  title: string;
  prompt: string;
  placeHolder: string;
  parse(text: string): Name | null;
  /** The message for an invalid name. */
  form: string;
}

/** A name on the Hub; null when dismissed. */
export async function askName<Name>({ parse, form, ...texts }: NameQuestion<Name>): Promise<Name | null> {
  const text = await vscode.window.showInputBox({
    ...texts,
    ignoreFocusOut: true,
    validateInput: (value) => (parse(value.trim()) ? undefined : form),
  });
  return text === undefined ? null : parse(text.trim());
}

function askToken(hub: Hub, { message, remedy }: UserError): Thenable<string | undefined> {
  const { host } = new URL(hub.url);
  return vscode.window.showInputBox({
    title: `Token for ${host}`,
    prompt: `${message}. ${remedy ?? ''} It is kept in the secret storage of VS Code and sent to ${host} only.`,
    placeHolder: 'hf_…',
    password: true,
    ignoreFocusOut: true,
    validateInput: (value) => (/^hf_\w+$/.test(value.trim()) ? undefined : 'Tokens begin with hf_'),
  });
}

/** Nothing is downloaded before the user confirms. */
async function agree(hub: Hub, plan: DownloadPlan): Promise<boolean> {
  const fetch = {
    icon: 'cloud-download',
    label: `Download ${bytes(plan.bytes)}`,
    detail: `${plural(plan.files.length, 'file')}, to ${cacheOf(plan)}`,
  };
  const title = `Download ${plan.what}?`;
  const answer = await vscode.window.showQuickPick([fetch], { title, placeHolder: hub.url, ignoreFocusOut: true });
  return answer === fetch;
}

function fetchAll(hub: Hub, plan: DownloadPlan): Thenable<string> {
  return cancellable(`Downloading ${plan.what}`, (signal, progress) => {
    let [reported, last] = [0, 0];
    let first: { at: number; done: number } | undefined;
    return download({ ...hub, signal }, plan, cacheOf(plan), ({ done, bytes: total }) => {
      const now = performance.now();
      first ??= { at: now, done };
      if (now - last < 500) return;
      last = now;
      const speed = (done - first.done) / Math.max(now - first.at, 1); // bytes per millisecond
      const left = speed > 0 ? `, ${duration((total - done) / speed / 1000)} left` : '';
      const increment = (100 * (done - reported)) / Math.max(total, 1);
      reported = done;
      progress.report({ increment, message: `${bytes(done)} of ${bytes(total)}${left}` });
    });
  });
}
