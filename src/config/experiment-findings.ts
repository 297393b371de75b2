/** Checks across the settings of an experiment, which a schema cannot express. */
import { losses } from '../losses';
import type { FindModule } from './code-module';
import { engineFindings } from './engine-findings';
import type { ParsedExperiment } from './experiment';
import { error, type Finding, warning } from './issue';
import { rewardFindings } from './reward-findings';

/** `find` finds the modules of rewards that are written in the experiment. */
export function experimentFindings(experiment: ParsedExperiment, find?: FindModule): Finding[] {
  return [
    ...dataFindings(experiment),
    ...promptFindings(experiment),
    ...samplingFindings(experiment, 'complete', find),
    ...samplingFindings(experiment, 'rewrite', find),
    ...scheduleFindings(experiment),
    ...rewriteFindings(experiment),
    ...baselineFindings(experiment),
    ...engineFindings(experiment),
  ];
}

function dataFindings({ data }: ParsedExperiment): Finding[] {
  const { train, test, validation } = data;
  const found: Finding[] = [];
  if (train.count !== undefined && validation >= train.count) {
    const fewer = Math.max(1, Math.floor(train.count / 10));
    const path = ['data', 'validation'];
    found.push(
      error(
        path,
        `${validation} validation rows leave none of the ${train.count} training rows.`,
        `Hold out fewer than ${train.count}.`,
        ...(train.count > 1 ? [{ title: `Hold out ${fewer} rows`, path, value: fewer }] : []),
      ),
    );
  }
  for (const name of ['train', 'test'] as const) {
    const source = data[name];
    if (source.format !== 'arithmetic' || source.operations[0] <= source.operations[1]) continue;
    const path = ['data', name, 'operations'];
    const value = source.operations.toReversed();
    const change = { title: `Change to ${JSON.stringify(value)}`, path, value };
    found.push(error(path, 'The minimum of operations exceeds the maximum.', 'Write [fewest, most].', change));
  }
  if (overlap(train, test))
    found.push(
      warning(
        ['data', 'test'],
        'Rows of test are also rows of train, so the test would overestimate the student.',
        'Use another file, a split of their own for both, or a start and count that do not overlap.',
      ),
    );
  return found;
}

function promptFindings({ student }: ParsedExperiment): Finding[] {
  if (student.system === undefined || student.prompt !== 'plain') return [];
  return [
    warning(
      ['student', 'system'],
      'Plain prompts have no system message, so this one is ignored.',
      'Remove it, or set "prompt" to "chat".',
    ),
  ];
}

/** Checks of stages that sample and reward completions. */
function samplingFindings({ stages }: ParsedExperiment, name: 'complete' | 'rewrite', find?: FindModule): Finding[] {
  const stage = stages[name];
  if (!stage) return [];
  const at = (key: string) => ['stages', name, key];
  const found = typeof stage.reward === 'object' ? rewardFindings(stage.reward, { base: at('reward'), find }) : [];
  const completions = stage.prompts * stage.group;
  if (stage.minibatches > completions)
    found.push(
      error(
        at('minibatches'),
        `${stage.minibatches} minibatches for ${completions} completions.`,
        `At most prompts * group = ${completions}.`,
      ),
    );
  const severalSteps = stage.iterations * stage.minibatches > 1;
  const advice = losses[stage.loss].advice?.({ ...stage, severalSteps });
  if (advice) {
    const { setting, text, remedy, value } = advice;
    const written = typeof value === 'number' && value < 1e-3 ? value.toExponential() : JSON.stringify(value);
    const title = `Set "${setting}" to ${written}`;
    found.push(warning(at(setting), text, remedy, { title, path: at(setting), value }));
  }
  return found;
}

function scheduleFindings({ stages }: ParsedExperiment): Finding[] {
  const schedule = stages.complete ? stages.complete.maskSchedule : 'bridge';
  if (schedule === 'bridge' || schedule.at(-1) === 1) return [];
  const path = ['stages', 'complete', 'maskSchedule'];
  return [
    warning(
      path,
      'The schedule does not end at 1, the plain question, but the test shows no steps.',
      'End it with 1.',
      { title: 'End at 1', path, value: [...schedule, 1] },
    ),
  ];
}

function rewriteFindings({ stages }: ParsedExperiment): Finding[] {
  if (!stages.rewrite) return [];
  const found: Finding[] = [];
  const { samples, greedy, maxCorrect } = stages.rewrite.failures;
  const tries = samples + (greedy ? 1 : 0);
  const path = ['stages', 'rewrite', 'failures', 'maxCorrect'];
  if (maxCorrect >= tries)
    found.push(
      error(
        path,
        `With ${tries} answers to each problem, at most ${maxCorrect} right ones make every problem a failure.`,
        tries > 0 ? `From 0 to ${tries - 1}.` : 'Sample at least one answer.',
        ...(tries > 0 ? [{ title: `Set "maxCorrect" to ${tries - 1}`, path, value: tries - 1 }] : []),
      ),
    );
  const { replayOwn, replayTeacher } = stages.rewrite.internalise;
  if (replayOwn + replayTeacher >= 1)
    found.push(
      error(
        ['stages', 'rewrite', 'internalise', 'replayOwn'],
        'replayOwn and replayTeacher together leave no room for the rewrites.',
        'Keep their sum below 1.',
      ),
    );
  return found;
}

function baselineFindings({ stages, baselines }: ParsedExperiment): Finding[] {
  const found = (['rft', 'grpo'] as const)
    .filter((name) => baselines[name] && !stages.complete)
    .map((name) =>
      error(
        ['baselines', name],
        `baselines.${name} samples as Stage 2 does, and stages.complete is off.`,
        'Remove the baseline, or turn the stage on.',
        { title: 'Turn it off', path: ['baselines', name], value: false },
        { title: 'Turn complete on', path: ['stages', 'complete'], value: {} },
      ),
    );
  if (!stages.reconstruct && !stages.complete && !stages.rewrite)
    found.push(warning(['stages'], 'All three stages are off.', 'Turn one on to train the student.'));
  return found;
}

type TrainSource = ParsedExperiment['data']['train'];

/**
 * Whether two sources share rows of one file. Generated train and test data differ for all seeds. A split that only one
 * of them names does not keep them apart: a file without parts has the same rows for every split.
 */
function overlap(train: TrainSource, test: TrainSource): boolean {
  const end = (source: TrainSource) => source.start + (source.count ?? Number.POSITIVE_INFINITY);
  const same = train.format !== 'arithmetic' && test.format !== 'arithmetic' && train.path === test.path;
  if (same && train.split && test.split && train.split !== test.split) return false;
  return same && train.start < end(test) && test.start < end(train);
}
