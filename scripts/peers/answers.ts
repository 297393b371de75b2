/**
 * Compares our verdicts with Math-Verify's and lm-evaluation-harness's, on the battery and on Math-Verify's own
 * regression cases. `DISTILLERY_PYTHON=... npx tsx scripts/peers/answers.ts SDIST` writes the tables into
 * docs/answers.md. Needs a Python with math-verify (pip install math-verify==0.9.0
 * 'latex2sympy2-extended[antlr4_13_2]==1.11.0'), and the unpacked source distribution, which has the cases (pip
 * download --no-binary :all: --no-deps math-verify==0.9.0).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from '../../src/answers/grade';
import { exactMatch, flexibleExtract, strictMatch } from '../../src/chain/lm-eval-filters';
import { packageRoot } from '../../src/paths';
import { python } from './python';

interface AnswerCase {
  kind: string;
  gold: string;
  text: string;
  /** A person's verdict. */
  right: boolean;
  /** Our verdict; the lenient one if the text has no answer marker. */
  lenient: boolean;
}

/** Cases whose expected verdict a person disagrees with, by the beginnings of reference and text, with the reason. */
const personVerdicts: [gold: string, text: string, right: boolean, why: string][] = [
  ['$9$', 'Answer $ \n 9', true, 'a line break does not change a number'],
  ['$9$', 'Answer \\( \n 9', true, 'a line break does not change a number'],
  ['$x \\in [-2,7]$', '$-2 \\\\le x', true, 'the inequality describes that set'],
  ['$1 - \\frac{1}{\\mathrm{e}}$', '$1 + ', false, 'another number'],
  ['$f(x)$', '$f(y)$', false, 'another unknown'],
];

/** Why our verdict differs from a person's, by the beginning of the reference. */
const verdictReasons: [gold: string, why: string][] = [
  ['$(\\begin{pmatrix}\\frac{1}{3}', 'the case rounds to two digits; here 0.33 is not 1/3'],
  ['$(\\frac{3}{5},\\frac{8}{3}]$', 'the case rounds to two digits; here 2.6667 is not 8/3'],
];

const root = packageRoot();
const fixture = (name: string) => JSON.parse(readFileSync(join(root, 'test/fixtures/answers', name), 'utf8'));

function battery(): AnswerCase[] {
  const kinds = Object.entries(fixture('battery.json') as Record<string, [string, string, boolean, boolean?][]>);
  return kinds.flatMap(([kind, pairs]) =>
    pairs.map(([gold, text, right, lenient]) => ({
      kind,
      gold,
      text,
      right: lenient ?? right,
      lenient: lenient !== undefined,
    })),
  );
}

