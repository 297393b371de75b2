import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { settingsRows } from '../../report/settings';
import { readExperiment } from '../../runs/experiment';
import { configFile, runsFolderName } from '../../runs/layout';
import {
  evaluationNames,
  type Run,
  readConfig,
  readFailures,
  readMetrics,
  readRewrites,
  readStart,
  readSummary,
  rolloutSteps,
} from '../../runs/reading';
import type { MetricsRecord } from '../../runs/records';
import { writeOutput } from '../../writing';
import { commandLine, locateRun, quoted, shortPath, stateOf } from '../inputs/places';
import { checkTarget } from '../inputs/target';
import { printDocument } from '../terminal/exit';
import { clip, columns, percent, plural } from '../terminal/format';
import { inOneLine, pc, stdout } from '../terminal/terminal';
import { curvesText, phasesOf } from '../text/curves';
import { Damaged } from '../text/damaged';
import { runPicture } from '../text/picture';
import { resultsText } from '../text/summary';

export function addShowCommand(program: Command): void {
  program
    .command('show')
    .description('one run: its results, settings, curves, failures, and files')
    .argument('<run>', 'a run folder, a run name or a unique part of it, or `latest`')
    .option('--runs <folder>', `folder to search for runs (default: ${runsFolderName} here, below or above)`)
    .option('--picture <file>', 'write results and curves as an SVG instead')
    .option('--json', 'the same as one JSON object')
    .addHelpText(
      'after',
      `\nExamples:\n  distillery show latest\n  distillery show latest --json | jq '.summary[-1].accuracy'`,
    )
    .action((name: string, options: { runs?: string; json?: boolean; picture?: string }) => {
      const run = locateRun(name, options.runs);
      if (options.picture) {
        const { folder, record } = run;
        const damaged = new Damaged();
        const file = checkTarget(options.picture, (head) => head.startsWith('<svg'));
        const picture = runPicture({
          name: record.name,
          rows: readSummary(folder, damaged.tell),
          metrics: readMetrics(folder, damaged.tell),
          start: readStart(folder),
        });
        writeOutput(file, picture);
        if (options.json) printDocument({ file, unreadable: damaged.list() });
        else stdout.write(`${[options.picture, damaged.text()].filter(Boolean).join('\n')}\n`);
        return;
      }
      const story = runFacts(run);
      if (options.json) printDocument(asJson(story));
      else stdout.write(`${asText(story)}\n`);
    });
}

/** Failures shown with their first wrong step. */
const exampleCount = 3;

type RunFacts = ReturnType<typeof runFacts>;

/** Everything that is shown of a run. */
function runFacts(run: Run) {
  const { folder } = run;
  const damaged = new Damaged();
  const failures = readFailures(folder, damaged.tell);
  const categories = new Map<string, number>();
  for (const { category } of failures) categories.set(category, (categories.get(category) ?? 0) + 1);
  const rewrites = readRewrites(folder, damaged.tell);
  const summary = readSummary(folder, damaged.tell);
  const config = existsSync(configFile(folder)) ? damaged.or(null, () => readConfig(folder)) : null;
  return {
    run,
    state: stateOf(run),
    config,
    experiment: config === null ? undefined : damaged.or(undefined, () => readExperiment(folder)),
    start: readStart(folder),
    summary,
    results: summary.length > 0 ? resultsText(folder, damaged.tell) : 'No student has been tested yet.',
    phases: phasesOf(readMetrics(folder, damaged.tell)),
    failures: {
      count: failures.length,
      categories: Object.fromEntries([...categories].sort((a, b) => b[1] - a[1])),
      firstWrongSteps: failures
        .flatMap(({ problemId, firstWrongStep }) => (firstWrongStep ? [{ problemId, ...firstWrongStep }] : []))
        .slice(0, exampleCount),
    },
    rewrites: { count: rewrites.length, accepted: rewrites.filter(({ accepted }) => accepted).length },
    rollouts: rolloutSteps(folder).length,
    evaluations: evaluationNames(folder),
    damaged,
  };
}

