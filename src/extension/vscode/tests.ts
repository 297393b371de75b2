/** The Testing view. VS Code renders icons in the labels of tests, and prints their output to a terminal. */
import * as editor from 'vscode';
import { inertLine, visible } from '../../foreign-text';
import { safely } from './faults';
import type { TestMessage } from './objects';
import type { Sealed } from './set-texts';

export type TestItem = Sealed<editor.TestItem, 'label' | 'description' | 'error'>;
export type TestRunProfile = Sealed<editor.TestRunProfile, 'label'>;

export interface TestRun extends Pick<editor.TestRun, 'enqueued' | 'started' | 'skipped' | 'passed' | 'end'> {
  failed(item: TestItem, message: TestMessage): void;
  errored(item: TestItem, message: TestMessage): void;
  /** Prints lines of text, for one test or for the run. */
  print(text: string, item?: TestItem, location?: editor.Location): void;
}

export class TestController implements editor.Disposable {
  private readonly controller: editor.TestController;

  constructor(id: string, label: string) {
    this.controller = editor.tests.createTestController(id, inertLine(label));
  }

  get items(): editor.TestItemCollection {
    return this.controller.items;
  }

  createTestItem(id: string, label: string, uri?: editor.Uri): TestItem {
    return this.controller.createTestItem(id, inertLine(label), uri);
  }

  /** Finds the children of an item (of the root without an item), and refreshes everything. */
  onWanted(resolve: (item?: TestItem) => void | Promise<void>, refresh: () => Promise<void>): void {
    this.controller.resolveHandler = safely(resolve);
    this.controller.refreshHandler = safely(refresh);
  }

  createRunProfile(
    label: string,
    run: (request: editor.TestRunRequest, cancelled: editor.CancellationToken) => Promise<void>,
  ): TestRunProfile {
    return this.controller.createRunProfile(inertLine(label), editor.TestRunProfileKind.Run, safely(run), true);
  }

  createTestRun(request: editor.TestRunRequest): TestRun {
    const run = this.controller.createTestRun(request);
    return {
      enqueued: (item) => run.enqueued(item),
      started: (item) => run.started(item),
      skipped: (item) => run.skipped(item),
      passed: (item) => run.passed(item),
      failed: (item, message) => run.failed(item, message),
      errored: (item, message) => run.errored(item, message),
      print: (text, item, location) => run.appendOutput(`${visible(text)}\n`.replaceAll('\n', '\r\n'), location, item),
      end: () => run.end(),
    };
  }

  dispose(): void {
    this.controller.dispose();
  }
}
