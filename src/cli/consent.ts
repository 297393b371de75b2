import { createInterface } from 'node:readline/promises';
import { UserError } from '../errors';

/** Asks on the terminal; `--yes` answers for scripts. Without either, nothing goes out. */
export async function askConsent(question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UserError('nobody is here to say yes', {
      code: 'consent',
      remedy: 'Look at the plan above, then run it again with --yes.',
    });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
