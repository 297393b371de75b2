import { parse } from 'jsonc-parser';
import { expect, it } from 'vitest';
import { changedSetting, withSettings } from './set';

const change = (text: string, ...settings: string[]) =>
  withSettings(
    text,
    settings.map((one) => changedSetting(one)!),
  );

it('a setting is a path and JSON or a text', () => {
  expect(changedSetting('seed=3')).toEqual({ path: ['seed'], value: 3 });
  expect(changedSetting('stages.rewrite=false')).toEqual({ path: ['stages', 'rewrite'], value: false });
  expect(changedSetting('name=a=b')).toEqual({ path: ['name'], value: 'a=b' });
  expect(changedSetting('stages.complete.maskSchedule.0=0.5')).toMatchObject({
    path: ['stages', 'complete', 'maskSchedule', 0],
  });
  for (const text of ['seed', '=3', 'seed=', 'a..b=1']) expect(changedSetting(text), text).toBeUndefined();
});

it('changes and adds settings of a text with comments', () => {
  const text = '{ // mine\n  "seed": 1, "stages": { "complete": { "updates": 5 } } }';
  const changed = change(text, 'seed=2', 'stages.complete.updates=7', 'stages.complete.loss=dapo', 'name=x');
  expect(changed).toContain('// mine');
  expect(parse(changed)).toEqual({ seed: 2, stages: { complete: { updates: 7, loss: 'dapo' } }, name: 'x' });
});

it('replaces quick settings, too, where they are used', () => {
  const text = '{ "seed": 1, "quick": { "seed": 5 } }';
  expect(parse(withSettings(text, [changedSetting('seed=2')!], true))).toEqual({ seed: 2, quick: { seed: 2 } });
  expect(parse(change(text, 'seed=2'))).toEqual({ seed: 2, quick: { seed: 5 } });
});

it('says which setting cannot be reached', () => {
  expect(() => change('{ "stages": { "rewrite": false } }', 'stages.rewrite.updates=2')).toThrow(
    '--set cannot change stages.rewrite.updates',
  );
});
