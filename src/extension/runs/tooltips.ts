/** Tooltips of the Runs tree. */
import { statOf } from '../../paths';
import { columns } from '../../results';
import { headingOf, resultsTable } from '../../results-table';
import { metricsFile } from '../../runs/layout';
import { type RunListing, stateOf } from '../../runs/reading';
import type { StageRow } from '../../runs/records';
import { type Start, studentTitle } from '../../start';
import { progressParts, type RunProgress } from '../shared/progress';
import { plural, stateTitles } from '../shared/words';
import { type Markdown, md, paragraphs, table } from '../vscode/markdown';
import type { RunCache } from '../workspace/run-cache';
import type { RunsNode } from './nodes';

/** undefined: the tree shows everything already */
export function tooltipOf(node: RunsNode, cache: RunCache, progress?: RunProgress): Markdown | undefined {
  switch (node.kind) {
    case 'experiment':
      return md`${node.experiment ?? node.runs}`;
    case 'run':
      return runTooltip(cache.find(node.run), cache, progress);
    case 'stage': {
      const row = cache.summary(node.run).value?.find(({ stage }) => stage === node.stage);
      return row && stageTooltip(row, cache.start(node.run));
    }
    case 'checkpoint':
      return md`${node.checkpoint}`;
    case 'failures':
      return md`Problems that the student keeps getting wrong. Click to read them by category.`;
    case 'problem':
      return md`${node.problem.toString()}`;
    case 'evaluation':
    case 'hint':
    case 'more':
      return undefined;
  }
}

function runTooltip(listing: RunListing, cache: RunCache, progress?: RunProgress): Markdown {
  if ('problem' in listing) return paragraphs(md`**${listing.id}** cannot be read`, listing.problem.toString());
  const { record } = listing.run;
  const time = (iso: string) => new Date(iso).toLocaleString();
  const summary = cache.summary(listing.folder);
  const failures = cache.failureCount(listing.folder);
  return paragraphs(
    md`**${record.name}** ${stateTitles[stateOf(listing.run)]}`,
    record.reason,
    cache.about(listing.folder).note,
    progress && progressParts(progress).join(', '),
    summary.problem ? summary.problem.toString() : summaryTable(summary.value, cache.start(listing.folder)),
    failures > 0 ? plural(failures, 'failure case') : undefined,
    `Started ${time(record.created)}, last update ${time(lastWritten(listing.folder, record.updated))}`,
    listing.folder,
  );
}

/** run.json is written less often than the metrics. */
function lastWritten(run: string, updated: string): string {
  const metrics = statOf(metricsFile(run));
  return metrics && metrics.mtimeMs > Date.parse(updated) ? metrics.mtime.toISOString() : updated;
}

function summaryTable(rows: readonly StageRow[], start: Start | undefined): Markdown {
  if (rows.length === 0) return md`No student has been tested yet.`;
  const results = resultsTable(rows, { start, differences: false });
  const body = results.rows.map(({ title, cells }) => [title, ...cells.map(({ text }) => text)]);
  return table(['Student', ...results.headings], body);
}

function stageTooltip(row: StageRow, start: Start | undefined): Markdown {
  const facts = columns.map((column) => [headingOf(column, [row]), column.text(row)]);
  const shown = [...facts, ['Checkpoint', row.checkpoint ?? '']].filter(([, text]) => text !== '');
  return table([studentTitle(row.stage, start), ''], shown);
}
