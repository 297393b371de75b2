/** What VS Code loads to run the tests: mocha over the bundled suite, inside the extension host. */
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { format } from 'node:util';
import Mocha from 'mocha';
import { retries, tellRetries } from './retries';

/** Resolves when all tests pass. */
export async function run(): Promise<void> {
  const runner = await connectToRunner();
  if (runner) Mocha.reporters.Base.consoleLog = (...line: unknown[]) => runner.write(`${format(...line)}\n`);
  const mocha = new Mocha({
    ui: 'tdd',
    reporter: 'spec',
    timeout: 120_000, // longer than the waits within a test, which say what they waited for
    retries,
    color: process.env.DISTILLERY_TEST_COLOR === '1',
    grep: process.env.DISTILLERY_TEST_GREP,
    forbidOnly: process.env.CI !== undefined,
  });
  const suite = join(__dirname, 'suite');
  for (const name of readdirSync(suite).sort()) mocha.addFile(join(suite, name));
  const result = await new Promise<Mocha.Runner>((resolve) => {
    const running: Mocha.Runner = mocha.run(() => resolve(running));
    tellRetries(running, Mocha.reporters.Base.consoleLog);
  });
  await new Promise<void>((resolve) => (runner ? runner.end(resolve) : resolve()));
  if (result.stats!.passes + result.failures === 0) throw new Error('No test ran');
  if (result.failures > 0) throw new Error(`${result.failures} of ${result.total} tests failed`);
}

/** The extension host has no terminal: its output goes to the process that started it. */
function connectToRunner(): Promise<Socket | undefined> {
  const path = process.env.DISTILLERY_TEST_SOCKET;
  if (!path) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.on('error', reject);
  });
}
