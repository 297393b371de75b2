/**
 * Measures how often right chains are reported as departing from the teacher, and how many wrong ones have a finding:
 * `npx tsx scripts/measure/first-wrong-step.ts [folder of data]`. Reads BRIDGE's 568 failures and GSM8K's own solutions
 * of the same questions.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstWrongStep } from '../../src/chain/faults';
import { splitChain } from '../../src/chain/split';
import type { Chain } from '../../src/chain/types';
import { packageRoot } from '../../src/paths';

const folder = process.argv[2] ?? join(packageRoot(), '..', 'shared', 'data');
const bridge: { question: string; response: string; teacher_cot: string; is_correct: boolean }[] = JSON.parse(
  readFileSync(join(folder, 'bridge', 'stage3_error_samples.json'), 'utf8'),
);
const key = (question: string) => question.replace(/\s+/g, ' ').trim();
const solutions = new Map<string, string>(
  readFileSync(join(folder, 'gsm8k', 'train.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { question: string; answer: string })
    .map(({ question, answer }) => [key(question), answer]),
);

const pairs = bridge.flatMap(({ question, teacher_cot, response }) => {
  const solution = solutions.get(key(question));
  const [teacher, student] = [splitChain(teacher_cot), splitChain(response)];
  return solution ? [{ question, teacher, student, solution: splitChain(solution) }] : [];
});

type Pair = (typeof pairs)[number];

/** Share of chains with a finding of each kind. */
function found(name: string, chains: (pair: Pair) => [Chain, Chain]): void {
  const kinds = pairs.map((pair) => firstWrongStep(...chains(pair), pair.question)?.kind);
  const share = (kind: string) => {
    const count = kinds.filter((one) => one === kind).length;
    return `${count} (${((100 * count) / pairs.length).toFixed(1)} %)`;
  };
  console.log(
    `${name}: leaves the path ${share('departure')}, false equation ${share('arithmetic')}, of ${pairs.length}`,
  );
}

found("right: GSM8K's solution against the teacher", ({ solution, teacher }) => [solution, teacher]);
found("right: the teacher against GSM8K's solution", ({ solution, teacher }) => [teacher, solution]);
found('wrong: the student against the teacher', ({ student, teacher }) => [student, teacher]);
