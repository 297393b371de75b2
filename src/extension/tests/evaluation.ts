import { UserError } from '../../errors';
import type { Evaluated } from '../../protocol/control';
import { runOfCheckpoint } from '../../runs/reading';
import { sentences } from '../../words';
import { report } from '../commands/report';
import { studentTitle } from '../runs/students';
import type { Services } from '../services';
import { setting } from '../shared/settings';
import { percent, plural, tokens } from '../shared/words';
import * as vscode from '../vscode';
import type { TestedStudent } from './students';
import { recordName, type Suite } from './suites';
import { children, type TestTree } from './tree';
import { outputOf, verdictOf } from './verdict';

/** Maximum number of problems of a whole dataset, unless the setting gives another. */
const defaultLimit = 200;

/** The problems of one suite in a test run. */
interface SuiteItems {
  suite: Suite;
  items: vscode.TestItem[];
  /** The item that was run; errors that concern all its problems are shown on it. */
  top: vscode.TestItem;
}

/** Runs tests: asks the student and reports each answer as it arrives. */
export class TestRunner {
  constructor(
    private readonly services: Services,
    private readonly controller: vscode.TestController,
    private readonly tree: TestTree,
    private readonly student: TestedStudent,
  ) {}

  async run(request: vscode.TestRunRequest, cancelled: vscode.CancellationToken): Promise<void> {
    if (request.include) this.tree.renew();
    else await this.tree.discover();
    const run = this.controller.createTestRun(request);
    try {
      const parts = this.partsOf(request, run);
      for (const part of parts) for (const item of part.items) run.enqueued(item);
      for (const part of parts) {
        if (cancelled.isCancellationRequested) break;
        await this.evaluate(part, run, cancelled);
      }
    } catch (error) {
      void report(error, this.services.log);
    } finally {
      run.end();
    }
  }

  /** The problems to ask, without duplicates, by suite. Reports when a dataset exceeds the limit. */
  private partsOf(request: vscode.TestRunRequest, run: vscode.TestRun): SuiteItems[] {
    const limit = setting('evaluation.limit', defaultLimit);
    const excluded = new Set(request.exclude ?? []);
    const parts = new Map<Suite, SuiteItems>();
    for (const top of (request.include ?? children(this.controller)).flatMap((item) => this.suites(item))) {
      if (excluded.has(top)) continue;
      const items = this.tree.problemsAt(top, limit).filter((item) => !excluded.has(item));
      const node = this.tree.nodeOf(top);
      if (!node || node.kind === 'experiment') continue;
      if (top.error && items.length === 0) this.fail(run, top, String(top.error));
      if (node.kind === 'suite' && this.tree.size(node.suite) > limit)
        this.print(
          run,
          `${top.label}: the first ${limit} of ${this.tree.size(node.suite)}. ` +
            'To test more, raise the setting distillery.evaluation.limit or run a page.',
        );
      const part = parts.get(node.suite) ?? { suite: node.suite, items: [], top };
      part.items.push(...items.filter((item) => !part.items.includes(item)));
      parts.set(node.suite, part);
    }
    return [...parts.values()].filter(({ items }) => items.length > 0);
  }

  private suites(item: vscode.TestItem): vscode.TestItem[] {
    return this.tree.nodeOf(item)?.kind === 'experiment' ? children(item) : [item];
  }

  private async evaluate({ suite, items, top }: SuiteItems, run: vscode.TestRun, cancelled: vscode.CancellationToken) {
    const abort = new AbortController();
    const listener = cancelled.onCancellationRequested(() => abort.abort());
    const waiting = new Map(items.map((item) => [this.problem(item).id, item]));
    const take = (answers: readonly Evaluated[]) => {
      for (const answer of answers) {
        const item = waiting.get(answer.problemId);
        if (!item) continue;
        waiting.delete(answer.problemId);
        this.conclude(item, answer, run);
      }
    };
    try {
      const checkpoint = this.student.of(suite.experiment);
      const whole = items.length === this.tree.size(suite);
      this.print(run, `${top.label}: ${plural(items.length, 'problem')} by ${studentTitle(checkpoint)}`);
      for (const item of items) run.started(item);
      const result = await this.services.hosts.of(checkpoint).request(
        'evaluate',
        {
          checkpoint,
          problems: items
            .map((item) => this.problem(item))
            .map(({ id, question, answer }) => ({ id, question, answer })),
          ...defined(suite.settings),
          record: whole ? recordName(suite) : false,
        },
        { signal: abort.signal, progress: take },
      );
      take(result.answers);
      const [low, high] = result.accuracyInterval;
      const score =
        `${percent(result.accuracy)} right of ${result.n} (95 %: ` +
        `${percent(low)} to ${percent(high)}), ${tokens(result.meanTokens)}`;
      this.print(run, `${top.label}: ${score}`);
      vscode.setTexts(top, {
        description: `${percent(result.accuracy)} of ${result.n} · ${tokens(result.meanTokens)}`,
      });
      const recorded = runOfCheckpoint(checkpoint);
      if (result.unrecorded) this.print(run, `Not recorded in the run: ${result.unrecorded}`);
      if (result.recorded && recorded) this.services.runs.refresh(recorded);
    } catch (error) {
      for (const item of waiting.values()) run.skipped(item);
      if (abort.signal.aborted) return;
      if (!(error instanceof UserError)) throw error;
      this.fail(run, top, sentences(error));
    } finally {
      listener.dispose();
    }
  }

  private conclude(item: vscode.TestItem, answer: Evaluated, run: vscode.TestRun): void {
    const problem = this.problem(item);
    const verdict = verdictOf(problem, answer);
    const place = item.uri && item.range && new vscode.Location(item.uri, item.range);
    run.print(outputOf(problem, answer, verdict), item, place);
    vscode.setTexts(item, { description: verdict.description });
    if (verdict.passed) {
      run.passed(item);
      return;
    }
    const { message, expected, actual } = verdict;
    run.failed(item, new vscode.TestMessage(message, { expected, actual, location: place }));
  }

  private problem(item: vscode.TestItem) {
    const node = this.tree.nodeOf(item);
    if (node?.kind !== 'problem') throw new Error(`${item.id} is no problem`);
    return node.problem;
  }

  private print(run: vscode.TestRun, text: string): void {
    run.print(text);
  }

  private fail(run: vscode.TestRun, item: vscode.TestItem, text: string): void {
    this.print(run, text);
    run.errored(item, new vscode.TestMessage(text));
  }
}

function defined(settings: Suite['settings']): Suite['settings'] {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
