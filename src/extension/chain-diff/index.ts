import type { ToChainPage } from '../../protocol/chain-diff';
import {
  type ChainSubject,
  chainSubjectSchema,
  type FromChainPage,
  fromChainPageSchema,
} from '../../protocol/chain-diff-requests';
import { pickRun } from '../commands/pick';
import { command } from '../commands/report';
import type { Services } from '../services';
import { WebviewPages } from '../shared/webview-page';
import * as vscode from '../vscode';
import { type AskedFor, askedFor } from './argument';
import { CaseReader } from './case-reader';
import { ChainDocuments } from './documents';
import { ChainDiff, chainsTitle } from './driver';

/** Teacher, student and rewritten chain of one problem side by side: `distillery.compareChains`. One page per run. */
export function registerChainDiff(services: Services): vscode.Disposable {
  const documents = new ChainDocuments();
  const choose = ({ run }: AskedFor) => complete(services, { run });
  const pages = new WebviewPages<ChainSubject, ToChainPage, FromChainPage>(
    services,
    {
      name: 'chain-diff',
      subject: chainSubjectSchema,
      toExtension: fromChainPageSchema,
      keyOf: ({ run }) => run,
      titleOf: chainsTitle,
    },
    (page) => new ChainDiff(services, page, documents, choose),
  );
  return vscode.Disposable.from(
    documents,
    pages,
    command(services, 'distillery.compareChains', async (argument: unknown) => {
      const subject = await complete(services, askedFor(argument));
      if (subject) pages.open(subject);
    }),
  );
}

/** Asks for the run and the problem unless they are given. Undefined when a question is dismissed. */
async function complete(services: Services, asked: AskedFor): Promise<ChainSubject | undefined> {
  const title = 'Compare Chains';
  const run = await pickRun(services, asked, {
    title,
    none: {
      message: 'there are no runs in this workspace yet',
      remedy: 'Run a curriculum first, or import recorded failures.',
    },
  });
  if (run === undefined) return undefined;
  const problemId = asked.problemId ?? (await pickProblem(services, run, title));
  return problemId === undefined ? undefined : { ...asked, run, problemId };
}

/** Failures with their questions first, then all other sampled or tested problems. */
async function pickProblem(services: Services, run: string, title: string): Promise<string | undefined> {
  const reader = new CaseReader(run, '');
  await reader.refresh();
  const failures = new Map((services.runs.cache.failures(run).value ?? []).map((one) => [one.problemId, one]));
  const items = reader.problems().map((id) => {
    const failure = failures.get(id);
    return { label: id, ...(failure && { description: failure.category, detail: failure.question }) };
  });
  const placeHolder = `Problem: ${items.length} of the run, failures first`;
  const picked = await vscode.window.showQuickPick(items, {
    title,
    placeHolder,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.label;
}
