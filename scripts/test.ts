/**
 * Runs all tests, as continuous integration does: npm test
 *
 * Two parts run at a time, as many of the tests wait for a window, a host or a single thread. What the first part of a
 * stage prints is shown at once, the output of another when it ends. After a failure, no further part starts. The end
 * of what a failed part printed stands again at the very end, where it is looked for.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/paths';

/** An npm script with its arguments. */
type Part = [script: string, ...args: string[]];

const scratch = mkdtempSync(join(tmpdir(), 'distillery-test-'));
const vsix = join(scratch, 'distillery.vsix');

/** One stage after the other; the parts of a stage start in this order, long ones first. */
const stages: Part[][] = [
  [['types'], ['lint']],
  // The only part that writes dist/, which the others use.
  [['package', '--out', vsix]],
  [
    ['test:unit'],
    ['test:workbench', '--built'],
    ['test:e2e', '--vsix', vsix],
    ['test:torch'],
    ['test:faults', '--short'],
    ['test:tensorflow'],
  ],
];

/** How much of a failed part's output is repeated at the end. */
const repeatedLines = 60;

const failures: { script: string; output: string }[] = [];

async function runStage(parts: readonly Part[]): Promise<void> {
  const waiting = [...parts];
  const lane = async () => {
    for (let part = waiting.shift(); part && failures.length === 0; part = waiting.shift())
      await run(part, part === parts[0]);
  };
  await Promise.all([lane(), lane()]);
}

function run([script, ...args]: Part, shownAtOnce: boolean): Promise<void> {
  const begin = Date.now();
  console.log(`${script} begins`);
  const env = Object.assign({}, process.env, { DISTILLERY_BUILT: '1' });
  if (process.stdout.isTTY) env.FORCE_COLOR = '1';
  // These run later, by their own command.
  if (script === 'test:unit') env.DISTILLERY_WITHOUT_FAULTS = '1';
  const child = spawn('npm', ['run', '--silent', script, '--', ...args], {
    cwd: packageRoot(),
    env,
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      printed.push(chunk);
      if (shownAtOnce) process.stdout.write(chunk);
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const seconds = Math.round((Date.now() - begin) / 1000);
      const output = Buffer.concat(printed);
      if (!shownAtOnce) process.stdout.write(output);
      console.log(`${script} ${code === 0 ? 'passed' : 'FAILED'} in ${seconds} s\n`);
      if (code !== 0) failures.push({ script, output: output.toString() });
      resolve();
    });
  });
}

async function main(): Promise<void> {
  process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
  for (const parts of stages) await runStage(parts);
  for (const { script, output } of failures) {
    const end = output.trimEnd().split('\n').slice(-repeatedLines).join('\n');
    console.log(`${script} FAILED. Its output ends:\n${end}\n`);
  }
  process.exitCode = failures.length > 0 ? 1 : 0;
}

void main();
