/**
 * Tests a computer algebra system from the npm registry on the formulas of the battery. `npm install --prefix FOLDER
 * @cortex-js/compute-engine@0.140.0`, then `npx tsx scripts/peers/compute-engine.ts FOLDER`; docs/answers.md has the
 * result.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/paths';

interface BoxedExpression {
  isSame(other: BoxedExpression): boolean;
  isEqual(other: BoxedExpression): boolean | undefined;
  simplify(): BoxedExpression;
}
interface ComputeEngineModule {
  ComputeEngine: new () => { parse(latex: string): BoxedExpression };
}

const kinds = [
  'numbers',
  'fractions and roots',
  'percent',
  'braces carry meaning',
  'formulas',
  'equations and inequalities',
  'sets, lists, tuples, intervals',
  'matrices',
];

async function main(folder: string): Promise<void> {
  const file = join(resolve(folder), 'node_modules/@cortex-js/compute-engine/dist/esm-min/compute-engine.js');
  const { ComputeEngine } = (await import(pathToFileURL(file).href)) as ComputeEngineModule;
  const engine = new ComputeEngine();
  const battery = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/answers/battery.json'), 'utf8'));
  const tally = { pairs: 0, agreed: 0, wrongCalledRight: 0, slowestMs: 0 };
  for (const [gold, text, right] of kinds.flatMap((kind) => battery[kind] as [string, string, boolean][])) {
    const content = /^\\boxed\{([\s\S]*)\}$/.exec(text)?.[1];
    if (content === undefined) continue;
    const before = process.cpuUsage();
    const [a, b] = [engine.parse(content), engine.parse(gold)];
    const same = a.isSame(b) || a.isEqual(b) === true || a.simplify().isSame(b.simplify());
    const { user, system } = process.cpuUsage(before);
    tally.slowestMs = Math.max(tally.slowestMs, Math.round((user + system) / 1000));
    tally.pairs++;
    if (same === right) tally.agreed++;
    else if (same) tally.wrongCalledRight++;
  }
  process.stdout.write(`${JSON.stringify(tally)}\n`);
}

void main(process.argv[2]);
