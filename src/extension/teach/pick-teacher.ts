import { checkBaseUrl, isLocal, keyFor } from '../../teachers/endpoint';
import { ggufTeacher } from '../../teachers/llama';
import { openAiTeacher } from '../../teachers/openai';
import type { Teacher } from '../../teachers/types';
import { setting } from '../settings';
import * as vscode from '../vscode';
import { vscodeTeacher } from './vscode-teacher';

interface Item extends vscode.QuickPickItem {
  choose?: () => Promise<Teacher | undefined> | Teacher;
}

/**
 * Asks for a teacher: the endpoint of the settings, another endpoint, a GGUF file, or a language model of VS Code.
 * undefined: left.
 */
export async function pickTeacher(secrets: vscode.SecretStorage, title: string): Promise<Teacher | undefined> {
  const { t } = vscode.l10n;
  const [baseUrl, model] = [setting('teacher.baseUrl', ''), setting('teacher.model', '')];
  const items: Item[] = [];
  if (baseUrl && model)
    items.push({ icon: 'server', label: model, description: baseUrl, choose: () => endpoint(secrets, baseUrl, model) });
  items.push({
    icon: 'add',
    label: t('Another endpoint…'),
    description: t('OpenAI-compatible: vLLM, Ollama, llama.cpp, DeepSeek, OpenAI'),
    choose: () => anotherEndpoint(secrets, title, baseUrl),
  });
  items.push({
    icon: 'file-binary',
    label: t('A GGUF file…'),
    description: t('run on this machine by node-llama-cpp'),
    choose: () => fileOnDisk(title),
  });
  const models = await vscode.lm.selectChatModels();
  if (models.length > 0)
    items.push({ label: t("VS Code's language models"), kind: vscode.QuickPickItemKind.Separator });
  for (const one of models)
    items.push({ icon: 'chip', label: one.name, description: one.vendor, choose: () => vscodeTeacher(one) });
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: t('Teacher'),
    matchOnDescription: true,
  });
  return picked?.choose?.();
}

async function fileOnDisk(title: string): Promise<Teacher | undefined> {
  const [file] = (await vscode.window.showOpenDialog({ title, filters: { GGUF: ['gguf'] } })) ?? [];
  if (!file) return undefined;
  const near = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const concurrency = setting('teacher.concurrency', 4);
  return ggufTeacher(file.fsPath, { concurrency, maxTokens: setting('teacher.maxTokens', 4096), near });
}

/** Base URL and model, kept in the user's settings for the next time. */
async function anotherEndpoint(
  secrets: vscode.SecretStorage,
  title: string,
  before: string,
): Promise<Teacher | undefined> {
  const { t } = vscode.l10n;
  const baseUrl = await vscode.window.showInputBox({
    title,
    prompt: t('Base URL of the endpoint'),
    placeHolder: 'http://localhost:11434/v1',
    value: before,
    ignoreFocusOut: true,
    validateInput: (text) => faultIn(text.trim()),
  });
  if (!baseUrl) return undefined;
  const model = await vscode.window.showInputBox({
    title,
    prompt: t('The model, as the endpoint calls it'),
    placeHolder: 'deepseek-reasoner',
    ignoreFocusOut: true,
  });
  if (!model?.trim()) return undefined;
  const teacher = await endpoint(secrets, baseUrl.trim(), model.trim());
  const settings = vscode.workspace.getConfiguration('distillery');
  await settings.update('teacher.baseUrl', baseUrl.trim(), vscode.ConfigurationTarget.Global);
  await settings.update('teacher.model', model.trim(), vscode.ConfigurationTarget.Global);
  return teacher;
}

function faultIn(baseUrl: string): string | undefined {
  try {
    checkBaseUrl(baseUrl);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A key belongs to one origin: it is never sent to another endpoint. */
const secretName = (url: URL) => `distillery.teacher.key ${url.origin}`;

async function endpoint(secrets: vscode.SecretStorage, baseUrl: string, model: string): Promise<Teacher | undefined> {
  const url = checkBaseUrl(baseUrl);
  const stored = await secrets.get(secretName(url));
  const key = stored ?? keyFor(url, process.env)?.key ?? (isLocal(url) ? '' : await askKey(secrets, url));
  return key === undefined ? undefined : openAiTeacher({ baseUrl, model, apiKey: key || undefined });
}

/** Asked once for each origin; an empty answer is kept too: the endpoint wants none. */
async function askKey(secrets: vscode.SecretStorage, url: URL): Promise<string | undefined> {
  const { t } = vscode.l10n;
  const key = await vscode.window.showInputBox({
    title: t('API key for {0}', url.host),
    prompt: t(
      'It is kept in the secret storage of VS Code and sent to {0} only. Leave it empty if the endpoint wants none.',
      url.host,
    ),
    password: true,
    ignoreFocusOut: true,
  });
  if (key !== undefined) await secrets.store(secretName(url), key.trim());
  return key?.trim();
}

/** Forgets the key of an endpoint, which refused it: the next time it is asked for. */
export async function forgetKey(secrets: vscode.SecretStorage, { endpoint }: Teacher): Promise<void> {
  if (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol))
    await secrets.delete(secretName(new URL(endpoint)));
}
