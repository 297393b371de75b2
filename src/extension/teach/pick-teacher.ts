import { ggufTeacher } from '../../teachers/llama';
import { openAiTeacher } from '../../teachers/openai';
import type { Teacher } from '../../teachers/types';
import { askEndpoint, keyOf } from '../shared/endpoints';
import { setting } from '../shared/settings';
import * as vscode from '../vscode';
import { vscodeTeacher } from './vscode-teacher';

interface TeacherItem extends vscode.QuickPickItem {
  choose?: () => Promise<Teacher | undefined> | Teacher;
}

/**
 * Asks for a teacher: the endpoint of the settings, another endpoint, a GGUF file, or a language model of VS Code.
 * Undefined when dismissed.
 */
export async function pickTeacher(secrets: vscode.SecretStorage, title: string): Promise<Teacher | undefined> {
  const [baseUrl, model] = [setting('teacher.baseUrl', ''), setting('teacher.model', '')];
  const items: TeacherItem[] = [];
  if (baseUrl && model)
    items.push({ icon: 'server', label: model, description: baseUrl, choose: () => endpoint(secrets, baseUrl, model) });
  items.push({
    icon: 'add',
    label: 'Another Endpoint…',
    description: 'OpenAI-compatible: vLLM, Ollama, llama.cpp, DeepSeek, OpenAI',
    choose: () => anotherEndpoint(secrets, title, baseUrl),
  });
  items.push({
    icon: 'file-binary',
    label: 'A GGUF File…',
    description: 'run on this machine by node-llama-cpp',
    choose: () => fileOnDisk(title),
  });
  const models = await vscode.lm.selectChatModels();
  if (models.length > 0) items.push({ label: "VS Code's language models", kind: vscode.QuickPickItemKind.Separator });
  for (const one of models)
    items.push({ icon: 'chip', label: one.name, description: one.vendor, choose: () => vscodeTeacher(one) });
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: 'Teacher',
    matchOnDescription: true,
  });
  return picked?.choose?.();
}

async function fileOnDisk(title: string): Promise<Teacher | undefined> {
  const file = await vscode.window.showOpenDialog({ title, filters: { GGUF: ['gguf'] } });
  if (!file) return undefined;
  const near = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const concurrency = setting('teacher.concurrency', 4);
  return ggufTeacher(file, { concurrency, maxTokens: setting('teacher.maxTokens', 4096), near });
}

/** Saves base URL and model in the user's settings. */
async function anotherEndpoint(
  secrets: vscode.SecretStorage,
  title: string,
  before: string,
): Promise<Teacher | undefined> {
  const asked = await askEndpoint(title, { baseUrl: before });
  if (!asked) return undefined;
  const teacher = await endpoint(secrets, asked.baseUrl, asked.model);
  const settings = vscode.workspace.getConfiguration('distillery');
  await settings.update('teacher.baseUrl', asked.baseUrl, vscode.ConfigurationTarget.Global);
  await settings.update('teacher.model', asked.model, vscode.ConfigurationTarget.Global);
  return teacher;
}

async function endpoint(secrets: vscode.SecretStorage, baseUrl: string, model: string): Promise<Teacher | undefined> {
  const key = await keyOf(secrets, baseUrl);
  return key === undefined ? undefined : openAiTeacher({ baseUrl, model, apiKey: key || undefined });
}
