/**
 * npm run test:faults: runs the tests of every fault of docs/faults.md, prints their results, and fills the table
 * there. With `-- --short`: fewer kills, shorter texts, and the table is filled only if `--fill` is given, too.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { packageRoot } from '../../src/paths';
import { faultFiles, faultRows, heading, rowText } from './rows';

interface Report {
  testResults: { name: string; assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[];
}

const root = packageRoot();
const short = process.argv.includes('--short');
const folder = mkdtempSync(join(tmpdir(), 'distillery-faults-'));
const out = join(folder, 'report.json');
const env = { ...process.env, DISTILLERY_THOROUGH: short ? '0' : '1' };
const reporters = [`--reporter=${short ? 'default' : 'verbose'}`, '--reporter=json', `--outputFile.json=${out}`];
const args = ['vitest', 'run', ...reporters, ...faultFiles];
if (!short) console.log('117 kills of whole runs, and texts of 1 MB: this takes hours on two cores.');
const { status } = spawnSync('npx', args, { cwd: root, stdio: 'inherit', env });
const { testResults }: Report = JSON.parse(readFileSync(out, 'utf8'));
rmSync(folder, { recursive: true });

let missing = status !== 0;
const lines = faultRows.map((row) => {
  const tried = row.tests.flatMap(([file, name]) =>
    testResults
      .filter((one) => relative(root, one.name) === file)
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ ancestorTitles, title }) => name.test([...ancestorTitles, title].join(' > '))),
  );
  const count = (wanted: string) => tried.filter((one) => one.status === wanted).length;
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')];
  missing ||= passed === 0;
  const tries = [`${passed} of ${passed + failed} held`, ...(skipped > 0 ? [`${skipped} not tried here`] : [])].join(
    ', ',
  );
  console.log(`${failed > 0 || passed === 0 ? 'NO ' : 'yes'} ${row.fault}: ${tries}`);
  return rowText(row, tries);
});
if (!short || process.argv.includes('--fill')) {
  const doc = join(root, 'docs', 'faults.md');
  const [before, after] = readFileSync(doc, 'utf8').split(/^\| fault [\s\S]*?\n(?=\n)/m);
  writeFileSync(doc, `${before}${heading}\n${lines.join('\n')}\n${after}`);
}
process.exit(missing ? 1 : 0);
