import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { growsWith } from '../testing/cpu-time';
import { checkReward } from './check';
import { declaredTraits, modulesIn } from './code-module';

const rewardIssues = (...components: object[]) =>
  checkReward(JSON.stringify({ components: [...components, { use: 'grounded', gate: [] }] })).issues;

describe('the settings of a reward', () => {
  it('checks components, their options and missing parts', () => {
    const issues = rewardIssues(
      { use: 'corectness' },
      { use: 'brevity', options: { under: -1, bonus: 2 } },
      { use: 'softOverlong' },
      { weight: 2 },
      3 as never,
    );
    expect(issues.map(({ message, remedy }) => [message, remedy])).toEqual([
      [
        expect.stringMatching(
          /^components\[0\]\.use must be one of "correctness", "grounded", .*, not "corectness"\.$/,
        ),
        'Did you mean "correctness"?',
      ],
      ['components[1].options.under must be a number of 0 or more, not -1.', undefined],
      ['Unknown setting "bonus" in components[1].options.', 'Known here: under, over, floor, stepBonus, maxSteps.'],
      [
        'Missing setting "maxTokens" in components[2].options.',
        expect.stringContaining('Add "maxTokens": Longest completion'),
      ],
      ['Missing setting "use" in components[3].', expect.stringContaining('Add "use": one of "correctness"')],
      ['components[4] must be an object in { }, not 3.', undefined],
    ]);
  });

  it.each<[object[], 'error' | 'warning', string]>([
    [[{ use: 'correctness' }, { use: 'format', gate: 'corectness' }], 'error', 'unknown component "corectness"'],
    [
      [{ use: 'correctness' }, { use: 'format', gate: ['correctness', 'brevity'] }],
      'error',
      'unknown component "brevity"',
    ],
    [[{ use: 'correctness' }, { use: 'correctness' }], 'error', 'Two components are named "correctness"'],
    [[{ use: 'correctness' }, { use: 'brevity', gate: [] }], 'warning', '"brevity" also rewards wrong answers'],
    [
      [{ use: 'correctness' }, { use: 'format' }, { use: 'brevity', gate: 'format' }],
      'warning',
      '"brevity" also rewards wrong answers',
    ],
    [
      [{ use: 'correctness' }, { use: 'format', options: { valid: 0 } }, { use: 'kimi', gate: 'format' }],
      'error',
      'The gate of "kimi" never opens',
    ],
    [[{ use: 'correctness' }, { use: 'repetition' }, { use: 'format', gate: ['repetition'] }], 'error', 'never opens'],
    [[{ use: 'brevity' }], 'warning', 'No component rewards a right answer'],
    [[{ use: 'correctness', gate: 'correctness' }], 'error', 'depends on itself'],
  ])('%j', (components, severity, message) => {
    expect(rewardIssues(...components)).toMatchObject([{ severity, message: expect.stringContaining(message) }]);
  });

  it('sees a gate on the answer through another gate', () => {
    expect(
      rewardIssues({ use: 'correctness' }, { use: 'format', gate: 'correctness' }, { use: 'brevity', gate: 'format' }),
    ).toEqual([]);
    expect(
      rewardIssues(
        { use: 'correctness' },
        { use: 'correctness', name: 'lenient' },
        { use: 'brevity', gate: 'lenient' },
      ),
    ).toEqual([]);
  });

  it('warns if nothing asks for steps that lead to the answer, except in the rewards of the release', () => {
    const message = expect.stringContaining('No component requires steps that lead to the answer');
    const issuesOf = (use: string) => checkReward(JSON.stringify({ components: [{ use }] })).issues;
    expect(issuesOf('correctness')).toMatchObject([{ severity: 'warning', message }]);
    expect(issuesOf('lead')).toMatchObject([{ severity: 'warning', message }]);
    expect(issuesOf('bridgeStage3')).toEqual([]);
    expect(rewardIssues({ use: 'correctness' }, { use: 'format', gate: 'grounded' })).toEqual([]);
  });

  it('finds what is wrong with the module of a reward in code, and what the module declares', () => {
    const folder = mkdtempSync(join(tmpdir(), 'distillery-modules-'));
    try {
      mkdirSync(join(folder, 'in', 'folder.mjs'), { recursive: true });
      writeFileSync(join(folder, 'in', 'ok.mjs'), 'export const needsGate = true;\nexport const range = [-1, 0];');
      writeFileSync(join(folder, 'in', 'judge.cjs'), 'exports.judgesAnswer = true;\n');
      writeFileSync(join(folder, 'in', 'old.ts'), '');
      writeFileSync(join(folder, 'outside.mjs'), '');
      let root: string | undefined = join(folder, 'in');
      const issues = (...components: object[]) =>
        checkReward(JSON.stringify({ components }), modulesIn(join(folder, 'in'), root)).issues.map(
          ({ message, remedy, fixes, path }) => [path.join('.'), message, fixes[0]?.text ?? remedy],
        );
      const use = (path: string) => issues({ use: path }, { use: 'correctness' }, { use: 'grounded' });
      const at = 'components.0.use';
      expect(use('ok.mjs')).toEqual([[at, 'The path of a module begins with ./ or ../.', '"./ok.mjs"']]);
      expect(use('./old.ts')).toEqual([
        [at, expect.stringContaining('ends in .mjs'), expect.stringContaining('Compile')],
      ]);
      expect(use('./gone.mjs')).toEqual([[at, expect.stringContaining('does not exist'), expect.any(String)]]);
      expect(use('./folder.mjs')).toEqual([
        [at, expect.stringContaining('is a folder, not a file'), expect.any(String)],
      ]);
      expect(use('../outside.mjs')).toEqual([[at, expect.stringContaining('lies outside'), expect.any(String)]]);
      expect(use(join(folder, 'in', 'ok.mjs'))).toEqual([
        [at, expect.stringContaining('absolute'), expect.any(String)],
      ]);
      expect(use('./ok.mjs')).toEqual([
        ['components.0.gate', expect.stringContaining('"ok" also rewards wrong'), ', "gate": "correctness"'],
      ]);
      root = folder; // the experiment's
      expect(use('../outside.mjs').map(([, message]) => message)).not.toContainEqual(expect.stringContaining('lies'));
      root = undefined;
      expect(use('../outside.mjs').map(([, message]) => message)).not.toContainEqual(expect.stringContaining('lies'));
      const gated = issues({ use: './judge.cjs' }, { use: './ok.mjs', gate: 'judge' }, { use: 'grounded', gate: 'ok' });
      expect(gated).toEqual([
        ['components.2.gate', expect.stringContaining('The gate of "grounded" never opens'), expect.any(String)],
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it.each([
    ['line ends', '\n'],
    ['spaces and line ends', ' \n\t\r\n'],
    ['declarations', 'export const range = [1, '],
    ['words', 'export const '],
  ])('reads a module of %s in a time that its length bounds', (_, unit) => {
    const text = (length: number) => unit.repeat(length / unit.length);
    expect(growsWith(declaredTraits, text(1 << 16), text(1 << 19), { most: 2000 })).toBe(true);
  });

  it('reports the settings of a reward in code as those of a component', () => {
    const [weight, unknown, limit] = rewardIssues({ use: './my.mjs', weight: 'x', wieght: 1, timeLimit: 0 });
    expect(weight.message).toMatch(/^components\[0\]\.weight must be a number from/);
    expect(unknown).toMatchObject({
      message: 'Unknown setting "wieght" in components[0].',
      remedy: 'Did you mean "weight"?',
    });
    expect(limit.message).toBe('components[0].timeLimit must be a number above 0 and at most 3600, not 0.');
    expect(rewardIssues({ use: './my.mjs', options: [1, { a: null }] }, { use: 'correctness' })).toEqual([]);
  });

  it('finds a circle of gates', () => {
    const issues = rewardIssues({ use: 'correctness', gate: 'format' }, { use: 'format', gate: 'correctness' });
    expect(issues.map(({ path }) => path.join('.'))).toEqual(['components.0.gate', 'components.1.gate']);
  });
});
