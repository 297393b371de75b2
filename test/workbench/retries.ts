import Mocha from 'mocha';

/**
 * Hosts, editors and windows are real, and a busy machine keeps them waiting: a test that fails has another try, and
 * what its first one died of is printed.
 */
export const retries = 1;

export function tellRetries(runner: Mocha.Runner, print: (line: string) => void): void {
  runner.on(Mocha.Runner.constants.EVENT_TEST_RETRY, (test, error) =>
    print(`    once more: ${test.title}\n${error.stack}`),
  );
}
