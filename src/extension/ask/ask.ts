import * as vscode from 'vscode';
import type { Progress, Result } from '../../protocol/control';
import type { Services } from '../services';
import { studentTitle } from '../students';
import { type Asked, blockOf, blockText, nextNumber, type Question, type SampleSoFar } from './page';

/** Between two writings of answers that grow, in milliseconds. */
const pace = 150;

export interface Sampling {
  samples: number;
  /** 0 = greedy. */
  temperature: number;
}

/** What a student answered, for marks: by the number of the asking. */
export type Answers = Result<'ask'>['samples'];

/** Questions under way in one page, by number: what stops them. */
export type UnderWay = Map<number, AbortController>;

/**
 * Asks a student a question of a page, and writes the answers below it as they grow. Ends early when the person cancels, or takes the
 * answers out of the page. Undefined then.
 */
export async function ask(
  { hosts }: Services,
  document: vscode.TextDocument,
  question: Question,
  checkpoint: string,
  { samples, temperature }: Sampling,
  underWay: UnderWay,
): Promise<{ number: number; answers: Answers } | undefined> {
  const abort = new AbortController();
  const asked: Asked = {
    number: nextNumber(document.getText()),
    student: studentTitle(checkpoint),
    temperature,
    gold: question.gold,
    samples: Array.from({ length: samples }, () => ({ text: '', tokens: 0, done: false })),
  };
  underWay.set(asked.number, abort);
  await insert(document, question.end, ['', ...blockText(asked)]);
  const growing = [...asked.samples];
  const pen = new Pen(document, asked.number, () => abort.abort());
  const grow = (parts: Progress<'ask'>) => {
    for (const { sample, ...rest } of parts) growing[sample] = rest;
    pen.write(blockText({ ...asked, samples: growing }));
  };
  try {
    const result = await whileAsking(asked.student, abort, () =>
      hosts
        .of(checkpoint)
        .ask(
          { checkpoint, question: question.text, samples, temperature, seed: asked.number },
          { signal: abort.signal, progress: grow },
        ),
    );
    const done = result.samples.map(toSample);
    await pen.finish(blockText({ ...asked, samples: done, tokensPerSecond: result.tokensPerSecond }));
    return { number: asked.number, answers: result.samples };
  } catch (error) {
    await pen.finish(blockText({ ...asked, samples: growing, stopped: true }));
    if (abort.signal.aborted) return undefined;
    throw error;
  } finally {
    underWay.delete(asked.number);
  }
}

function toSample({ text, tokens, logProbs, finished }: Answers[number]): SampleSoFar {
  return { text, tokens: tokens.length - (finished ? 1 : 0), done: true, finished, logProbs };
}

function whileAsking<T>(student: string, abort: AbortController, work: () => Promise<T>): Thenable<T> {
  const title = vscode.l10n.t('Distillery: asking {0}', student);
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    (_progress, cancelled) => {
      cancelled.onCancellationRequested(() => abort.abort());
      return work();
    },
  );
}

async function insert(document: vscode.TextDocument, line: number, lines: readonly string[]): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  const last = document.lineAt(document.lineCount - 1).range.end;
  const atEnd = line >= document.lineCount;
  const text = lines.join('\n');
  edit.insert(document.uri, atEnd ? last : new vscode.Position(line, 0), atEnd ? `\n${text}` : `${text}\n`);
  await vscode.workspace.applyEdit(edit);
}

/** Writes one block of a page, one edit after the other, the newest text only. */
class Pen {
  private wanted: readonly string[] | undefined;
  private writing: Promise<void> | undefined;

  /** `gone` is told when the block is no longer in the page. */
  constructor(
    private readonly document: vscode.TextDocument,
    private readonly number: number,
    private readonly gone: () => void,
  ) {}

  write(lines: readonly string[]): void {
    this.wanted = lines;
    this.writing ??= this.drain();
  }

  /** Writes the last text; done when it is there. */
  async finish(lines: readonly string[]): Promise<void> {
    this.wanted = undefined;
    await this.writing;
    await this.replace(lines);
  }

  private async drain(): Promise<void> {
    while (this.wanted) {
      const lines = this.wanted;
      this.wanted = undefined;
      await this.replace(lines);
      await new Promise((resolve) => setTimeout(resolve, pace));
    }
    this.writing = undefined;
  }

  private async replace(lines: readonly string[]): Promise<void> {
    const block = this.document.isClosed ? undefined : blockOf(this.document.getText(), this.number);
    if (!block) {
      this.gone();
      return;
    }
    const end = this.document.lineAt(block.to - 1).range.end;
    const edit = new vscode.WorkspaceEdit();
    edit.replace(this.document.uri, new vscode.Range(new vscode.Position(block.from, 0), end), lines.join('\n'));
    await vscode.workspace.applyEdit(edit);
  }
}
