import { join } from 'node:path';
import { splitChain } from '../../chain/split';
import { UserError } from '../../errors';
import { checkpointsFolder } from '../../runs/layout';
import { cancellable } from '../cancellable';
import { reachedText } from '../runs/items';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { plural } from '../words';
import type { Case } from './case';
import { propose } from './decide';

const { t } = vscode.l10n;

/** Rewrites sampled per request. */
const samples = 8;

/** Asks a checkpoint to rewrite the teacher's chain more briefly, and saves the results as proposals. */
export async function rewriteWithStudent({ runs, hosts }: Services, shown: Case): Promise<void> {
  const { teacher, question, gold, reference } = shown;
  if (!teacher) throw new UserError('the case has no teacher chain to rewrite', { code: 'input' });
  const checkpoint = await chooseCheckpoint(runs, reference.run);
  if (!checkpoint) return;
  const host = hosts.of(checkpoint.folder);
  const result = await cancellable(t('Rewriting with {0}', checkpoint.name), (signal) =>
    host
      .rewrite(
        {
          checkpoint: checkpoint.folder,
          question,
          answer: gold,
          teacherChain: teacher.text,
          wrongStep: markedText(shown),
          samples,
        },
        { signal },
      )
      .catch((error) => {
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
  const right = result.candidates.filter(({ correct }) => correct);
  const shorter = right.filter(({ length }) => length < result.teacherTokens).length;
  const made = plural(result.candidates.length, 'rewrite');
  if (right.length > 0)
    return void vscode.window.showInformationMessage(
      t('{0}: {1} right, {2} shorter too.', made, right.length, shorter),
    );
  const [again, write] = [t('Ask Again'), t('Write One')];
  void vscode.window.showInformationMessage(t('{0}, none right.', made), again, write).then((answer) => {
    const run = (command: string) => vscode.commands.executeCommand(`distillery.${command}`, reference);
    if (answer === again) return run('rewriteCase');
    if (answer === write) return run('editRewrite');
  });
}

/** The step marked by a person as the first wrong one. */
const markedText = ({ fault, shown }: Case): string | undefined =>
  fault?.by === 'person' && shown ? splitChain(shown.text).steps[fault.step] : undefined;

interface ChosenStudent {
  name: string;
  folder: string;
}

/**
 * The checkpoint selected by the run's last stage, else its newest. If the run has none, asks for one of another run.
 */
async function chooseCheckpoint(runs: Services['runs'], run: string): Promise<ChosenStudent | undefined> {
  const best = runs.cache.summary(run).value?.at(-1)?.checkpoint;
  const all = runs
    .list()
    .flatMap((listing) =>
      'run' in listing
        ? listing.run.record.checkpoints
            .map(({ name }) => ({ run: listing, name, folder: join(checkpointsFolder(listing.folder), name) }))
            .reverse()
        : [],
    );
  const own = all.filter((one) => one.run.folder === run);
  if (own.length > 0) return own.find(({ name }) => name === best) ?? own[0];
  if (all.length === 0)
    throw new UserError('there is no student to ask yet: no run here has a checkpoint', {
      code: 'checkpoint',
      remedy: 'Run a curriculum first.',
    });
  const chosen = await vscode.window.showQuickPick(
    all.map((one) => ({ label: one.name, description: reachedText(one.run, runs.cache), one })),
    { title: t('Which student writes the rewrites?'), placeHolder: t('This run has no checkpoints of its own') },
  );
  return chosen?.one;
}
