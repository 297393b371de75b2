/** Settings that the chosen engine lacks. What only the tests of a server show is checked before a run. */
import type { ParsedExperiment } from './experiment';
import { error, type Finding, type Path } from './issue';
import { trainingGroups } from './training-groups';

const rounding = 'Only the embedded engine rounds weights for sampling; this one samples in its own dtype.';
const server = 'A Tinker server has no such setting.';
const scoring = 'A Tinker server reports and trains log-probs at temperature 1.';

export function engineFindings(experiment: ParsedExperiment): Finding[] {
  const { backend, student } = experiment;
  if (backend !== 'torch' && backend !== 'tinker') return [];
  const found = trainingGroups(experiment).flatMap(({ path, settings: { dropout = 0, sampling } }) => [
    ...unless(sampling?.precision ?? 'float32', 'float32', [...path, 'sampling', 'precision'], rounding),
    ...(backend === 'tinker'
      ? [
          ...unless(dropout, 0, [...path, 'dropout'], server),
          ...unless(sampling?.temperature ?? 1, 1, [...path, 'sampling', 'temperature'], scoring),
          ...unless(sampling?.minP ?? 0, 0, [...path, 'sampling', 'minP'], server),
        ]
      : []),
  ]);
  if (backend === 'tinker' && student.lora === false) {
    const path = ['student', 'lora'];
    const change = { title: 'Train an adapter', path, value: {} };
    found.push(error(path, 'A Tinker server trains adapters only.', 'Set "lora": {} in student.', change));
  }
  return found;
}

function unless<T extends string | number>(value: T, only: T, path: Path, message: string): Finding[] {
  if (value === only) return [];
  const title = `Set "${path.at(-1)}" to ${JSON.stringify(only)}`;
  return [error(path, message, `${title}.`, { title, path, value: only })];
}
