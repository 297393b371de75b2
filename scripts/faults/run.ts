/** npm run test:faults: tries every fault of docs/faults.md, prints what came of it, and fills the table there. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { packageRoot } from '../../src/paths';
import { faultRows, heading, rowText } from './rows';

interface Report {
  testResults: { name: string; assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[];
}

const root = packageRoot();
const files = [...new Set(faultRows.flatMap(({ tests }) => tests.map(([file]) => file)))];
const folder = mkdtempSync(join(tmpdir(), 'distillery-faults-'));
const out = join(folder, 'report.json');
const env = { ...process.env, DISTILLERY_THOROUGH: process.argv.includes('--short') ? '0' : '1' };
const args = ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${out}`, ...files];
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
const doc = join(root, 'docs', 'faults.md');
const [before, after] = readFileSync(doc, 'utf8').split(/^\| fault [\s\S]*?\n(?=\n)/m);
writeFileSync(doc, `${before}${heading}\n${lines.join('\n')}\n${after}`);
process.exit(missing ? 1 : 0);
