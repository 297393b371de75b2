import { expect, it } from 'vitest';
import { shortStudentTitle, startAt, startOf, startText, studentLabel, studentTitle, testedName } from './start';

const configOf = (path: unknown) => ({ experiment: { student: { path } } });
const start = { run: '20260205-140309-sums', checkpoint: 'complete-220' };

it('a run that begins at a checkpoint says which, by its config', () => {
  for (const path of [
    '/w/.distillery/runs/20260205-140309-sums/checkpoints/complete-220',
    '/w/.distillery/runs/20260205-140309-sums/checkpoints/complete-220/',
    'C:\\w\\.distillery\\runs\\20260205-140309-sums\\checkpoints\\complete-220',
  ])
    expect(startOf(configOf(path))).toEqual(start);
  for (const path of ['/w/student', '/w/checkpoints/best', '/w/run/checkpoints/checkpoint-500', '', 7, undefined])
    expect(startOf(configOf(path))).toBeUndefined();
  for (const config of [undefined, null, {}, { experiment: {} }, 'text']) expect(startOf(config)).toBeUndefined();
  expect(startAt('runs/a/checkpoints/sftConcise-40')).toEqual({ run: 'a', checkpoint: 'sftConcise-40' });
});

it('starts from the base student or a checkpoint, with the same words everywhere', () => {
  const words = (begun: typeof start | undefined) => [
    studentTitle('base', begun),
    studentLabel('base', begun),
    shortStudentTitle('base', begun),
    startText(begun),
    testedName('base', begun),
  ];
  expect(words(undefined)).toEqual(['Base student', 'Base student', 'Base', 'the base student', 'base']);
  expect(words(start)).toEqual([
    'Start: 20260205-140309-sums complete-220',
    'Start: complete-220',
    'Start: complete-220',
    'checkpoint complete-220 of 20260205-140309-sums',
    'complete-220',
  ]);
  expect([
    studentTitle('complete', start),
    shortStudentTitle('complete', start),
    testedName('rewrite-3', start),
  ]).toEqual(['Stage 2 (Complete)', 'Stage 2', 'rewrite-3']);
});
