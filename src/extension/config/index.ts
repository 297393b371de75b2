import type { Services } from '../services';
import * as vscode from '../vscode';
import { nameCompletions } from './completions';
import { ConfigDiagnostics } from './diagnostics';
import { configPattern } from './kinds';
import { ConfigLenses } from './lenses';
import { pathLinks } from './links';
import { quickFixes, registerCreateReward } from './quick-fixes';

/**
 * Editor support for experiments and rewards beyond what their JSON schemas give through VS Code's own JSON service.
 */
export function registerConfigs(services: Services): vscode.Disposable {
  const configs: vscode.DocumentFilter = { scheme: 'file', pattern: configPattern };
  const { QuickFix } = vscode.CodeActionKind;
  const lenses = new ConfigLenses();
  return vscode.Disposable.from(
    new ConfigDiagnostics(),
    lenses,
    registerCreateReward(services),
    vscode.languages.registerCodeLensProvider(configs, lenses),
    vscode.languages.registerCodeActionsProvider(configs, quickFixes, { providedCodeActionKinds: [QuickFix] }),
    vscode.languages.registerCompletionItemProvider(configs, nameCompletions(services.runs), '"', '/'),
    vscode.languages.registerDocumentLinkProvider(configs, pathLinks),
  );
}
