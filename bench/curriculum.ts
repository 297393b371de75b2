/**
 * The curriculum and all baselines over several seeds and base students:
 *   npm run bench:curriculum -- --seeds 3 [--students a,b,c] [--baselines sft,sftConcise,rft,grpo] [--controls 1]
 *   [--quick] [--json file]
 * `--students`: folders of base students to use instead of the experiment's own; `pretraining.json` in such a folder,
 * as in `{"concise": 0.15, "seed": 2}`, describes its pretraining. `--controls n`: also runs the first n seeds without
 * one part of the curriculum at a time. Prints a table for each base student and, for several, the gain on each, and
 * writes them to bench/results/curriculum.md. Ctrl-C stops after a checkpoint; the same command resumes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Experiment } from '../src/config/experiment';
import { loadExperiment, resolveExperiment } from '../src/config/load';
import { Stopped } from '../src/curriculum/context';
import { packageRoot } from '../src/paths';
import { type BaselineName, baselineNames } from '../src/stages';
import { type Outcomes, outcomesOf, pretrainingOf } from './curriculum-runs';
import { averaged, controlTable, gainTable, intervalNote, resultOf, studentTable } from './curriculum-tables';

const { values } = parseArgs({
  options: {
    experiment: { type: 'string', default: 'examples/arithmetic/arithmetic.distillery.json' },
    seeds: { type: 'string', default: '3' },
    students: { type: 'string' },
    baselines: { type: 'string', default: baselineNames.join() },
    controls: { type: 'string', default: '0' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: 'bench/results/curriculum.md' },
    json: { type: 'string' },
    runs: { type: 'string', default: '.distillery/bench' },
  },
});

/**
 * Control experiments: each leaves out one part of the curriculum. Baselines are not trained again for them.
 */
const controls: Record<string, (stages: Experiment['stages']) => Experiment['stages']> = {
  'no-reconstruct': (stages) => ({ ...stages, reconstruct: false }),
  'no-masks': (stages) => ({ ...stages, complete: stages.complete && { ...stages.complete, maskSchedule: [1] } }),
  'replay-only': (stages) => ({ ...stages, complete: stages.complete && { ...stages.complete, policyWeight: 0 } }),
  'no-rewrites': (stages) => ({
    ...stages,
    rewrite: stages.rewrite && { ...stages.rewrite, internalise: { ...stages.rewrite.internalise, rewrites: 0 } },
  }),
};

const place = (path: string) => resolve(packageRoot(), path);
const stop = new AbortController();
process.on('SIGINT', () => (stop.signal.aborted ? process.exit(130) : stop.abort()));

const outcomes = (experiment: Experiment, label: string) =>
  outcomesOf(experiment, place(values.runs), label, stop.signal);

/** The experiment with this base student, and with the requested baselines unless it configures them itself. */
function experimentOf(experiment: Experiment, student: string): Experiment {
  const asked = values.baselines.split(',').filter(Boolean);
  const baselines = Object.fromEntries(
    baselineNames.map((name) => {
      const possible = asked.includes(name) && (experiment.stages.complete || !needsStage2.includes(name));
      return [name, possible && (experiment.baselines[name] || {})];
    }),
  );
  return resolveExperiment({ ...experiment, student: { ...experiment.student, path: student }, baselines }, '.');
}
const needsStage2: BaselineName[] = ['rft', 'grpo'];

async function runsOf(experiment: Experiment, seeds: readonly number[], label: string): Promise<Outcomes[]> {
  const runs: Outcomes[] = [];
  for (const seed of seeds) runs.push(await outcomes({ ...experiment, seed }, `${label}, seed ${seed},`));
  return runs;
}

/** Compares the controls' last stages with the same base student and the same plain SFT. */
async function controlsText(experiment: Experiment, runs: readonly Outcomes[], seeds: readonly number[]) {
  const none = Object.fromEntries(baselineNames.map((name) => [name, false])) as Record<BaselineName, false>;
  const controlled: [string, readonly Outcomes[]][] = [['the whole curriculum', runs]];
  for (const [name, change] of Object.entries(controls)) {
    const variant = { ...experiment, name: `${experiment.name}-${name}`, stages: change(experiment.stages) };
    controlled.push([name, await runsOf({ ...variant, baselines: none }, seeds, name)]);
  }
  const title = `Controls: the curriculum without one part (seed ${seeds.join(', ')})`;
  return `${title}.\n\n${controlTable(controlled, runs)}`;
}

async function main(): Promise<void> {
  const { experiment } = loadExperiment(place(values.experiment), { quick: values.quick });
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => experiment.seed + i);
  const students = values.students?.split(',').map((path) => resolve(path)) ?? [experiment.student.path];
  const sections: string[] = [];
  const results = [];
  const means: Outcomes[] = [];
  for (const student of students) {
    const name = basename(student);
    const made = experimentOf(experiment, student);
    const runs = await runsOf(made, seeds, name);
    const result = resultOf(name, pretrainingOf(student), runs);
    results.push(result);
    means.push(averaged(runs));
    const controlSeeds = seeds.slice(0, Number(values.controls));
    sections.push(
      `Base student ${name}, ${seeds.length} seed${seeds.length > 1 ? 's' : ''} ` +
        `(${seeds.join(', ')}), ${runs[0].get('base')?.right.length} test problems each.`,
      studentTable(result),
      intervalNote(seeds.length, 'seed'),
      ...(controlSeeds.length > 0 ? [await controlsText(made, runs.slice(0, controlSeeds.length), controlSeeds)] : []),
    );
  }
  const overall = students.length > 1 ? resultOf('all', {}, means) : undefined;
  if (overall)
    sections.push(
      `All ${students.length} base students, each with the mean of its seeds.`,
      studentTable(overall),
      intervalNote(students.length, 'base student'),
      `What the curriculum gains, against the share of concise text that a base student has read.`,
      gainTable(results),
    );
  const machine = `${cpus()[0].model}, ${cpus().length} cores`;
  const head = `Experiment ${experiment.name} on ${machine}. Time (median) is training with its validation checks.`;
  const text = `${[head, ...sections].join('\n\n')}\n`;
  console.log(`\n${text}`);
  write(place(values.out), text);
  const data = { experiment: experiment.name, machine, seeds, students: results, overall };
  if (values.json) write(resolve(values.json), `${JSON.stringify(data, null, 2)}\n`);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

main().catch((error) => {
  if (!(error instanceof Stopped || error?.name === 'AbortError')) throw error;
  console.log('Stopped; run the same command again to continue.');
  process.exitCode = 130;
});
