import type { Services } from '../services';
import * as vscode from '../vscode';
import { registerCommands } from './case-commands';
import { registerDecorations } from './case-decorations';
import { CaseDiagnostics, registerInProblems } from './case-diagnostics';
import { CaseDocuments } from './case-documents';
import { registerHovers } from './case-hovers';
import { registerLenses } from './case-lenses';
import { registerRendering } from './case-rendering';
import { registerOutline } from './chain-outline';
import { registerDatasetLines } from './dataset-lines';
import { registerExport } from './export-cases';
import { registerImport } from './import-cases';
import { registerReading } from './reading';
import { caseScheme } from './reference';

/**
 * Failure cases in the editor: their documents and decorations, the Problems panel, marks in datasets, and the import.
 */
export function registerCases(services: Services): vscode.Disposable {
  const documents = new CaseDocuments(services);
  return vscode.Disposable.from(
    documents,
    vscode.workspace.registerFileSystemProvider(caseScheme, documents, { isCaseSensitive: true }),
    registerOutline(),
    registerDecorations(documents),
    registerRendering(services, documents),
    registerHovers(services, documents),
    registerLenses(services, documents),
    registerCommands(services, documents),
    registerInProblems(services),
    registerReading(services, documents),
    registerExport(services),
    registerImport(services),
    registerDatasetLines(services),
    new CaseDiagnostics(services, documents),
  );
}
