import type { DataSource } from '../../config/experiment';
import * as vscode from '../vscode';
import { loadNamedData } from '../workspace/named-files';

const generatedScheme = 'distillery-data';

/** A document of generated problems, one per line, in the format of a file of chains. */
export function generatedUri(source: DataSource, split: 'train' | 'test'): vscode.Uri {
  const query = JSON.stringify({ source, split });
  return vscode.Uri.from({ scheme: generatedScheme, path: `/arithmetic-${split}.chains.jsonl`, query });
}

export const registerGenerated = () =>
  vscode.workspace.registerTextDocumentContentProvider(generatedScheme, {
    provideTextDocumentContent({ query }) {
      const { source, split } = JSON.parse(query) as { source: DataSource; split: 'train' | 'test' };
      const { problems } = loadNamedData(source, '.', split);
      return problems.map((problem) => `${JSON.stringify(problem)}\n`).join('');
    },
  });
