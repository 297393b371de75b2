import { rewriteStatus } from '../../cases/rewrites';
import { readSettings } from '../chain-diff/run-settings';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { Markdown, paragraphs } from '../vscode/markdown';
import type { RunCache } from '../workspace/run-cache';
import { teacherStepAt } from './case-decorations';
import type { CaseDocuments, OpenCase } from './case-documents';
import { caseScheme } from './reference';
import { tokenAt, tokenLines } from './token-facts';

/** Hovers in a case: the facts of a token, the reward with its weighted parts, the teacher's whole step. */
export function registerHovers({ runs }: Services, documents: CaseDocuments): vscode.Disposable {
  return vscode.languages.registerHoverProvider(
    { scheme: caseScheme },
    {
      provideHover(document, position) {
        const open = documents.at(document.uri)?.value;
        if (!open || document.getText() !== open.layout.text) return undefined;
        const offset = document.offsetAt(position);
        const token = tokenHover(open, offset);
        if (token) {
          const { start, end, content } = token;
          return new vscode.Hover(content, new vscode.Range(document.positionAt(start), document.positionAt(end)));
        }
        const content = teacherHover(open, offset) ?? rewardHover(runs.cache, open, offset);
        return content && new vscode.Hover(content);
      },
    },
  );
}

function tokenHover({ case: { shown }, layout: { student } }: OpenCase, offset: number) {
  if (!shown?.rollout || !student || offset < student.start || offset >= student.end) return undefined;
  const facts = tokenAt(shown.rollout, offset - student.start);
  if (!facts) return undefined;
  const lines = [`token ${facts.index + 1} of ${shown.tokens}, id ${facts.id}`, ...tokenLines(facts, shown.rollout)];
  const content = Markdown.code([JSON.stringify(facts.text), ...lines].join('\n'), 'text');
  return { content, start: student.start + facts.start, end: student.start + facts.end };
}

function teacherHover({ case: shown, layout: { student } }: OpenCase, offset: number) {
  const { fault } = shown;
  if (!fault || !student || offset < student.start + fault.start || offset > student.start + fault.end)
    return undefined;
  const step = teacherStepAt(shown);
  if (!step) return undefined;
  return paragraphs('The teacher at this step:', Markdown.code(step, 'reasoning-chain'));
}

/** On a heading: the reward of the text below it. */
function rewardHover(cache: RunCache, { case: shown, layout }: OpenCase, offset: number) {
  const { student, rewrites } = layout;
  const isHeading = (section: { heading: number; start: number } | undefined) =>
    section !== undefined && offset >= section.heading && offset < section.start;
  const { run } = shown.reference;
  const rollout = isHeading(student) ? shown.shown?.rollout : undefined;
  if (rollout) {
    const { stage, reward, parts, advantage } = rollout;
    return rewardText(
      reward,
      parts,
      readSettings(run, cache.config(run).value).parts(stage),
      advantage === null ? 'advantage not recorded' : `advantage ${advantage.toFixed(3)}`,
    );
  }
  const found = rewrites.find(({ section }) => isHeading(section))?.rewrite;
  return found?.reward === undefined
    ? undefined
    : rewardText(
        found.reward,
        found.parts ?? {},
        readSettings(run, cache.config(run).value).parts('rewrite'),
        rewriteStatus(found),
      );
}

function rewardText(
  reward: number | null,
  parts: Record<string, number | null>,
  settings: ReadonlyMap<string, { weight: number }>,
  note: string,
): Markdown {
  const head = `reward ${reward === null ? 'none: no component applied' : reward.toFixed(3)}, ${note}`;
  const rows = Object.entries(parts).map(([name, part]) => {
    const weight = settings.get(name)?.weight;
    const value = part === null ? 'does not apply' : part.toFixed(3).padStart(7);
    const how =
      part === null || weight === undefined || weight === 0 ? '' : ` = ${weight} × ${(part / weight).toFixed(3)}`;
    return `${name.padEnd(16)} ${value}${how}`;
  });
  return paragraphs(head, rows.length > 0 ? Markdown.code(rows.join('\n'), 'text') : undefined);
}
