/** A run as one self-contained page of HTML, for people without Distillery in their editor. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { UserError } from '../errors';
import type { Damage } from '../lines';
import { type Cell, type ResultsTable, resultsTable } from '../results-table';
import { readExperiment } from '../runs/experiment';
import { configFile } from '../runs/layout';
import { type Run, readMetrics, readStart, readSummary, stateOf } from '../runs/reading';
import type { StageRow } from '../runs/records';
import type { Start } from '../start';
import { casesOf, casesPart } from './cases';
import { comparisonText, oneSeedNote, unchangedText } from './comparison';
import { curvesPart } from './curves';
import { type Html, html, markup } from './html';
import { settingsRows } from './settings';
import { style } from './style';

export interface ReportSettings {
  /** Number of cases; the named ones come first. */
  count?: number;
  /** Problems by id. */
  cases?: readonly string[];
  version: string;
}

/** The beginning of our reports. */
export const reportHead = '<!doctype html>\n<!-- A report of Distillery';

/** Unreadable records are listed in the page. @throws UserError for a case that the run does not have */
export function reportOf(run: Run, { count = 10, cases = [], version }: ReportSettings): string {
  const { record, folder } = run;
  const start = readStart(folder);
  const unread = new Set<UserError>();
  const damage = (problem: UserError) => void unread.add(problem);
  const rows = readSummary(folder, damage);
  const results = resultsPart(folder, rows, start, damage);
  const settings = settingsPart(folder, damage);
  const curves = curvesPart(readMetrics(folder, damage));
  const shownCases = casesPart(casesOf(folder, { count, named: cases, damage }));
  const time = (iso: string) => `${iso.replace('T', ' ').slice(0, 16)} UTC`;
  const page = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${record.name}: report of a run</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>${record.name}</h1>
<p class="dim">${record.id} · ${stateOf(run)}${record.reason ? `: ${record.reason}` : ''} · started ${time(record.created)}, last update ${time(record.updated)}</p>
</header>
${results}
${settings}
${curves}
${shownCases}
${unreadPart(folder, [...unread])}
<footer class="dim">Made by Distillery ${version}. Everything is in this file: it loads nothing and runs nothing.</footer>
</main>
</body>
</html>
`;
  return `${reportHead} ${version} -->\n${markup(page)}`;
}

function unreadPart(folder: string, unread: readonly UserError[]): Html {
  if (unread.length === 0) return html``;
  const items = unread.slice(0, 20).map(({ file, line, message }) => {
    const place = [file && relative(folder, file), line].filter((part) => part !== undefined).join(':');
    return html`<li>${place}: ${message}</li>`;
  });
  const more = unread.length > items.length ? html`<li>and ${String(unread.length - items.length)} more</li>` : html``;
  return html`<section><h2>What could not be read</h2><ul>${items}${more}</ul></section>`;
}

/** Paths are shown by their last two names: the page is for others, too. */
const lastNames = (path: string) => path.split(/[\\/]/).slice(-2).join('/');

function settingsPart(folder: string, damage: Damage): Html | null {
  try {
    const recorded = existsSync(configFile(folder)) ? readExperiment(folder) : undefined;
    if (!recorded) return null;
    const rows = settingsRows(recorded, lastNames).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`);
    return html`<section><h2>Settings</h2>\n<dl>${rows}</dl></section>`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    damage(error);
    return null;
  }
}

function resultsPart(folder: string, students: readonly StageRow[], start: Start | undefined, damage: Damage): Html {
  if (students.length === 0) return html`<section><h2>Results</h2><p>No student has been tested.</p></section>`;
  const compared = comparisonText(folder, students, damage);
  const unchanged = unchangedText(folder, students, damage);
  const { headings, rows } = resultsTable(students, { start });
  return html`<section>
<h2>Results</h2>
<div class="wide"><table>
<thead><tr>${['Student', ...headings].map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
<tbody>
${rows.map(resultRow)}
</tbody>
</table></div>
${unchanged ? html`<p>${unchanged}</p>` : null}
${compared ? html`<p>${compared} <span class="dim">${oneSeedNote}</span></p>` : null}
</section>`;
}

function resultRow({ title, strongest, cells }: ResultsTable['rows'][number]): Html {
  const shown = ({ text, better }: Cell) =>
    better === undefined ? text : html`<span class="${better ? 'good' : 'bad'}">${text}</span>`;
  const head = html`<th scope="row">${title}${strongest ? ' (strongest baseline)' : ''}</th>`;
  const data = cells.map((cell) => html`<td>${shown(cell)}</td>`);
  return html`<tr${strongest ? html` class="strongest"` : null}>${head}${data}</tr>
`;
}