function asJson({ run, phases, damaged, results: _, experiment: __, ...rest }: RunFacts): object {
  const last = ({ seq: _, ...metrics }: MetricsRecord) => metrics;
  return {
    id: run.record.id,
    folder: run.folder,
    record: run.record,
    ...rest,
    unreadable: damaged.list(),
    phases: phases.map(({ stage, phase, records }) => ({
      stage,
      phase,
      updates: records.length,
      first: last(records[0]),
      last: last(records[records.length - 1]),
    })),
  };
}

function asText(story: RunFacts): string {
  const { run, state, experiment, results, phases, failures, damaged } = story;
  const { record, folder } = run;
  const time = (iso: string) => iso.replace('T', ' ').slice(0, 16);
  const sections = [
    `${pc.bold(inOneLine(record.id))}  ${state}${record.reason ? `: ${inOneLine(record.reason)}` : ''}\n` +
      pc.dim(`started ${time(record.created)}, last update ${time(record.updated)} (UTC)`),
    results,
  ];
  if (experiment) sections.push(section('Settings', columns(settingsRows(experiment, shortPath), 2).join('\n')));
  if (phases.length > 0) sections.push(section('Curves', curvesText(phases)));
  if (failures.count > 0) sections.push(section(`Failures (${failures.count})`, failuresText(story)));
  sections.push(section('Files', filesText(story)));
  if (damaged.text()) sections.push(damaged.text());
  const go = commandLine(`resume ${quoted(shortPath(folder))}`);
  if (state === 'running') sections.push(`A process (${record.host.pid}) is working on it.`);
  else if (state !== 'finished') sections.push(`Resume with:\n  ${go}`);
  return sections.join('\n\n');
}

const section = (title: string, body: string) => `${pc.bold(title)}\n${body.replace(/^/gm, '  ')}`;

function failuresText({ failures: { count, categories, firstWrongSteps }, rewrites }: RunFacts): string {
  const longest = Math.max(...Object.values(categories));
  const rows = Object.entries(categories).map(([category, n]) => [
    inOneLine(category),
    pc.yellow('█'.repeat(Math.max(1, Math.round((24 * n) / longest)))),
    String(n),
    percent(n / count, 0),
  ]);
  const widths = [0, 1].map((i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map(([category, bar, n, share]) =>
    [category.padEnd(widths[0]), bar.padEnd(widths[1]), n.padStart(5), share.padStart(5)].join('  '),
  );
  const summary =
    rewrites.count > 0
      ? [
          `${plural(rewrites.count, 'rewrite')} sampled, ` +
            `${rewrites.accepted} accepted: right, and shorter than the ` +
            'teacher',
        ]
      : [];
  const examples = firstWrongSteps.flatMap(({ problemId, step, text, reason }) => [
    inOneLine(`${problemId}, step ${step + 1}: ${reason}`),
    pc.dim(`  ${clip(text.replace(/\s+/g, ' '), 110)}`),
  ]);
  return [...lines, ...summary, ...examples].join('\n');
}

function filesText({ run, summary, rollouts, evaluations, phases, failures }: RunFacts): string {
  const { folder, record } = run;
  const updates = phases.reduce((sum, { records }) => sum + records.length, 0);
  const chosen = new Map(summary.flatMap(({ stage, checkpoint }) => (checkpoint ? [[checkpoint, stage]] : [])));
  const notes = record.checkpoints.map(({ name }) => (chosen.has(name) ? `${name} (tested)` : name));
  const rows = [
    ['config.json', 'every setting with its default, versions, hashes of the data'],
    ['metrics.jsonl', plural(updates, 'update')],
    ...(rollouts > 0 ? [['rollouts/<stage>/<step>.jsonl', `every completion of ${plural(rollouts, 'update')}`]] : []),
    ...(failures.count > 0 ? [['failures.jsonl', plural(failures.count, 'problem')]] : []),
    ...(evaluations.length > 0 ? [['evaluations/', evaluations.map((name) => `${name}.jsonl`).join(', ')]] : []),
    ...(notes.length > 0 ? [['checkpoints/', `${notes.join(', ')}: Hugging Face folders`]] : []),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [shortPath(folder), ...rows.map(([name, text]) => `${name.padEnd(width)}  ${pc.dim(text)}`)].join('\n');
}
