import { splitChain } from '../../chain/split';
import { UserError } from '../../errors';
import { reachedText } from '../runs/items';
import type { Services } from '../services';
import { cancellable } from '../shared/cancellable';
import { commandOffer, offer } from '../shared/offers';
import { plural } from '../shared/words';
import * as vscode from '../vscode';
import type { ListedCheckpoint } from '../workspace/run-cache';
import type { Case } from './case';
import { propose } from './decide';

/** Rewrites sampled per request. */
const samples = 8;

/** Asks a checkpoint to rewrite the teacher's chain more briefly, and saves the results as proposals. */
export async function rewriteWithStudent({ runs, hosts }: Services, shown: Case): Promise<void> {
  const { teacher, question, gold, reference } = shown;
  if (!teacher) throw new UserError('the case has no teacher chain to rewrite', { code: 'input' });
  const checkpoint = await chooseCheckpoint(runs, reference.run);
  if (!checkpoint) return;
  const host = hosts.of(checkpoint.folder);
  const params = {
    checkpoint: checkpoint.folder,
    question,
    answer: gold,
    teacherChain: teacher.text,
    wrongStep: markedText(shown),
    samples,
  };
  const result = await cancellable(`Rewriting with ${checkpoint.name}`, (signal) =>
    host.request('rewrite', params, { signal }).catch((error) => {
      if (signal.aborted) return undefined;
      throw error;
    }),
  );
  if (!result) return;
  propose(
    shown,
    result.candidates.map(({ text, length, reward, parts }) => {
      const provenance = { from: 'request' as const, checkpoint: checkpoint.folder };
      return { text, tokens: length, reward, parts, provenance };
    }),
  );
  if (result.problems.length > 0)
    void vscode.window.showWarningMessage(`The reward "${result.reward}": ${result.problems.join('; ')}`);
  const right = result.candidates.filter(({ correct }) => correct);
  const shorter = right.filter(({ length }) => length < result.teacherTokens).length;
  const made = plural(result.candidates.length, 'rewrite');
  if (right.length > 0)
    return void vscode.window.showInformationMessage(`${made}: ${right.length} right, ${shorter} shorter too.`);
  const again = commandOffer('Ask Again', 'distillery.rewriteCase', reference);
  void offer(`${made}, none right.`, again, commandOffer('Write a Rewrite', 'distillery.editRewrite', reference));
}

/** The step marked by a person as the first wrong one. */
const markedText = ({ fault, shown }: Case): string | undefined =>
  fault?.by === 'person' && shown ? splitChain(shown.text).steps[fault.step] : undefined;

/**
 * The checkpoint selected by the run's last stage, else its newest. If the run has none, asks for one of another run.
 */
async function chooseCheckpoint(runs: Services['runs'], run: string): Promise<ListedCheckpoint | undefined> {
  const best = runs.cache.summary(run).value?.at(-1)?.checkpoint;
  const all = runs
    .list()
    .flatMap((listing) => runs.cache.checkpoints(listing).map((checkpoint) => ({ run: listing, ...checkpoint })));
  const own = all.filter((one) => one.run.folder === run);
  if (own.length > 0) return own.find(({ name }) => name === best) ?? own[0];
  if (all.length === 0)
    throw new UserError('there is no student to ask yet: no run here has a checkpoint', {
      code: 'checkpoint',
      remedy: 'Run a curriculum first.',
    });
  const chosen = await vscode.window.showQuickPick(
    all.map((one) => ({ label: one.name, description: reachedText(one.run, runs.cache), one })),
    { title: 'Which student writes the rewrites?', placeHolder: 'This run has no checkpoints of its own' },
  );
  return chosen?.one;
}