function regressionCases(interpreter: string, sdist: string): AnswerCase[] {
  const found = execFileSync(interpreter, [script, 'cases', sdist], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return (JSON.parse(found) as { test: string; gold: string; text: string; want: boolean }[]).map((one) => {
    const other = personVerdicts.find(([gold, text]) => one.gold === gold && one.text.startsWith(text));
    return {
      kind: one.test.replace(/^test_/, ''),
      gold: one.gold,
      text: one.text,
      right: other ? other[2] : one.want,
      lenient: true,
    };
  });
}

const script = join(root, 'scripts/peers/answer_verdicts.py');

interface Judged extends AnswerCase {
  ours: boolean;
  mathVerify: boolean;
  harness: boolean;
}

function judged(interpreter: string, cases: readonly AnswerCase[]): Judged[] {
  const input = JSON.stringify(cases.map(({ gold, text }) => [gold, text]));
  const out = execFileSync(interpreter, [script, 'judge'], { input, encoding: 'utf8', maxBuffer: 2 ** 26 });
  const verdicts = JSON.parse(out) as boolean[];
  return cases.map((one, i) => {
    const { correct, lenientCorrect } = judge(one.text, one.gold);
    const harness = exactMatch(strictMatch(one.text), one.gold) || exactMatch(flexibleExtract(one.text), one.gold);
    return { ...one, ours: one.lenient ? lenientCorrect : correct, mathVerify: verdicts[i], harness };
  });
}

const count = (cases: readonly Judged[], of: (one: Judged) => boolean) => cases.filter(of).length;
const share = (n: number, all: number) => `${((100 * n) / all).toFixed(1)} %`;

function summary(title: string, cases: readonly Judged[]): string {
  const row = (name: string, verdict: (one: Judged) => boolean) => {
    const agreed = count(cases, (one) => verdict(one) === one.right);
    const falseRight = count(cases, (one) => verdict(one) && !one.right);
    return (
      `| ${name} | ${agreed} of ${cases.length} (${share(agreed, cases.length)}) ` +
      `| ${falseRight} | ${cases.length - agreed - falseRight} |`
    );
  };
  return [
    `| ${title} | agrees with a person | wrong called right | right called wrong |`,
    '| --- | --- | --- | --- |',
    row('Distillery', ({ ours }) => ours),
    row('Math-Verify 0.9.0', ({ mathVerify }) => mathVerify),
    row("lm-evaluation-harness, gsm8k's filters", ({ harness }) => harness),
  ].join('\n');
}

const cell = (text: string) => {
  const line = JSON.stringify(text.length > 90 ? `…${text.slice(-90)}` : text).slice(1, -1);
  return `\`${line.replaceAll('|', '\\|').replaceAll('`', "'")}\``;
};
const verdict = (right: boolean) => (right ? 'right' : 'wrong');

/** All pairs on which our verdict differs from Math-Verify's, with a person's verdict. */
function disagreements(cases: readonly Judged[]): string {
  const rows = cases
    .filter((one) => one.ours !== one.mathVerify || one.ours !== one.right)
    .map((one) => {
      const why =
        one.ours === one.right
          ? reasonOf(one)
          : (verdictReasons.find(([gold]) => one.gold.startsWith(gold))?.[1] ?? '');
      return (
        `| ${cell(one.gold)} | ${cell(one.text)} | ${verdict(one.right)} | ` +
        `${verdict(one.ours)} | ${verdict(one.mathVerify)} | ${why} |`
      );
    });
  return [
    '| reference | text | a person | we | Math-Verify | why |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** Differences to Math-Verify by kind of pair. */
const kindReasons: Record<string, [calledRight: string, calledWrong: string]> = {
  thinking: ['thinking counts as the answer', 'takes an answer in the thinking'],
  marks: ['takes any number', 'does not know this mark'],
  languages: ['takes any number', 'does not know this mark or these digits'],
  'which of several': ['one of several is enough, or words around it are not read', 'takes another number of the line'],
  numbers: ['rounds to six digits, or omits the word after the number', 'does not know this spelling'],
  'fractions and roots': ['compares rounded values', 'reads the formula otherwise'],
  percent: ['drops the sign', 'compares the share alone, or the number alone'],
  'braces carry meaning': ['reads the formula otherwise', 'reads the formula otherwise'],
  formulas: ['drops or renames what it does not know', 'the simplification does not find it'],
  'equations and inequalities': ['takes the right side alone', 'compares relations by their form'],
  'sets, lists, tuples, intervals': ['a tuple, an interval and a set may be one', 'reads the list otherwise'],
  matrices: ['reads the matrix otherwise', 'does not work sums and products out, or reads it otherwise'],
  'units and quantities': ['units are dropped', 'does not convert units'],
  'times, ratios, remainders, bases': ['takes one of the numbers', 'does not know this form'],
  'words and choices': ['takes one of the letters or numbers', 'does not compare words'],
  dress: ['reads past the dress', 'does not know this dress'],
};

function reasonOf({ kind, gold, text, right, mathVerify }: Judged): string {
  const person = personVerdicts.find(([g, t]) => gold === g && text.startsWith(t));
  if (person) return person[3];
  const [calledRight, calledWrong] = kindReasons[kind] ?? [
    'drops units or words, or takes one of several',
    'does not know this form',
  ];
  return mathVerify && !right ? calledRight : calledWrong;
}

function main(): void {
  const interpreter = python(['math_verify']);
  const sdist = process.argv[2];
  if (!interpreter || !sdist)
    throw new Error('It wants DISTILLERY_PYTHON with math-verify, and the folder of its source distribution.');
  const own = judged(interpreter, battery());
  const cases = judged(interpreter, regressionCases(interpreter, sdist));
  const other = personVerdicts.map(
    ([gold, text, right, why]) => `| ${cell(gold)} | ${cell(text)} | ${verdict(right)} | ${why} |`,
  );
  const tables = [
    summary('our battery', own),
    summary("Math-Verify's regression cases", cases),
    "On these of Math-Verify's cases a person says another thing than the case does:\n\n| reference | " +
      `text (beginning) | a person | why |\n| --- | --- | --- | --- |\n${other.join('\n')}`,
    `### Where they differ: Math-Verify's cases\n\n${disagreements(cases)}`,
    `### Where they differ: our battery\n\n${disagreements(own)}`,
  ].join('\n\n');
  const page = join(root, 'docs/answers.md');
  const [before] = readFileSync(page, 'utf8').split(marker);
  writeFileSync(page, `${before}${marker}\n\n${tables}\n`);
  for (const one of [own, cases])
    process.stdout.write(`${count(one, ({ ours, right }) => ours === right)} of ${one.length}\n`);
}

const marker = '<!-- Everything below is written by scripts/peers/answers.ts -->';
main();
