/** What the schema of an experiment cannot say: settings that do not fit together. */
import type { ParsedExperiment } from './experiment';
import type { Change, Finding, Path } from './issue';
import { rewardFindings } from './reward-findings';

export function experimentFindings(experiment: ParsedExperiment): Finding[] {
  const found: Finding[] = [];
  const add = (severity: Finding['severity'], path: Path, message: string, remedy: string, ...changes: Change[]) =>
    found.push({ severity, path, message, remedy, changes });
  const { student, data, stages, baselines } = experiment;
  const { train, test, validation } = data;

  if (train.count !== undefined && validation >= train.count)
    add(
      'error',
      ['data', 'validation'],
      `${validation} validation rows leave none of the ${train.count} training rows.`,
      `Hold out fewer than ${train.count}.`,
      ...(train.count > 1
        ? [
            {
              title: `Hold out ${Math.max(1, Math.floor(train.count / 10))} rows`,
              path: ['data', 'validation'],
              value: Math.max(1, Math.floor(train.count / 10)),
            },
          ]
        : []),
    );
  for (const name of ['train', 'test'] as const) {
    const source = data[name];
    if (source.format === 'arithmetic' && source.operations[0] > source.operations[1])
      add(
        'error',
        ['data', name, 'operations'],
        'The fewest operations are more than the most.',
        'Write [fewest, most].',
        {
          title: `Change to ${JSON.stringify(source.operations.toReversed())}`,
          path: ['data', name, 'operations'],
          value: source.operations.toReversed(),
        },
      );
  }
  if (overlap(train, test))
    add(
      'warning',
      ['data', 'test'],
      'Rows of test are also rows of train: the test would flatter the student.',
      'Use another file, or start and count so that they do not meet.',
    );

  if (student.system !== undefined && student.prompt === 'plain')
    add(
      'warning',
      ['student', 'system'],
      'Plain prompts have no system message: this one is not used.',
      'Take it out, or set "prompt" to "chat".',
    );
  for (const name of ['complete', 'rewrite'] as const) {
    const stage = stages[name];
    if (!stage) continue;
    if (typeof stage.reward === 'object') found.push(...rewardFindings(stage.reward, ['stages', name, 'reward']));
    const completions = stage.prompts * stage.group;
    if (stage.minibatches > completions)
      add(
        'error',
        ['stages', name, 'minibatches'],
        `${stage.minibatches} minibatches for ${completions} completions.`,
        `At most prompts * group = ${completions}.`,
      );
    const severalSteps = stage.iterations * stage.minibatches > 1;
    if (stage.loss === 'gspo' && severalSteps && stage.clipHigh > 0.05)
      add(
        'warning',
        ['stages', name, 'clipHigh'],
        'gspo has one ratio for a whole completion: this range never clips.',
        'Its paper uses clipLow 3e-4 and clipHigh 4e-4.',
        { title: 'Set "clipHigh" to 4e-4', path: ['stages', name, 'clipHigh'], value: 4e-4 },
      );
    if (stage.loss === 'cispo' && severalSteps && stage.clipHigh < 1)
      add(
        'warning',
        ['stages', name, 'clipHigh'],
        `cispo bounds a weight, not a step: at most ${1 + stage.clipHigh} holds back what should be learned most.`,
        'Use 4, which is epsilon_high 5 of TRL.',
        { title: 'Set "clipHigh" to 4', path: ['stages', name, 'clipHigh'], value: 4 },
      );
    if (stage.scale !== 'none' && stage.loss === 'dr_grpo')
      add(
        'warning',
        ['stages', name, 'scale'],
        'dr_grpo is meant without scaling: a standard deviation brings the difficulty bias back.',
        'Use "none".',
        { title: 'Set "scale" to "none"', path: ['stages', name, 'scale'], value: 'none' },
      );
  }
  const schedule = stages.complete ? stages.complete.maskSchedule : 'bridge';
  if (schedule !== 'bridge' && schedule[schedule.length - 1] !== 1)
    add(
      'warning',
      ['stages', 'complete', 'maskSchedule'],
      'The schedule does not end at 1, the plain question, but the test shows no steps.',
      'Let the last number be 1.',
      { title: 'End at 1', path: ['stages', 'complete', 'maskSchedule'], value: [...schedule, 1] },
    );
  if (stages.rewrite) {
    const { samples, greedy, maxCorrect } = stages.rewrite.failures;
    const tries = samples + (greedy ? 1 : 0);
    if (maxCorrect >= tries)
      add(
        'error',
        ['stages', 'rewrite', 'failures', 'maxCorrect'],
        `With ${tries} answers to each problem, at most ${maxCorrect} right ones make every problem a failure.`,
        tries > 0 ? `From 0 to ${tries - 1}.` : 'Sample at least one answer.',
        ...(tries > 0
          ? [
              {
                title: `Set "maxCorrect" to ${tries - 1}`,
                path: ['stages', 'rewrite', 'failures', 'maxCorrect'],
                value: tries - 1,
              },
            ]
          : []),
      );
    const { replayOwn, replayTeacher } = stages.rewrite.internalise;
    if (replayOwn + replayTeacher >= 1)
      add(
        'error',
        ['stages', 'rewrite', 'internalise', 'replayOwn'],
        'replayOwn and replayTeacher together leave no room for the rewrites.',
        'Keep their sum below 1.',
      );
  }

  for (const name of ['rft', 'grpo'] as const) {
    if (baselines[name] && !stages.complete)
      add(
        'error',
        ['baselines', name],
        `baselines.${name} samples as Stage 2 does, and stages.complete is off.`,
        'Leave the baseline out, or switch the stage on.',
        { title: 'Leave it out', path: ['baselines', name], value: false },
        { title: 'Switch complete on', path: ['stages', 'complete'], value: {} },
      );
  }
  if (!stages.reconstruct && !stages.complete && !stages.rewrite)
    add('warning', ['stages'], 'All three stages are off.', 'Switch one on to train the student.');
  return found;
}

type Source = ParsedExperiment['data']['train'];

/** Rows of one file in both. The generator keeps train and test apart by itself, whatever the seeds. */
function overlap(train: Source, test: Source): boolean {
  const end = (source: Source) => source.start + (source.count ?? Number.POSITIVE_INFINITY);
  const same = train.format !== 'arithmetic' && test.format !== 'arithmetic' && train.path === test.path;
  return same && train.start < end(test) && test.start < end(train);
}
