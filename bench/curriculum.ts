/**
 * The built-in experiment over several seeds, with controls: npm run bench:curriculum -- --seeds 3 [--controls 1] [--quick]
 * `--controls n`: the first n seeds also with one thing taken out of the curriculum at a time.
 * Prints, and writes to bench/results/curriculum.md, what each stage reaches on the test problems: mean over seeds, their spread, and
 * the paired difference from the base student and from plain SFT over all test answers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { percent } from '../src/cli/format';
import type { Experiment } from '../src/config/experiment';
import { loadExperiment } from '../src/config/load';
import type { RunConfig } from '../src/curriculum/run-config';
import { startRun } from '../src/curriculum/session';
import { packageRoot } from '../src/paths';
import { listRuns, readConfig, readEvaluation, readSummary } from '../src/runs/reading';
import { type StageName, stageTitles } from '../src/stages';
import { deviation, mean, pairedInterval } from '../src/statistics';

const { values } = parseArgs({
  options: {
    experiment: { type: 'string', default: 'examples/arithmetic/arithmetic.distillery.json' },
    seeds: { type: 'string', default: '3' },
    controls: { type: 'string', default: '0' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: 'bench/results/curriculum.md' },
    runs: { type: 'string', default: '.distillery/bench' },
  },
});

/** The control experiments: one thing taken out of the curriculum, all else equal. Plain SFT is not trained again for them. */
const controls: Record<string, (stages: Experiment['stages']) => Experiment['stages']> = {
  'no-reconstruct': (stages) => ({ ...stages, reconstruct: false }),
  'no-masks': (stages) => ({ ...stages, complete: stages.complete && { ...stages.complete, maskSchedule: [1] } }),
  'replay-only': (stages) => ({ ...stages, complete: stages.complete && { ...stages.complete, policyWeight: 0 } }),
  'no-rewrites': (stages) => ({
    ...stages,
    rewrite: stages.rewrite && { ...stages.rewrite, internalise: { ...stages.rewrite.internalise, rewrites: 0 } },
  }),
};

interface Outcome {
  accuracy: number;
  meanTokens: number;
  seconds: number;
  /** By problem. */
  right: number[];
  tokens: number[];
}

type Outcomes = Map<StageName, Outcome>;

const runsFolder = join(packageRoot(), values.runs);

/** The finished run of just this experiment, if an earlier call of this bench has made it: an hour's work can go on where it ended. Delete the folder of `--runs` to train anew. */
function finishedRun(experiment: Experiment): string | undefined {
  return listRuns(runsFolder).find(
    (listing) =>
      'run' in listing &&
      listing.run.record.state === 'finished' &&
      isDeepStrictEqual((readConfig(listing.folder) as RunConfig).experiment, JSON.parse(JSON.stringify(experiment))),
  )?.folder;
}

async function train(experiment: Experiment, label: string): Promise<string> {
  const started = performance.now();
  const { folder } = await startRun(experiment, runsFolder, {
    signal: new AbortController().signal,
    notify: (event) => {
      if (event.type === 'result') {
        const { stage, accuracy, meanTokens } = event.row;
        console.log(
          `  ${label} ${stage}: ${(100 * accuracy).toFixed(1)} %, ${meanTokens.toFixed(1)} tokens (${minutes(started)} min)`,
        );
      }
    },
  });
  return folder;
}

async function outcomes(experiment: Experiment, label: string): Promise<Outcomes> {
  const folder = finishedRun(experiment) ?? (await train(experiment, label));
  return new Map(
    readSummary(folder).map(({ stage, accuracy, meanTokens, wallSeconds, checkpoint }) => {
      const answers = readEvaluation(folder, checkpoint ?? stage);
      const outcome = {
        accuracy,
        meanTokens,
        seconds: wallSeconds,
        right: answers.map(({ correct }) => Number(correct)),
        tokens: answers.map(({ tokens }) => tokens),
      };
      return [stage, outcome];
    }),
  );
}

/** Of the times: one seed's may hold another program's work. */
function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return mean(sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1));
}

