import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../paths';

const file = join(packageRoot(), 'syntaxes', 'reasoning-chain.tmLanguage.json');
const source = readFileSync(file, 'utf8');

// VS Code's own tokenizer, out of the code-server that the workbench tests install.
const cache =
  process.env.DISTILLERY_WORKBENCH_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'distillery', 'workbench');
const modules = join(cache, 'code-server-4.139.1/node_modules/code-server/lib/vscode/node_modules');
const present = existsSync(join(modules, 'vscode-textmate')) && existsSync(join(modules, 'vscode-oniguruma'));
if (!present)
  console.warn(
    `The grammar is only read, not run: there is no vscode-textmate in ${modules} (npm run test:workbench installs it)`,
  );

interface Grammar {
  tokenizeLine(line: string, before: unknown): { tokens: { startIndex: number; endIndex: number; scopes: string[] }[] };
}

test('every rule that is named is there, and every expression is one', () => {
  const grammar = JSON.parse(source) as { repository: Record<string, unknown> };
  for (const [, name] of source.matchAll(/"include": "#(\w+)"/g))
    expect(Object.keys(grammar.repository)).toContain(name);
  for (const [, pattern] of source.matchAll(/"match": ("(?:[^"\\]|\\.)*")/g))
    expect(() => new RegExp(JSON.parse(pattern) as string, 'u')).not.toThrow();
});

describe.skipIf(!present)('the grammar, as VS Code runs it', () => {
  let grammar: Grammar;
  let initial: unknown;
  beforeAll(async () => {
    const load = createRequire(join(modules, 'x.js'));
    const textmate = load('vscode-textmate');
    const oniguruma = load('vscode-oniguruma');
    await oniguruma.loadWASM(readFileSync(join(modules, 'vscode-oniguruma/release/onig.wasm')).buffer);
    const registry = new textmate.Registry({
      onigLib: Promise.resolve({
        createOnigScanner: (patterns: string[]) => new oniguruma.OnigScanner(patterns),
        createOnigString: (text: string) => new oniguruma.OnigString(text),
      }),
      loadGrammar: async () => textmate.parseRawGrammar(source, file),
    });
    grammar = await registry.loadGrammar('text.reasoning-chain');
    initial = textmate.INITIAL;
  });

  /** The parts of a line with their own scope, with the first words of the innermost. */
  const pieces = (line: string) =>
    grammar.tokenizeLine(line, initial).tokens.flatMap(({ startIndex, endIndex, scopes }): [string, string][] => {
      const scope = scopes.at(-1)!;
      const text = line.slice(startIndex, endIndex);
      return scope === 'text.reasoning-chain' || text.trim() === ''
        ? []
        : [[text.trim(), scope.replace(/\.reasoning-chain$/, '')]];
    });
  const scopesOf = (line: string) => Object.fromEntries(pieces(line));

  test.each<[string, Record<string, string>]>([
    ['## Student: sample 1', { '##': 'punctuation.definition.heading', 'Student: sample 1': 'entity.name.section' }],
    ['Question: Why?', { Question: 'keyword.other.field' }],
    ['Thinking: so', { Thinking: 'keyword.control.thinking' }],
    ['Thinking…', { 'Thinking…': 'keyword.control.thinking' }],
    ['<think>', { '<think>': 'keyword.control.thinking' }],
    ['Step 3: He has', { 'Step 3': 'keyword.control.step', ':': 'punctuation.separator' }],
    ['**Step 12:** go', { '**Step 12': 'keyword.control.step' }],
    ['2. Then', { '2': 'keyword.control.step' }],
    ['Answer: 72', { Answer: 'keyword.control.answer', '72': 'constant.numeric' }],
    ['Final Answer: $1,080', { 'Final Answer': 'keyword.control.answer', '$1,080': 'constant.numeric' }],
    ['#### 72', { '####': 'keyword.control.answer', '72': 'constant.numeric' }],
    [
      '12 x 3 = 36',
      { '12': 'constant.numeric', x: 'keyword.operator.arithmetic', '=': 'keyword.operator.assignment.equals' },
    ],
    ['a well-known box', {}],
    ['so 12-5 is 7', { '-': 'keyword.operator.arithmetic', '7': 'constant.numeric' }],
    ['He pays $5 and $6.50', { $5: 'constant.numeric', '$6.50': 'constant.numeric' }],
    ['[MASK] has 15%', { '[MASK]': 'constant.language.mask', '15%': 'constant.numeric' }],
    [
      'is 48/2=<<48/2=24>>24',
      { '<<': 'punctuation.definition.calculator.begin', '>>': 'punctuation.definition.calculator.end' },
    ],
    ['So \\boxed{\\frac{3}{4}}', { '\\boxed': 'keyword.control.answer.box', '\\frac': 'keyword.operator.arithmetic' }],
    ['$x \\times 2$ is', { $: 'punctuation.definition.math', '\\times': 'keyword.operator.arithmetic' }],
    ['\\(3 \\text{ kg}\\)', { '\\(': 'punctuation.definition.math', '\\text': 'support.function.latex' }],
  ])('%s', (line, expected) => expect(scopesOf(line)).toMatchObject(expected));

  test('words have no colour, and an equation in a calculator mark is set back', () => {
    expect(pieces('He reads x and box2 of them')).toEqual([]);
    const inside = grammar.tokenizeLine('<<48/2=24>>', initial).tokens.find(({ startIndex }) => startIndex === 2)!;
    expect(inside.scopes).toContain('comment.block.calculator.reasoning-chain');
  });

  test('a step of 20,000 characters and an opened bracket that never closes are quick', () => {
    const begun = process.cpuUsage(); // the machine may have other things to do
    grammar.tokenizeLine(`Step 1: ${'\\( 3 + $4 <<'.repeat(1700)}`, initial);
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(2000);
  });
});
