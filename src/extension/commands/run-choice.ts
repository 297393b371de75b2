import { type RunListing, stateOf } from '../../runs/reading';
import { resultParts, runTitle } from '../runs/items';
import { ago, stateTitles } from '../shared/words';
import type * as vscode from '../vscode';
import type { RunCache } from '../workspace/run-cache';

/** A run in a list: name and results come before the time when it began. */
export function runChoice(listing: RunListing, cache: RunCache): vscode.QuickPickItem {
  if ('problem' in listing) return { label: listing.id, description: listing.problem.message };
  const { record } = listing.run;
  const { tags = [], starred } = cache.about(listing.folder);
  const parts = [
    ...resultParts(cache.summary(listing.folder).value ?? []),
    stateTitles[stateOf(listing.run)],
    ago(record.updated, Date.now()),
    ...tags.map((tag) => `#${tag}`),
  ];
  return {
    label: `${starred ? '★ ' : ''}${record.name}, ${runTitle(listing, cache)}`,
    description: parts.join(' · '),
    detail: listing.id,
  };
}
