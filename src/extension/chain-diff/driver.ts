import { UserError } from '../../errors';
import type { ToChainPage } from '../../protocol/chain-diff';
import type { ChainSubject, FromChainPage } from '../../protocol/chain-diff-requests';
import { openRun } from '../../runs/reading';
import { report } from '../commands/report';
import type { Services } from '../services';
import type { PageDriver, WebviewTab } from '../shared/webview-page';
import * as vscode from '../vscode';
import { CaseReader, type CaseTexts } from './case-reader';
import type { ChainDocuments } from './documents';

/** Drives one page: reads its content, reads again when the run's files change, and handles the reader's requests. */
export class ChainDiff implements PageDriver<ChainSubject, FromChainPage> {
  private reader: CaseReader | undefined;
  private texts: CaseTexts = { teacher: null, student: null, rewritten: null };
  /** The last message as JSON, so that the same message is not sent twice. */
  private sent = '';
  /**
   * The list of cases with the shown one. When it changes, the page is refreshed; other changes of the run do not
   * matter here.
   */
  private order = '';
  /** When several requests overlap, only the last one is shown. */
  private asked = 0;
  private readonly listener: vscode.Disposable;

  constructor(
    private readonly services: Services,
    private readonly page: WebviewTab<ChainSubject, ToChainPage>,
    private readonly documents: ChainDocuments,
    private readonly choose: (subject: ChainSubject) => Promise<ChainSubject | undefined>,
  ) {
    this.listener = vscode.Disposable.from(
      services.runs.onDidChange((runs) => {
        if (runs.has(page.subject.run)) void this.update();
      }),
      services.cases.onDidChange(() => {
        if (this.listed().join('\n') !== this.order) void this.update();
      }),
    );
  }

  dispose(): void {
    this.asked++;
    this.listener.dispose();
  }

  ready(): void {
    this.sent = '';
    void this.update();
  }

  show(subject: ChainSubject): void {
    this.page.subject = subject;
    void this.update();
  }

  receive(message: FromChainPage): void {
    this.answer(message).catch((error: unknown) => report(error, this.services.log));
  }

  private async answer(message: FromChainPage): Promise<void> {
    const { subject } = this.page;
    switch (message.type) {
      case 'show':
        return this.show({ ...message.subject, run: subject.run });
      case 'go': {
        const problemId = this.reader?.neighbour(subject.problemId, subject.moment, message.by, this.listed());
        if (problemId === undefined) return;
        this.services.cases.show(subject.run, problemId);
        this.show({ run: subject.run, problemId, moment: subject.moment });
        return;
      }
      case 'decide': {
        const { run, problemId } = subject;
        const id = { accept: 'acceptRewrite', reject: 'rejectRewrite', edit: 'editRewrite' }[message.what];
        await vscode.commands.executeCommand(`distillery.${id}`, { run, problemId }, this.texts.rewritten ?? undefined);
        return;
      }
      case 'markStep': {
        const { run, problemId, sample } = subject;
        await vscode.commands.executeCommand('distillery.markFirstWrongStep', { run, problemId, sample }, message.step);
        return;
      }
      case 'choose': {
        const chosen = await this.choose(subject);
        if (chosen) this.show(chosen);
        return;
      }
      case 'copy': {
        await vscode.env.clipboard.writeText(this.texts[message.role] ?? '');
        vscode.window.setStatusBarMessage(`The chain of the ${message.role} was copied.`, 3000);
        return;
      }
      case 'openText':
        return this.documents.openTexts(subject, this.texts, message.left, message.right);
      case 'openRecord':
        return this.documents.openRecord(subject.run, message.origin);
    }
  }

  /** The problems in the order of the case list, if it lists this run's cases. */
  private listed(): string[] {
    return this.services.cases.order(this.page.subject.run) ?? [];
  }

  /** Shows what loads quickly first, then everything in the run's files. */
  private async update(): Promise<void> {
    const turn = ++this.asked;
    const current = () => turn === this.asked;
    const { subject } = this.page;
    try {
      if (this.reader?.run !== subject.run) this.reader = new CaseReader(subject.run, openRun(subject.run).record.name);
      const { reader } = this;
      await reader.refresh(subject);
      if (reader.knows(subject.problemId) && current()) await this.read(reader, subject, current);
      await reader.refresh();
      if (current()) await this.read(reader, this.page.subject, current);
    } catch (error) {
      if (!current()) return;
      if (!(error instanceof UserError)) this.services.log.error(error as Error);
      this.sent = '';
      this.page.post({
        type: 'trouble',
        subject,
        message: String(error instanceof UserError ? error : (error as Error).message),
      });
    }
  }

  private async read(reader: CaseReader, subject: ChainSubject, current: () => boolean): Promise<void> {
    const listed = this.listed();
    this.order = listed.join('\n');
    const { view, texts } = await reader.read(subject, listed);
    if (!current()) return;
    const json = JSON.stringify(view);
    this.texts = texts;
    this.page.subject = view.subject;
    vscode.setTexts(this.page.panel, { title: chainsTitle(view.subject) });
    if (json !== this.sent) this.page.post({ type: 'case', case: view });
    this.sent = json;
  }
}

export const chainsTitle = ({ problemId }: ChainSubject) => `${problemId} (chains)`;
