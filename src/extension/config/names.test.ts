import { describe, expect, it } from 'vitest';
import type { ConfigKind } from './kinds';
import { keyOffset, namedPaths, namePlace } from './names';

/** The place at the bar in a text, with what a completion replaces. */
function at(kind: ConfigKind, marked: string) {
  const offset = marked.indexOf('|');
  const text = marked.replace('|', '');
  const place = namePlace(kind, text, offset);
  return place && { ...place, replaced: text.slice(place.start, place.end) };
}

const reward = (gate: string) =>
  `{ "components": [{ "use": "correctness" }, { "use": "format", "name": "form" }, { "use": "brevity", "gate": ${gate} }] }`;

describe('gates', () => {
  it.each([
    ['|', '', ['correctness', 'form']],
    ['"co|"', '"co"', ['correctness', 'form']],
    ['["correctness", "|"]', '""', ['form']],
    ['["corr|", "form"]', '"corr"', ['correctness']],
    ['[|]', '', ['correctness', 'form']],
  ])('%s', (gate, replaced, components) => {
    expect(at('reward', reward(gate))).toMatchObject({ kind: 'gate', replaced, components });
  });

  it('are offered in a reward inside an experiment too', () => {
    const text = `{ "quick": { "stages": { "complete": { "reward": ${reward('"|"')} } } } }`;
    expect(at('experiment', text)).toMatchObject({ kind: 'gate', components: ['correctness', 'form'] });
  });
});

it.each([
  ['{ "student": { "path": "|" } }', 'student'],
  ['{ "data": { "train": { "format": "chains", "path": "a|b" } } }', 'dataset'],
  ['{ "quick": { "data": { "test": { "path": | } } } }', 'dataset'],
  ['{ "stages": { "rewrite": { "reward": "|" } } }', 'reward'],
  ['{ "stages": { "rewrite": { "reward": "x"| } } }', 'reward'],
  ['{ "stages": { "rewrite": { "rew|ard": "x" } } }', undefined],
  ['{ "stages": { "rewrite": { "reward": tr|ue } } }', undefined],
  ['{ "stages": { "complete": { "loss": "|" } } }', undefined],
  ['{ "name": "|" }', undefined],
])('%s names a %s', (text, kind) => {
  expect(at('experiment', text)?.kind).toBe(kind);
});

it('finds the paths of an experiment, but not presets', () => {
  const text = `{ // of ours
    "student": { "path": "student" },
    "data": { "train": { "format": "gsm8k", "path": "../train.jsonl" }, "test": { "format": "arithmetic" } },
    "stages": { "complete": { "reward": "short.reward.json" }, "rewrite": { "reward": "bridge-stage3" } }
  }`;
  const found = namedPaths('experiment', text);
  expect(found.map(({ kind, value }) => [kind, value])).toEqual([
    ['student', 'student'],
    ['dataset', '../train.jsonl'],
    ['reward', 'short.reward.json'],
  ]);
  for (const { value, start, end } of found) expect(text.slice(start, end)).toBe(value);
  expect(text.slice(keyOffset(text, ['stages', 'complete']))).toMatch(/^"complete": /);
  expect(keyOffset(text, ['stages', 'reconstruct'])).toBeUndefined();
});

it('finds the modules of a reward, and no other component', () => {
  const text = '{ "components": [{ "use": "kimi" }, { "use": "./a.mjs" }] }';
  expect(namedPaths('reward', text).map(({ kind, value }) => [kind, value])).toEqual([['module', './a.mjs']]);
  expect(at('reward', text.replace('kimi', '|'))).toMatchObject({ kind: 'module', replaced: '""' });
});

it('reads incomplete text', () => {
  expect(namedPaths('experiment', '{ "student": { "path": "stud')).toHaveLength(1);
  expect(namedPaths('experiment', '')).toEqual([]);
  expect(namedPaths('experiment', '{ "student": { "path": "a" }, "data": {')).toHaveLength(1);
});
