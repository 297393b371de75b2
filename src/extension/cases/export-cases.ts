import { markIn } from '../../cases/marked-step';
import { fenceAround } from '../../foreign-text';
import type { Decisions } from '../../runs/decisions';
import { writeOutput } from '../../writing';
import { trustedCommand } from '../commands/report';
import { acceptedRewrites, caseText, type FailureCase } from '../failures/cases';
import type { Services } from '../services';
import { offer } from '../shared/offers';
import { plural } from '../shared/words';
import * as vscode from '../vscode';

/** `distillery.exportCases`: writes the listed cases with people's decisions as JSON lines or Markdown. */
export function registerExport(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.exportCases', async (argument?: unknown) => {
    const { run, groups } = services.cases;
    const all = groups.flatMap(({ cases }) => cases);
    if (run === undefined || all.length === 0)
      return void vscode.window.showInformationMessage('There are no failure cases to export.');
    const file = typeof argument === 'string' ? argument : await chooseFile();
    if (file === undefined) return undefined;
    const decisions = services.runs.cache.decisions(run);
    writeOutput(file, file.endsWith('.md') ? casesMarkdown(all, decisions) : casesLines(all, decisions));
    const open = { title: 'Open File', run: () => vscode.window.showTextDocument(vscode.Uri.file(file)) };
    void offer(`${plural(all.length, 'case')} exported.`, open);
    return file;
  });
}

const chooseFile = () =>
  vscode.window.showSaveDialog({
    title: 'Export Failure Cases',
    saveLabel: 'Export',
    filters: { 'JSON Lines': ['jsonl'], Markdown: ['md'] },
  });

/** The decisions on a case, if there are any. */
function decided({ problemId, record }: FailureCase, { picked, rewrites, steps, notes, read }: Decisions) {
  return {
    picked: picked.has(problemId),
    read: read.has(problemId),
    note: notes.get(problemId),
    firstWrongStep: markIn(record.samples, steps.get(problemId)),
    rewrites: rewrites.get(problemId)?.map(({ text, verdict }) => ({ text, verdict })),
  };
}

const casesLines = (cases: readonly FailureCase[], decisions: Decisions): string =>
  cases.map((one) => `${JSON.stringify({ ...one.record, decisions: decided(one, decisions) })}\n`).join('');

/** For people: question, answers, teacher, decisions. Model output is in code fences that it cannot close. */
function casesMarkdown(cases: readonly FailureCase[], decisions: Decisions): string {
  return cases
    .map((one) => {
      const { problemId, record, sample } = one;
      const { question, answer, category, samples, teacherChain } = record;
      const note = decisions.notes.get(problemId);
      return [
        `## ${oneLine(problemId)}`,
        `${oneLine(category)}: ${oneLine(caseText(one))}`,
        ...(note === undefined ? [] : [`Note: ${oneLine(note)}`]),
        `Question (the answer is ${oneLine(answer)}):`,
        fenced(question),
        ...(samples[sample] ? ['Student:', fenced(samples[sample].text)] : []),
        ...(teacherChain === undefined ? [] : ['Teacher:', fenced(teacherChain)]),
        ...acceptedRewrites(problemId, decisions).flatMap(({ text }) => ['Accepted rewrite:', fenced(text)]),
      ].join('\n\n');
    })
    .join('\n\n')
    .concat('\n');
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

function fenced(text: string): string {
  const fence = fenceAround(text);
  return `${fence}text\n${text.trimEnd()}\n${fence}`;
}
