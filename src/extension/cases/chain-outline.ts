import * as vscode from '../vscode';
import { outlineOf, type PartKind } from './outline';

export const chainLanguage = 'reasoning-chain';

const kinds: Record<PartKind, vscode.SymbolKind> = {
  section: vscode.SymbolKind.Module,
  question: vscode.SymbolKind.Field,
  gold: vscode.SymbolKind.Field,
  thinking: vscode.SymbolKind.String,
  step: vscode.SymbolKind.Method,
  answer: vscode.SymbolKind.Constant,
};

/** Outline, breadcrumbs and folding for any reasoning chain: its sections and their steps. */
export function registerOutline(): vscode.Disposable {
  const symbols: vscode.DocumentSymbolProvider = {
    provideDocumentSymbols(document) {
      const roots: vscode.DocumentSymbol[] = [];
      let section: vscode.DocumentSymbol | undefined;
      for (const { kind, name, detail, start, end } of outlineOf(document.getText())) {
        const range = new vscode.Range(start, 0, end, document.lineAt(end).text.length);
        const named = { name, detail: detail.slice(0, 120), kind: kinds[kind] };
        const symbol = new vscode.DocumentSymbol(named, range, document.lineAt(start).range);
        if (kind === 'section') section = symbol;
        (kind === 'section' || !section ? roots : section.children).push(symbol);
      }
      return roots;
    },
  };
  const folding: vscode.FoldingRangeProvider = {
    provideFoldingRanges: (document) =>
      outlineOf(document.getText()).flatMap(({ kind, start, end }) =>
        end > start
          ? [new vscode.FoldingRange(start, end, kind === 'section' ? vscode.FoldingRangeKind.Region : undefined)]
          : [],
      ),
  };
  const selector = { language: chainLanguage };
  return vscode.Disposable.from(
    vscode.languages.registerDocumentSymbolProvider(selector, symbols),
    vscode.languages.registerFoldingRangeProvider(selector, folding),
  );
}
