import { UserError } from '../../errors';
import { askLine, stderr } from './terminal';

/** Asks for consent on the terminal; `--yes` gives it in scripts. Without either, nothing is sent. */
export async function askConsent(question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !stderr.isTTY)
    throw new UserError('consent is needed, but there is no terminal to ask on', {
      code: 'consent',
      remedy: 'Read the plan above, then run the command again with --yes.',
    });
  return /^y(es)?$/i.test((await askLine(`${question} [y/N] `)).trim());
}
