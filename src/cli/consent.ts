import { UserError } from '../errors';
import { askLine, stderr } from './terminal';

/** Asks on the terminal; `--yes` answers for scripts. Without either, nothing goes out. */
export async function askConsent(question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !stderr.isTTY)
    throw new UserError('nobody is here to say yes', {
      code: 'consent',
      remedy: 'Look at the plan above, then run it again with --yes.',
    });
  return /^y(es)?$/i.test((await askLine(`${question} [y/N] `)).trim());
}
