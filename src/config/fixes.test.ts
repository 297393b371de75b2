import { describe, expect, it } from 'vitest';
import { checkExperiment, checkReward } from './check';
import type { Issue } from './issue';

const mend = (text: string, { fixes: [fix] }: Issue) =>
  text.slice(0, fix.offset) + fix.text + text.slice(fix.offset + fix.length);

const reward = (...components: string[]) =>
  `{\n  // what counts\n  "components": [\n    ${[...components, '{ "use": "grounded" }'].join(',\n    ')} // the last\n  ]\n}\n`;

describe('fixes of a reward', () => {
  it.each([
    [
      'all weights are 0',
      reward('{ "use": "correctness", "weight": 0 }').replace('"grounded"', '"grounded", "weight": 0'),
      '"weight": 1',
    ],
    [
      'nothing pays for a right answer',
      reward('{ "use": "format" }'),
      '{ "use": "correctness" },\n    { "use": "format"',
    ],
    [
      'brevity without correctness',
      reward('{ "use": "correctness" }', '{ "use": "brevity", "gate": [] }'),
      '"gate": "correctness" }',
    ],
    [
      'a gate kept beside correctness',
      reward('{ "use": "correctness" }', '{ "use": "format" }', '{ "use": "brevity", "gate": "format" }'),
      '"gate": [ "correctness", "format" ]',
    ],
    [
      'a gate that is misspelt',
      reward(
        '{ "use": "correctness" }',
        '{ "use": "format" }',
        '{ "use": "brevity", "gate": ["correctness", "formt"] }',
      ),
      '["correctness", "format"]',
    ],
    [
      'a gate on a component that is not there',
      reward('{ "use": "correctness" }', '{ "use": "brevity", "gate": ["correctness", "stepValidity"] }'),
      '{ "use": "stepValidity" }',
    ],
    [
      'one name for two',
      reward('{ "use": "correctness" }', '{ "use": "correctness", "weight": 2 }'),
      '"weight": 2, "name": "correctness2" }',
    ],
    ['an unknown setting', reward('{ "use": "correctness", "wieght": 2 }'), '"weight": 2'],
    [
      'a setting that is missing',
      reward('{ "use": "correctness" }', '{ "use": "softOverlong", "options": {} }'),
      '"options": { "maxTokens": 384 }',
    ],
    ['no tag', reward('{ }'), '{ "use": "correctness" }'],
  ])('mend %s in place', (_name, text, expected) => {
    const [issue] = checkReward(text).issues;
    const mended = mend(text, issue);
    expect(mended).toContain(expected);
    expect(mended).toContain('// the last');
    expect(checkReward(mended).issues.map(({ message }) => message)).not.toContain(issue.message);
  });

  it('adds a line if each setting has its own line', () => {
    const text =
      '{\n\t"components": [\n\t\t{\n\t\t\t"use": "correctness"\n\t\t},\n\t\t{\n\t\t\t"use": "correctness"\n\t\t},\n\t\t{ "use": "grounded" }\n\t]\n}';
    expect(mend(text, checkReward(text).issues[0])).toContain(
      '\n\t\t\t"use": "correctness",\n\t\t\t"name": "correctness2"\n',
    );
  });
});

describe('fixes of an experiment', () => {
  const experiment = (stages: string, quick = '') =>
    `{ "name": "x", "student": { "path": "s" }, "data": { "validation": 10,
      "train": { "format": "arithmetic", "seed": 1, "count": 100 }, "test": { "format": "arithmetic", "seed": 2, "count": 9 } },
      "stages": { ${stages} }${quick} }`;

  it.each([
    ['"complete": { "scale": "group" }', '"scale": "none"'],
    ['"complete": { "maskSchedule": [0.5] }', '"maskSchedule": [ 0.5, 1 ]'],
    ['"rewrite": { "failures": { "samples": 2, "greedy": false, "maxCorrect": 3 } }', '"maxCorrect": 1'],
    ['"complete": { "loss": "gspo", "minibatches": 2 }', '"clipHigh": 0.0004'],
    ['"complete": { "loss": "cispo", "iterations": 2 }', '"clipHigh": 4'],
  ])('mend { %s }', (stages, expected) => {
    const text = experiment(stages);
    const [issue] = checkExperiment(text).issues;
    const mended = mend(text, issue);
    expect(mended).toContain(expected);
    expect(checkExperiment(mended).issues).toEqual([]);
  });

  it('mend the quick settings where these are at fault', () => {
    const text = experiment('', ', "quick": { "stages": { "complete": { "maskSchedule": [0.5] } } }');
    const mended = mend(text, checkExperiment(text).issues[0]);
    expect(mended).toContain('"quick": { "stages": { "complete": { "maskSchedule": [ 0.5, 1 ] } } }');
    expect(checkExperiment(mended).issues).toEqual([]);
  });
});

describe('what the JSON schema says too', () => {
  it.each([
    ['{ "components": [{ "use": "correctness", "wieght": 2 }] }', true],
    ['{ "components": [{ "use": "softOverlong", "options": {} }] }', true],
    ['{ "components": [{ "use": "softOverlong" }] }', false], // options may be omitted, and then maxTokens is missing
    ['{ "components": [{ "use": "correctness", "weight": 1, "weight": 2 }, { "use": "grounded" }] }', true],
    ['{ "components": [', true],
    ['{ "components": [{ "use": "format" }] }', false],
  ])('%s', (text, inSchema) => {
    expect(checkReward(text).issues[0].inSchema).toBe(inSchema);
  });
});
