import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runOfCheckpoint } from '../../runs/reading';
import type { Services } from '../services';
import { resultText } from '../shared/words';
import * as vscode from '../vscode';
import { mayRead } from '../workspace/named-files';
import { runIdTitle, runName } from './items';

/** `rewrite-126 of 2026-02-05 14:03:09`, or the folder's name. */
export function studentTitle(folder: string): string {
  const run = runOfCheckpoint(folder);
  return run ? `${basename(folder)} of ${runIdTitle(basename(run))}` : basename(folder);
}

interface StudentItem extends vscode.QuickPickItem {
  folder?: string;
}

/** Asks for a student: a checkpoint of a run, the initial student of an experiment, or any Hugging Face folder. */
export async function pickStudent(services: Services, title: string): Promise<string | undefined> {
  await services.runs.ready;
  const browse: StudentItem = {
    icon: 'folder',
    label: 'Choose a Folder…',
    description: 'a Hugging Face student',
  };
  const file: StudentItem = {
    icon: 'file-binary',
    label: 'Choose a GGUF File…',
    description: 'a llama.cpp file',
  };
  const fetch: StudentItem = {
    icon: 'cloud-download',
    label: 'Download…',
    description: 'from the Hugging Face Hub',
  };
  const items = [
    ...checkpoints(services),
    ...initialStudents(services),
    ...(await files()),
    separator('From elsewhere'),
    browse,
    file,
    fetch,
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: 'Student',
    matchOnDescription: true,
  });
  if (picked === fetch) return vscode.commands.executeCommand<string | undefined>('distillery.downloadStudent');
  if (picked !== browse && picked !== file) return picked?.folder;
  const open = {
    canSelectFolders: picked === browse,
    canSelectFiles: picked === file,
    openLabel: 'Choose',
    ...(picked === file && { filters: { GGUF: ['gguf'] } }),
  };
  return vscode.window.showOpenDialog(open);
}

/** Newest run first, with its newest checkpoint first; a star marks those that a stage selected. */
function checkpoints({ runs }: Services): StudentItem[] {
  return runs.list().flatMap((listing): StudentItem[] => {
    const found = runs.cache.checkpoints(listing).filter(({ folder }) => existsSync(folder));
    const items = found.map(({ name, folder, row }) => ({
      icon: row ? 'star-full' : undefined,
      label: name,
      description: row && `chosen: ${resultText(row)}`,
      folder,
    }));
    return items.length > 0 ? [separator(runName(listing, runs.cache)), ...items] : [];
  });
}

function initialStudents({ runs }: Services): StudentItem[] {
  const items = runs.experiments().flatMap(({ student, name }): StudentItem[] => {
    if (!student || !mayRead(student) || !isStudent(student)) return [];
    return [{ label: basename(student), description: `the initial student of ${name}`, folder: student }];
  });
  return items.length > 0 ? [separator('Before any training'), ...items] : [];
}

/** GGUF files of the workspace. */
async function files(): Promise<StudentItem[]> {
  const found = await vscode.workspace.findFiles('**/*.gguf', '**/{node_modules,.git,.distillery}/**', 50);
  const items = found.map((uri): StudentItem => {
    return { label: basename(uri.fsPath), description: vscode.workspace.asRelativePath(uri), folder: uri.fsPath };
  });
  return items.length > 0 ? [separator('GGUF files'), ...items] : [];
}

const isStudent = (path: string) => (path.endsWith('.gguf') ? existsSync(path) : existsSync(join(path, 'config.json')));

const separator = (label: string): StudentItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
