import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../errors';
import type { Progress, Result } from '../../protocol/control';
import type { Services } from '../services';
import { studentTitle } from '../students';
import * as vscode from '../vscode';
import { type Asked, blockText, nextNumber, placeOf, type Question, type SampleSoFar, sameQuestion } from './page';

/** Between two writings of answers that grow, in milliseconds. */
const pace = 150;
/** How often a text is tried to be written into a page that somebody is typing in, and milliseconds between. */
const [tries, between] = [100, 20];

export interface Sampling {
  samples: number;
  /** 0 = greedy. */
  temperature: number;
}

export interface Asking extends Sampling {
  checkpoint: string;
  underWay: UnderWay;
}

/** What a student answered, for marks: by the number of the asking. */
export type Answers = Result<'ask'>['samples'];

/** Questions under way in one page, by number: what stops them. */
export type UnderWay = Map<number, AbortController>;

/**
 * Asks a student a question of a page, and writes the answers below it as they grow. Ends early when the person
 * cancels, or takes the answers out of the page. Undefined then.
 */
export async function ask(
  { hosts }: Services,
  document: vscode.TextDocument,
  question: Question,
  { checkpoint, samples, temperature, underWay }: Asking,
): Promise<{ number: number; answers: Answers } | undefined> {
  const abort = new AbortController();
  const asked: Asked = {
    number: nextNumber(document.getText(), underWay.keys()),
    student: studentTitle(checkpoint),
    temperature,
    gold: question.gold,
    samples: Array.from({ length: samples }, () => ({ text: '', tokens: 0, done: false })),
  };
  const growing = [...asked.samples];
  const pen = new Pen(document, () => abort.abort());
  const grow = (parts: Progress<'ask'>) => {
    for (const { sample, ...rest } of parts) growing[sample] = rest;
    pen.write(blockText({ ...asked, samples: growing }));
  };
  underWay.set(asked.number, abort);
  try {
    await pen.begin(question, blockText(asked));
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

/**
 * Writes one block of a page, one edit after the other, the newest text only. It replaces nothing but what it wrote
 * itself: when that no longer stands in the page as it was written, it stops.
 */
class Pen {
  private written: readonly string[] = [];
  private wanted: readonly string[] | undefined;
  private writing: Promise<void> | undefined;

  /** `gone` is told when the block is no longer in the page, or has been edited. */
  constructor(
    private readonly document: vscode.TextDocument,
    private readonly gone: () => void,
  ) {}

  /** Writes the first text below a question, with an empty line on both sides. */
  async begin(question: Question, lines: readonly string[]): Promise<void> {
    const { document } = this;
    const begun = await this.edit(() => {
      const line = sameQuestion(document.getText(), question)?.end;
      if (line === undefined) return undefined;
      const text = ['', ...lines, ''].join('\n');
      const last = document.lineAt(document.lineCount - 1).range.end;
      if (line >= document.lineCount) return { range: new vscode.Range(last, last), text: `\n${text}` };
      return { range: new vscode.Range(line, 0, line, 0), text: `${text}\n` };
    });
    if (!begun)
      throw new UserError('the question changed while it was asked', { code: 'input', remedy: 'Ask it again.' });
    this.written = lines;
  }

  write(lines: readonly string[]): void {
    this.wanted = lines;
    this.writing ??= this.drain();
  }

  /** Writes the last text; done when it is there. */
  async finish(lines: readonly string[]): Promise<void> {
    this.wanted = undefined;
    await this.writing;
    if (!(await this.replace(lines))) await this.replace(lines.slice(0, 1), this.written.slice(0, 1));
  }

  private async drain(): Promise<void> {
    while (this.wanted) {
      const lines = this.wanted;
      this.wanted = undefined;
      if (!(await this.replace(lines))) this.gone();
      await sleep(pace);
    }
    this.writing = undefined;
  }

  /** False when what is to be replaced does not stand in the page any more. */
  private async replace(lines: readonly string[], before = this.written): Promise<boolean> {
    const { document } = this;
    const replaced = await this.edit(() => {
      const place = placeOf(document.getText(), before);
      if (!place) return undefined;
      const end = document.lineAt(place.to - 1).range.end;
      return { range: new vscode.Range(new vscode.Position(place.from, 0), end), text: lines.join('\n') };
    });
    if (replaced) this.written = lines;
    return replaced;
  }

  /**
   * Edits the page, again where the editor refuses because somebody typed in the meantime. False when there is nothing
   * to edit.
   */
  private async edit(change: () => { range: vscode.Range; text: string } | undefined): Promise<boolean> {
    for (let i = 0; i < tries && !this.document.isClosed; i++) {
      const wanted = change();
      if (!wanted) return false;
      const edit = new vscode.WorkspaceEdit();
      edit.replace(this.document.uri, wanted.range, wanted.text);
      if (await vscode.workspace.applyEdit(edit)) return true;
      await sleep(between);
    }
    return false;
  }
}