const minutes = (since: number) => ((performance.now() - since) / 60_000).toFixed(1);
const signed = (value: number) => `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(1)}`;

/** A table row: mean and spread over the runs of one stage. */
function row(title: string, runs: Outcome[], base: Outcome[], sft: Outcome[]): string {
  const accuracy = runs.map((run) => run.accuracy);
  const tokens = runs.map((run) => run.meanTokens);
  const against = (others: Outcome[]) => {
    if (others.length !== runs.length || others === runs) return ['', ''];
    const [low, high] = pairedInterval(
      runs.map(({ right }, run) => right.map((value, i) => value - others[run].right[i])),
    );
    const points = 100 * (mean(accuracy) - mean(others.map((other) => other.accuracy)));
    const saved = 100 * (mean(tokens) / mean(others.map((other) => other.meanTokens)) - 1);
    return [`${signed(points)} (${signed(100 * low)} .. ${signed(100 * high)})`, `${signed(saved)} %`];
  };
  const cells = [
    title,
    `${percent(mean(accuracy))} ± ${(100 * deviation(accuracy)).toFixed(1)}`,
    `${mean(tokens).toFixed(1)} ± ${deviation(tokens).toFixed(1)}`,
    ...against(base),
    ...against(sft),
    `${Math.round(median(runs.map(({ seconds }) => seconds)))} s`,
  ];
  return `| ${cells.join(' | ')} |`;
}

async function main(): Promise<void> {
  const { experiment } = loadExperiment(values.experiment, { quick: values.quick });
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => experiment.seed + i);
  const runs: Outcomes[] = [];
  for (const seed of seeds) runs.push(await outcomes({ ...experiment, seed }, `seed ${seed}`));
  const of = (stage: StageName, from = runs) => from.flatMap((run) => run.get(stage) ?? []);
  const lastOf = (some: Outcomes[]) =>
    (['rewrite', 'complete'] as const).map((stage) => of(stage, some)).find(({ length }) => length > 0)!;
  const [base, sft] = [of('base'), of('sft')];
  const n = base[0].right.length;
  const lines = [
    `Built-in experiment, ${seeds.length} seed${seeds.length > 1 ? 's' : ''} (${seeds.join(', ')}), ${n} test problems each, ${cpus()[0].model}, ${cpus().length} cores.`,
    'Mean ± standard deviation over seeds; in brackets 95 % paired bootstrap intervals over all test answers. Time (median) is training with its validation checks, a stage by itself.',
    '',
    '| student | accuracy | tokens | points vs base | tokens vs base | points vs SFT | tokens vs SFT | time |',
    '|---|---|---|---|---|---|---|---|',
    ...(Object.keys(stageTitles) as StageName[])
      .filter((stage) => of(stage).length > 0)
      .map((stage) => row(stageTitles[stage], of(stage), base, sft)),
  ];
  const controlSeeds = seeds.slice(0, Number(values.controls));
  if (controlSeeds.length > 0) {
    const [compared, comparedSft] = [base, sft].map((all) => all.slice(0, controlSeeds.length));
    lines.push(
      '',
      `Controls: the curriculum with one thing taken out (seed ${controlSeeds.join(', ')}).`,
      '',
      lines[3],
      lines[4],
      row('the whole curriculum', lastOf(runs.slice(0, controlSeeds.length)), compared, comparedSft),
    );
    for (const [name, change] of Object.entries(controls)) {
      const controlled: Outcomes[] = [];
      for (const seed of controlSeeds) {
        const variant = {
          ...experiment,
          name: `${experiment.name}-${name}`,
          seed,
          stages: change(experiment.stages),
          baselines: { ...experiment.baselines, sft: false as const, sftConcise: false as const },
        };
        controlled.push(await outcomes(variant, `${name}, seed ${seed},`));
      }
      lines.push(row(name, lastOf(controlled), compared, comparedSft));
    }
  }
  const text = `${lines.join('\n')}\n`;
  console.log(`\n${text}`);
  const out = join(packageRoot(), values.out);
  mkdirSync(join(out, '..'), { recursive: true });
  writeFileSync(out, text);
}

main();
