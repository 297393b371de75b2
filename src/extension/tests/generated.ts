import type { DataSource } from '../../config/experiment';
import { loadData } from '../../data/load';
import * as vscode from '../vscode';

export const generatedScheme = 'distillery-data';

/** The document that shows generated problems, a line each as a file of chains would have them. */
export function generatedUri(source: DataSource, split: 'train' | 'test'): vscode.Uri {
  const query = JSON.stringify({ source, split });
  return vscode.Uri.from({ scheme: generatedScheme, path: `/arithmetic-${split}.chains.jsonl`, query });
}

export const registerGenerated = () =>
  vscode.workspace.registerTextDocumentContentProvider(generatedScheme, {
    provideTextDocumentContent({ query }) {
      const { source, split } = JSON.parse(query) as { source: DataSource; split: 'train' | 'test' };
      const { problems } = loadData(source, '.', split);
      return problems.map((problem) => `${JSON.stringify(problem)}\n`).join('');
    },
  });
