/** Decorates the text of scores: colours, links to completions, sections. */

import { sourceUri } from '../shared/live-documents';
import { paintEditors } from '../shared/painting';
import * as vscode from '../vscode';
import type { PageText, Target, Tone } from './page';
import { type ScoreViews, scoresScheme } from './view';

const selector = { scheme: scoresScheme };

export function registerLook(views: ScoreViews): vscode.Disposable {
  return vscode.Disposable.from(
    scoreColours(views),
    vscode.languages.registerDocumentLinkProvider(selector, {
      provideDocumentLinks: ({ uri }) => linksOf(views.pageOf(uri), views.runOf(uri)),
    }),
    vscode.languages.registerFoldingRangeProvider(selector, {
      provideFoldingRanges: ({ uri }) =>
        sections(views.pageOf(uri)).map(({ start, end }) => new vscode.FoldingRange(start, end)),
    }),
    vscode.languages.registerDocumentSymbolProvider(selector, {
      provideDocumentSymbols: (document) =>
        sections(views.pageOf(document.uri)).map(({ start, end }) => {
          const head = document.lineAt(start);
          const whole = new vscode.Range(head.range.start, document.lineAt(end).range.end);
          return new vscode.DocumentSymbol(
            { name: head.text, detail: '', kind: vscode.SymbolKind.Array },
            whole,
            head.range,
          );
        }),
    }),
    vscode.languages.registerCodeLensProvider(selector, {
      provideCodeLenses: ({ uri }) => {
        const lens = (title: string, command: string, icon?: string) =>
          new vscode.CodeLens(0, { icon, title, command, args: [sourceUri(uri)] });
        return [
          lens('Newest Rollouts', 'distillery.scoreRollouts', 'refresh'),
          lens('Choose Rollouts…', 'distillery.chooseRollouts'),
          lens('Open Reward', 'vscode.open'),
        ];
      },
    }),
  );
}

function linksOf(page: PageText | undefined, run: string | undefined): vscode.DocumentLink[] {
  if (!page || !run) return [];
  const tooltip = 'Compare with the teacher';
  return page.links.map(
    ({ line, start, end, target }) =>
      new vscode.DocumentLink(new vscode.Range(line, start, line, end), comparison(run, target), tooltip),
  );
}

function comparison(run: string, target: Target): vscode.Uri {
  const query = encodeURIComponent(JSON.stringify([{ run, ...target }]));
  return vscode.Uri.parse(`command:distillery.compareChains?${query}`);
}

function sections(page: PageText | undefined): { start: number; end: number }[] {
  const { heads = [], lines = [] } = page ?? {};
  return heads.map((start, i) => ({ start, end: Math.max(start, (heads[i + 1] ?? lines.length) - 1) }));
}

/** Colours rising and falling completions in every editor that shows scores. */
function scoreColours(views: ScoreViews): vscode.Disposable {
  const types: Record<Tone, vscode.TextEditorDecorationType> = {
    rise: tone({ color: new vscode.ThemeColor('charts.green') }),
    fall: tone({ color: new vscode.ThemeColor('charts.red') }),
    dim: tone({ color: new vscode.ThemeColor('descriptionForeground') }),
    strong: tone({ fontWeight: 'bold' }),
  };
  const painting = paintEditors((editor) => {
    if (editor.document.uri.scheme !== scoresScheme) return;
    const tones = views.pageOf(editor.document.uri)?.tones ?? [];
    for (const [name, type] of Object.entries(types)) {
      const places = tones.filter((one) => one.tone === name);
      vscode.window.decorate(
        editor,
        type,
        places.map(({ line, start, end }) => ({ range: new vscode.Range(line, start, line, end) })),
      );
    }
  });
  return vscode.Disposable.from(...Object.values(types), painting);
}

const tone = (look: vscode.DecorationRenderOptions) => vscode.window.createTextEditorDecorationType(look);
