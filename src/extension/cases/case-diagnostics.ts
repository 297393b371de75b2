import { type Decisions, decisionsOf } from '../../runs/decisions';
import type { FailureRecord } from '../../runs/records';
import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import { setContext } from '../shared/contexts';
import * as vscode from '../vscode';
import { buildCase } from './case';
import type { CaseDocuments } from './case-documents';
import { type CaseFinding, chainFindings, rewriteFindings, studentFindings } from './findings';
import { caseScheme, referenceAt } from './reference';
import { positionIn, renderCase } from './text';

/** At most this many cases are listed in the Problems panel. */
const maxListedCases = 1000;
/** Milliseconds of work before the event loop gets a turn. */
const yieldEveryMs = 8;

/**
 * Fills the Problems panel: every case of the selected run, and the first wrong step of each open case.
 * The entries disappear with the run.
 */
export class CaseDiagnostics implements vscode.Disposable {
  private readonly ofRun = vscode.languages.createDiagnosticCollection('distillery.cases');
  private readonly ofOpen = vscode.languages.createDiagnosticCollection('distillery.case');
  private readonly subscriptions: vscode.Disposable[];
  /** The version of the records that is listed, or is being listed. */
  private listed: readonly FailureRecord[] | undefined;

  constructor(
    private readonly services: Services,
    private readonly documents: CaseDocuments,
  ) {
    this.subscriptions = [
      services.cases.onDidChange(() => this.update()),
      vscode.workspace.onDidOpenTextDocument((document) => this.show(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.show(document)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.ofOpen.delete(uri)),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration(setting)) this.update();
      }),
    ];
    this.showAll();
    this.update();
  }

  dispose(): void {
    this.listed = undefined;
    vscode.Disposable.from(this.ofRun, this.ofOpen, ...this.subscriptions).dispose();
  }

  private update(): void {
    const { run } = this.services.cases;
    const { cache } = this.services.runs;
    // Counting parses no record, so start-up parses only what is listed.
    const listable = run !== undefined && cache.failureCount(run) <= limitNow();
    const failures = listable ? cache.failures(run).value : undefined;
    setContext('distillery.casesInProblems', failures !== undefined);
    if (failures === this.listed) return;
    this.listed = failures;
    this.ofRun.clear();
    this.showAll();
    if (run !== undefined && failures) void this.list(run, failures);
  }

  /** Works in slices: describing a thousand chains would block the editor for too long. */
  private async list(run: string, failures: readonly FailureRecord[]): Promise<void> {
    let entries: [vscode.Uri, vscode.Diagnostic[]][] = [];
    let since = performance.now();
    for (const failure of failures.slice(0, maxListedCases)) {
      entries.push(this.describe(run, failure));
      if (performance.now() - since < yieldEveryMs) continue;
      await new Promise((resolve) => setTimeout(resolve, yieldEveryMs));
      if (this.listed !== failures) return;
      since = performance.now();
      if (entries.length < 50) continue;
      this.put(entries);
      entries = [];
    }
    this.put(entries);
  }

  private put(entries: [vscode.Uri, vscode.Diagnostic[]][]): void {
    this.ofRun.set(entries);
    this.showAll();
  }

  private describe(run: string, failure: FailureRecord): [vscode.Uri, vscode.Diagnostic[]] {
    const reference = { run, problemId: failure.problemId };
    const shown = buildCase(reference, failure, [], noDecisions);
    const layout = renderCase(shown);
    return [this.documents.uriOf(reference), studentFindings(shown, layout).map((one) => diagnostic(one, layout.text))];
  }

  private showAll(): void {
    for (const document of vscode.workspace.textDocuments) this.show(document);
  }

  /** Findings of an open document that the list does not include. */
  private show(document: vscode.TextDocument): void {
    const { uri } = document;
    if (uri.scheme !== caseScheme) return;
    const open = this.documents.at(uri)?.value;
    if (!open) return;
    const { case: shown, layout } = open;
    if (referenceAt(uri)?.kind === 'rewrite') {
      const text = document.getText().replace(/\r\n/g, '\n');
      this.ofOpen.set(
        uri,
        chainFindings(text, shown.gold).map((one) => diagnostic(one, text)),
      );
      return;
    }
    if (document.getText() !== layout.text) return; // it will be read again soon
    const inList = this.ofRun.has(uri) ? [] : studentFindings(shown, layout);
    this.ofOpen.set(
      uri,
      [...inList, ...rewriteFindings(shown, layout)].map((one) => diagnostic(one, layout.text)),
    );
  }
}

const noDecisions: Decisions = decisionsOf([]);
const setting = 'distillery.cases.inProblems';
/** More cases than this are listed only on request, as they would hide the panel's other entries. */
const few = 20;

function limitNow(): number {
  const chosen = vscode.workspace.getConfiguration().get<string | boolean>(setting);
  if (chosen === 'none' || chosen === false) return 0;
  return chosen === 'all' || chosen === true ? Number.POSITIVE_INFINITY : few;
}

/** Lists the cases in the Problems panel, or removes them. */
export function registerInProblems(services: Services): vscode.Disposable {
  const choose = (value: 'all' | 'none') => () =>
    vscode.workspace.getConfiguration().update(setting, value, vscode.ConfigurationTarget.Workspace);
  return vscode.Disposable.from(
    trustedCommand(services, 'distillery.listInProblems', choose('all')),
    trustedCommand(services, 'distillery.unlistInProblems', choose('none')),
  );
}

const severities = {
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
  hint: vscode.DiagnosticSeverity.Hint,
};

function diagnostic({ start, end, severity, message, code }: CaseFinding, text: string): vscode.Diagnostic {
  const [from, to] = [positionIn(text, start), positionIn(text, end)];
  const range = new vscode.Range(from.line, from.character, to.line, to.character);
  const made = new vscode.Diagnostic(range, message, severities[severity]);
  made.source = 'Distillery';
  made.code = code;
  return made;
}
