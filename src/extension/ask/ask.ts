import { setTimeout as sleep } from 'node:timers/promises';
import { completionLength } from '../../chain/completion';
import { UserError } from '../../errors';
import type { HostResult, JobProgress } from '../../protocol/control';
import { studentTitle } from '../runs/students';
import type { Services } from '../services';
import { cancellable } from '../shared/cancellable';
import * as vscode from '../vscode';
import {
  blockText,
  findLines,
  nextNumber,
  type PageQuestion,
  type Question,
  type SampleSoFar,
  sameQuestion,
} from './page';

/** Milliseconds between two writes of a growing answer. */
const pace = 150;
/**
 * How often an edit is retried while a person types in the page, and the milliseconds between two attempts: at least a
 * minute, as an answer that is not written is lost, and on a busy machine an attempt meets many keystrokes.
 */
const [tries, between] = [3000, 20];

export interface AskSampling {
  samples: number;
  /** 0 means greedy. */
  temperature: number;
}

export interface AskRequest extends AskSampling {
  checkpoint: string;
  underWay: UnderWay;
}

/**
 * Answers of a student with their token probabilities, by the number of the question asked. Marks are made from them.
 */
export type AskSamples = HostResult<'ask'>['samples'];

/** Questions in progress on one page, by number, each with the controller that stops it. */
export type UnderWay = Map<number, AbortController>;

/**
 * Asks a student one question of a page and writes the answers below it as they grow. Resolves to undefined when the
 * person cancels, or deletes the answers from the page.
 */
export async function ask(
  { hosts }: Services,
  document: vscode.TextDocument,
  question: Question,
  { checkpoint, samples, temperature, underWay }: AskRequest,
): Promise<{ number: number; answers: AskSamples } | undefined> {
  const abort = new AbortController();
  const asked: PageQuestion = {
    number: nextNumber(document.getText(), underWay.keys()),
    student: studentTitle(checkpoint),
    temperature,
    gold: question.gold,
    samples: Array.from({ length: samples }, () => ({ text: '', tokens: 0, done: false })),
  };
  const growing = [...asked.samples];
  const pen = new Pen(document, () => abort.abort());
  const grow = (parts: JobProgress<'ask'>) => {
    for (const { sample, ...rest } of parts) growing[sample] = rest;
    pen.write(blockText({ ...asked, samples: growing }));
  };
  underWay.set(asked.number, abort);
  try {
    await pen.begin(question, blockText(asked));
    const result = await cancellable(`Distillery: asking ${asked.student}`, (cancelled) => {
      cancelled.addEventListener('abort', () => abort.abort());
      const params = { checkpoint, question: question.text, samples, temperature, seed: asked.number };
      return hosts.of(checkpoint).request('ask', params, { signal: abort.signal, progress: grow });
    });
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

function toSample({ text, tokens, logProbs, finished }: AskSamples[number]): SampleSoFar {
  return { text, tokens: completionLength({ tokens, finished }), done: true, finished, logProbs };
}

/**
 * Writes one block of a page, one edit at a time, and always the newest text. It replaces only its own earlier text;
 * when that is no longer in the page as written, it stops.
 */
class Pen {
  private written: readonly string[] = [];
  private wanted: readonly string[] | undefined;
  private writing: Promise<void> | undefined;

  /** `onDocumentClosed` is called when the block is no longer in the page, or has been edited. */
  constructor(
    private readonly document: vscode.TextDocument,
    private readonly onDocumentClosed: () => void,
  ) {}

  /** Inserts the first text below a question, with an empty line above and below. */
  async begin(question: Question, lines: readonly string[]): Promise<void> {
    const { document } = this;
    const inserted = await this.edit(() => {
      const line = sameQuestion(document.getText(), question)?.end;
      if (line === undefined) return undefined;
      const text = ['', ...lines, ''].join('\n');
      const last = document.lineAt(document.lineCount - 1).range.end;
      if (line >= document.lineCount) return { range: new vscode.Range(last, last), text: `\n${text}` };
      return { range: new vscode.Range(line, 0, line, 0), text: `${text}\n` };
    });
    if (!inserted)
      throw new UserError('the question changed before the answer could be written', {
        code: 'input',
        remedy: 'Ask it again.',
      });
    this.written = lines;
  }

  write(lines: readonly string[]): void {
    this.wanted = lines;
    this.writing ??= this.drain();
  }

  /** Writes the final text. Resolves once it is in the page. */
  async finish(lines: readonly string[]): Promise<void> {
    this.wanted = undefined;
    await this.writing;
    if (!(await this.replace(lines))) await this.replace(lines.slice(0, 1), this.written.slice(0, 1));
  }

  private async drain(): Promise<void> {
    while (this.wanted) {
      const lines = this.wanted;
      this.wanted = undefined;
      if (!(await this.replace(lines))) this.onDocumentClosed();
      await sleep(pace);
    }
    this.writing = undefined;
  }

  /** False when the text to replace is no longer in the page. */
  private async replace(lines: readonly string[], before = this.written): Promise<boolean> {
    const { document } = this;
    const replaced = await this.edit(() => {
      const place = findLines(document.getText(), before);
      if (!place) return undefined;
      const end = document.lineAt(place.to - 1).range.end;
      return { range: new vscode.Range(new vscode.Position(place.from, 0), end), text: lines.join('\n') };
    });
    if (replaced) this.written = lines;
    return replaced;
  }

  /**
   * Edits the page. Retries when the editor refuses because somebody typed in the meantime. False when there is nothing
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
