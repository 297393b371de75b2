/** The main settings of a run in words. */
import type { DataSource, Experiment, GrpoSettings, SftSettings } from '../config/experiment';
import type { RecordedExperiment } from '../runs/experiment';
import { baselineNames, stageTitles } from '../stages';
import { percent, plural } from '../words';

/** Names and values in their order; `place` shows a path. */
export function settingsRows(
  { experiment, backend }: RecordedExperiment,
  place: (path: string) => string,
): [name: string, value: string][] {
  const { student, data, stages, baselines, evaluation, seed } = experiment;
  const { reconstruct, complete, rewrite } = stages;
  const rows: [string, string | false][] = [
    ['student', place(student.path) + trainedText(student.lora)],
    ['train', `${sourceText(data.train, place)}, ${data.validation} of them for validation`],
    ['test', sourceText(data.test, place) + (evaluation.count ? `, the first ${evaluation.count}` : '')],
    ...baselineNames.map((name): [string, string | false] => {
      const settings = baselines[name];
      return [stageTitles[name], settings && baselineText(settings)];
    }),
    [
      'Stage 1',
      reconstruct &&
        `${supervisedText(reconstruct)}, ${reconstruct.maskSteps} masked with p ` +
          `${reconstruct.maskProbability}, plain question ${percent(reconstruct.mixPlain, 0)}`,
    ],
    [
      'Stage 2',
      complete &&
        `${grpoText(complete)}, masks ` +
          `${complete.maskSchedule === 'bridge' ? 'as BRIDGE' : runLengths(complete.maskSchedule)}`,
    ],
    [
      'Stage 3',
      rewrite &&
        `${grpoText(rewrite)}; internalise ` +
          `${supervisedText(rewrite.internalise)}, own ` +
          `${percent(rewrite.internalise.replayOwn, 0)}`,
    ],
    [
      'answers',
      `${evaluation.temperature === 0 ? 'greedy' : `sampled at ${evaluation.temperature}`}, ` +
        `at most ${evaluation.maxNewTokens} tokens`,
    ],
    ['seed', String(seed)],
    ['backend', backend ?? experiment.backend],
  ];
  return rows.flatMap(([name, text]): [string, string][] => (text === false ? [] : [[name, text]]));
}

function sourceText(source: DataSource, place: (path: string) => string): string {
  if (source.format === 'arithmetic') {
    const { count, chains = count, operations, seed } = source;
    const some = chains < count ? `, ${chains} of them with a teacher chain` : '';
    return `${count} arithmetic stories of ${operations.join(' to ')} operations, seed ${seed}${some}`;
  }
  const rows = source.count === undefined ? 'all rows' : plural(source.count, 'row');
  return `${place(source.path)} (${source.format}), ${rows}${source.start > 0 ? ` from ${source.start} on` : ''}`;
}

const baselineText = (settings: SftSettings | Exclude<Experiment['baselines']['grpo'], false>) =>
  'batch' in settings
    ? supervisedText(settings)
    : `${plural(settings.updates, 'update')} as in Stage 2, lr ${rate(settings.learningRate)}, ` +
      'without masks and replay';

const supervisedText = ({ updates, batch, accumulation, learningRate }: SftSettings) =>
  `${plural(updates, 'update')} of ${batch * accumulation}, lr ${rate(learningRate)}`;

const grpoText = ({ updates, prompts, group, learningRate, loss, beta, reward, replay }: GrpoSettings) =>
  `${plural(updates, 'update')} of ${prompts} × ${group}, lr ${rate(learningRate)}, ${loss}, beta ` +
  `${beta}, reward ${reward.name ?? 'unnamed'}, replay ${replay.own} + ${replay.teacher}`;

const rate = (value: number) => value.toExponential();

/** 0.5, 0.75, 8 × 1 */
function runLengths(values: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last?.[0] === value) last[1]++;
    else runs.push([value, 1]);
  }
  return runs.map(([value, n]) => (n > 1 ? `${n} × ${value}` : String(value))).join(', ');
}

/** Runs of versions without adapters lack the setting. */
const trainedText = (lora: Experiment['student']['lora'] | undefined) =>
  lora ? `, by an adapter of rank ${lora.rank} on ${lora.targets.join(', ')}` : '';
