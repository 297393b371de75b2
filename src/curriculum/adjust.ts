import { resolve } from 'node:path';
import type { Experiment } from '../config/experiment';
import { isEmbeddable } from '../engine/engines';
import { UserError } from '../errors';
import type { TrainedStage } from '../stages';
import { type BaselineName, baselineNames } from '../stages';
import { baseFolder, loadStudentConfig } from '../student-files/folder';
import { headName, parameterShapes } from '../student-files/parameters';
import { holdsWeights, openWeights } from '../student-files/weights';

/** Changes that a user may make to an experiment for one run. */
export interface RunOptions {
  stage?: TrainedStage[];
  from?: string;
  limit?: number;
  seed?: number;
  backend?: Experiment['backend'];
}

/** The experiment with these changes. @throws UserError when the shapes of `from` differ from the student's */
export function adjust(experiment: Experiment, { stage, from, limit, seed, backend }: RunOptions): Experiment {
  const { stages, baselines, data } = experiment;
  if (from !== undefined) checkShape(resolve(from), experiment.student.path);
  const only = <T>(name: TrainedStage, settings: T): T | false => (stage && !stage.includes(name) ? false : settings);
  for (const name of stage ?? [])
    if (!stages[name])
      throw new UserError(`the stage ${name} is off in the experiment`, {
        code: 'config',
        remedy: `Remove "${name}": false from its stages.`,
      });
  const cut = <T extends { count?: number }>(source: T, rows: number): T => ({
    ...source,
    count: Math.min(source.count ?? rows, rows),
  });
  return {
    ...experiment,
    seed: seed ?? experiment.seed,
    backend: backend ?? experiment.backend,
    student: from !== undefined ? { ...experiment.student, path: resolve(from) } : experiment.student,
    stages: {
      reconstruct: only('reconstruct', stages.reconstruct),
      complete: only('complete', stages.complete),
      rewrite: only('rewrite', stages.rewrite),
    },
    baselines: stage ? withoutBaselines() : baselines,
    data:
      limit === undefined
        ? data
        : {
            ...data,
            train: cut(data.train, 2 * limit),
            test: cut(data.test, limit),
            validation: Math.min(data.validation, limit),
          },
  };
}

const withoutBaselines = () =>
  Object.fromEntries(baselineNames.map((name) => [name, false])) as Record<BaselineName, false>;

type Shapes = Map<string, readonly number[]>;

const shapesOfConfig = (path: string): Shapes => parameterShapes(loadStudentConfig(path));

/** For a family that only other engines know, the tensors themselves; for an adapter, those of its base. */
function shapesOfFiles(path: string): Shapes | null {
  const base = baseFolder(path);
  if (!holdsWeights(base)) return null;
  const weights = openWeights(base);
  weights.close();
  return new Map(Array.from(weights.tensors, ([name, { shape }]) => [name, shape]));
}

/**
 * A checkpoint must be a later state of the experiment's student; otherwise this would be another experiment under the
 * same name.
 */
function checkShape(checkpoint: string, student: string): void {
  const shapes = isEmbeddable(student) ? shapesOfConfig : shapesOfFiles;
  const [given, expected] = [shapes(checkpoint), shapes(student)];
  if (!given || !expected) return; // weights in another format, which only the engine reads
  for (const name of new Set([...expected.keys(), ...given.keys()])) {
    const [a, b] = [given.get(name), expected.get(name)];
    if (name === headName && !(a && b)) continue; // a tied weight may be absent
    if (a?.join() !== b?.join())
      throw new UserError(
        `the checkpoint has another shape than the student: ${name} is [${a ?? 'absent'}], not [${b ?? 'absent'}]`,
        {
          file: checkpoint,
          code: 'checkpoint',
          remedy: 'Use a checkpoint that was trained from the same student, or change student.path in the experiment.',
        },
      );
  }
}
