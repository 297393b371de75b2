/** OpenAI-compatible endpoints entered by people, and their keys, which are kept in VS Code's secret storage. */
import { checkBaseUrl, isLocal, keyFor } from '../../teachers/endpoint';
import * as vscode from '../vscode';

export interface Endpoint {
  baseUrl: string;
  model: string;
}

/** Asks for base URL and model; undefined when dismissed. */
export async function askEndpoint(title: string, before: Partial<Endpoint>): Promise<Endpoint | undefined> {
  const baseUrl = await vscode.window.showInputBox({
    title,
    prompt: 'Base URL of the endpoint',
    placeHolder: 'http://localhost:11434/v1',
    value: before.baseUrl,
    ignoreFocusOut: true,
    validateInput: (text) => faultIn(text.trim()),
  });
  if (!baseUrl) return undefined;
  const model = await vscode.window.showInputBox({
    title,
    prompt: 'Name of the model at the endpoint',
    placeHolder: 'deepseek-reasoner',
    value: before.model,
    ignoreFocusOut: true,
  });
  return model?.trim() ? { baseUrl: baseUrl.trim(), model: model.trim() } : undefined;
}

/** What is wrong with the base URL of a server; undefined: nothing. */
export function faultIn(baseUrl: string): string | undefined {
  try {
    checkBaseUrl(baseUrl);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A key belongs to one origin and is never sent to another. */
const secretName = (url: URL) => `distillery.teacher.key ${url.origin}`;

/** The key of an endpoint; the user is asked for an unknown one. '' if it needs none, undefined when dismissed. */
export async function keyOf(secrets: vscode.SecretStorage, baseUrl: string): Promise<string | undefined> {
  const url = checkBaseUrl(baseUrl);
  const stored = await secrets.get(secretName(url));
  return stored ?? keyFor(url, process.env)?.key ?? (isLocal(url) ? '' : await askKey(secrets, url));
}

/** Asked once per origin. An empty answer is saved too: the endpoint needs no key. */
async function askKey(secrets: vscode.SecretStorage, url: URL): Promise<string | undefined> {
  const key = await vscode.window.showInputBox({
    title: `API key for ${url.host}`,
    prompt:
      `It is kept in the secret storage of VS Code and sent to ${url.host} only. ` +
      'Leave it empty if the endpoint needs none.',
    password: true,
    ignoreFocusOut: true,
  });
  if (key !== undefined) await secrets.store(secretName(url), key.trim());
  return key?.trim();
}

/** Deletes the key of an endpoint that refused it, so that the next request asks again. */
export async function forgetKey(secrets: vscode.SecretStorage, endpoint: string): Promise<void> {
  if (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol))
    await secrets.delete(secretName(new URL(endpoint)));
}

export const refusesKey = (error: unknown) => /refuses the key/.test((error as Error | undefined)?.message ?? '');
