/** The moments at which a run answered a problem, in training order. */
import type { Moment } from '../../protocol/chain-diff';
import { stageNames, stageTitles } from '../../stages';
import { type Start, studentLabel, testedName } from '../../start';
import type { RecordFile } from './problem-index';

export interface TimedSource {
  moment: Moment;
  source: RecordFile;
}

/**
 * Rewrites are not a moment: they have a column of their own. `start` is the checkpoint that the run began with;
 * `imported` marks records from elsewhere.
 */
export function momentsOf(sources: readonly RecordFile[], start?: Start, imported = false): TimedSource[] {
  return sources
    .flatMap((source) => timed(source, start, imported) ?? [])
    .sort((a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1])
    .map(({ moment, source }) => ({ moment, source }));
}

/** By stage, then update; failures and tests of a stage's student come after its updates. */
function timed(
  source: RecordFile,
  start: Start | undefined,
  imported: boolean,
): (TimedSource & { order: [number, number] }) | null {
  const made = (moment: Omit<Moment, 'kind'>, kind: Moment['kind'], order: [number, number]) => ({
    moment: { ...moment, kind },
    source,
    order,
  });
  if (source.kind === 'rollouts') {
    const { stage, step } = source;
    const moment = { key: momentKey(stage, step), stage: stageTitles[stage], label: `update ${step}` };
    return made(moment, 'rollouts', [stageNames.indexOf(stage), step]);
  }
  if (source.kind === 'failures') {
    // The failure search uses the student that Stage 3 begins with.
    const moment = {
      key: 'failures',
      stage: imported ? 'Imported' : 'Before Stage 3',
      label: imported ? 'recorded answers' : 'failures',
    };
    return made(moment, 'failures', [stageNames.indexOf('complete'), Number.MAX_VALUE]);
  }
  if (source.kind === 'rewrites') return null;
  const stage = stageNames.findIndex((name) => source.name === name || source.name.startsWith(`${name}-`));
  const moment = {
    key: `evaluations/${source.name}`,
    stage: stage < 0 ? 'Evaluation' : studentLabel(stageNames[stage], start),
    label: `test of ${testedName(source.name, start)}`,
  };
  return made(moment, 'evaluation', [stage < 0 ? stageNames.length : stage, Number.MAX_SAFE_INTEGER]);
}

export const momentKey = (stage: string, step: number) => `rollouts/${stage}/${step}`;
