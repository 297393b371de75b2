import { dirname, relative, sep } from 'node:path';
import { runTitle } from '../runs/items';
import { resultText } from '../shared/words';
import * as vscode from '../vscode';
import type { RunIndex } from '../workspace/run-index';
import { configKind } from './kinds';
import { type NamePlace, namePlace } from './names';

/** Completions of names from the workspace: reward components in gates, modules, reward files, students, datasets. */
export function nameCompletions(runs: RunIndex): vscode.CompletionItemProvider {
  return {
    async provideCompletionItems(document, position) {
      const kind = configKind(document.fileName);
      const place = kind && namePlace(kind, document.getText(), document.offsetAt(position));
      if (!place) return [];
      const range = new vscode.Range(document.positionAt(place.start), document.positionAt(place.end));
      const proposals = await proposalsFor(place, dirname(document.fileName), runs);
      return proposals.map(({ value, detail, rank }) => {
        const item = new vscode.CompletionItem(value, icons[place.kind], detail);
        item.insertText = item.filterText = JSON.stringify(value);
        item.range = range;
        item.sortText = `${rank} ${value}`;
        return item;
      });
    },
  };
}

const icons: Record<NamePlace['kind'], vscode.CompletionItemKind> = {
  gate: vscode.CompletionItemKind.Reference,
  module: vscode.CompletionItemKind.File,
  reward: vscode.CompletionItemKind.File,
  student: vscode.CompletionItemKind.Folder,
  dataset: vscode.CompletionItemKind.File,
};

interface Proposal {
  value: string;
  detail: string;
  /** Smaller values come first. */
  rank: number;
}

/** At most this many files of each kind are searched. */
const most = 500;
/** Records of runs are not datasets. */
const skipped = '**/{node_modules,.git,.distillery}/**';

async function proposalsFor({ kind, components }: NamePlace, folder: string, runs: RunIndex): Promise<Proposal[]> {
  switch (kind) {
    case 'gate':
      return components.map((value, rank) => ({ value, detail: 'component of this reward', rank }));
    case 'module':
      return (await files('**/*.reward.{mjs,js,cjs}')).map((file) => ({
        value: relativePath(folder, file).replace(/^(?!\.)/, './'),
        detail: 'reward in code',
        rank: distance(folder, file),
      }));
    case 'reward':
      return (await files('**/*.reward.json')).map((file) => ({
        value: relativePath(folder, file),
        detail: 'reward config',
        rank: distance(folder, file),
      }));
    case 'dataset':
      return (await files('**/*.jsonl')).map((file) => ({
        value: relativePath(folder, file),
        detail: file.endsWith('.chains.jsonl') ? 'chains' : 'JSON lines',
        rank: distance(folder, file) + (file.endsWith('.chains.jsonl') ? 0 : 1),
      }));
    case 'student':
      return students(folder, runs);
  }
}

/** Folders with weights, and checkpoints of runs, newest first. */
async function students(folder: string, runs: RunIndex): Promise<Proposal[]> {
  const folders = (await files('**/model.safetensors')).map(dirname);
  const checkpoints = runs.list().flatMap((listing, age) => {
    const title = runTitle(listing, runs.cache);
    return runs.cache.checkpoints(listing).map((checkpoint) => ({
      value: relativePath(folder, checkpoint.folder),
      detail: `checkpoint of ${checkpoint.row ? `${title}, ${resultText(checkpoint.row)}` : title}`,
      rank: 100 + age,
    }));
  });
  const found = folders.map((one) => ({
    value: relativePath(folder, one),
    detail: 'student',
    rank: distance(folder, one),
  }));
  return [...found, ...checkpoints];
}

async function files(pattern: string): Promise<string[]> {
  const found = await vscode.workspace.findFiles(pattern, skipped, most);
  return found.filter(({ scheme }) => scheme === 'file').map(({ fsPath }) => fsPath);
}

/** The path as written in a config of `folder`, with slashes on every system. */
const relativePath = (folder: string, path: string) => relative(folder, path).split(sep).join('/') || '.';

/** Distance from the folder, so that near files come first. */
const distance = (folder: string, path: string) => relative(folder, path).split(sep).length;
