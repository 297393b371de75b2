import { basename } from 'node:path';
import type { Experiment } from '../../config/experiment';
import type { Problems } from '../../data/problems';
import { UserError } from '../../errors';
import type { Evaluation } from '../../evaluation/figures';
import { evaluationFile } from '../../runs/layout';
import { runOfCheckpoint } from '../../runs/reading';
import { cancellable } from '../cancellable';
import { loadNamedData } from '../named-files';
import { commandOffer, offer } from '../offers';
import type { Services } from '../services';
import * as vscode from '../vscode';
import { percent, plural, tokens } from '../words';
import { named } from './arguments';
import { pickCheckpoint } from './pick';
import { trustedCommand } from './report';

/** Evaluate Checkpoint: all or the first test problems of its run, with a progress bar that can be cancelled. */
export function registerEvaluate(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.evaluateCheckpoint', async (argument: unknown) => {
    const { t } = vscode.l10n;
    const title = t('Evaluate Checkpoint');
    const checkpoint = await pickCheckpoint(services, named(argument, 'checkpoint'), title, [onServer]);
    if (!checkpoint) return;
    if (checkpoint === onServer.value) return vscode.commands.executeCommand('distillery.evaluateOnServer');
    const problems = await pickProblems(testProblems(services, checkpoint), title);
    if (!problems) return;
    const name = basename(checkpoint);
    const result = await cancellable(t('Distillery: evaluating {0}', name), async (signal, progress) => {
      let right = 0;
      let done = 0;
      return services.hosts.of(checkpoint).request(
        'evaluate',
        {
          checkpoint,
          problems: problems.map(({ id, question, answer }) => ({ id, question, answer })),
          record: 'test',
        },
        {
          signal,
          progress(answers) {
            done += answers.length;
            right += answers.filter(({ correct }) => correct).length;
            const message = t('{0} of {1}, {2} right', done, problems.length, percent(right / done));
            progress.report({ increment: (100 * answers.length) / problems.length, message });
          },
        },
      );
    });
    const run = runOfCheckpoint(checkpoint);
    if (run) services.runs.refresh(run);
    const text = resultText(name, result);
    const unrecorded = result.unrecorded ? [t('Not recorded in the run: {0}', result.unrecorded)] : [];
    services.log.info(text);
    for (const line of unrecorded) services.log.warn(line);
    const answers = run && result.recorded && vscode.Uri.file(evaluationFile(run, result.recorded));
    const open = answers ? [commandOffer('Open Answers', 'vscode.open', answers)] : [];
    void offer([text, ...unrecorded].join('. '), ...open);
    return { accuracy: result.accuracy, n: result.n, recorded: result.recorded };
  });
}

/** Offered beside the checkpoints: a student stored elsewhere. */
const onServer = {
  icon: 'server',
  label: vscode.l10n.t('A Model on a Server…'),
  description: vscode.l10n.t('OpenAI-compatible: vLLM, Ollama, llama.cpp'),
  value: 'server',
};

/** The figures of an evaluation on one line. */
export function resultText(
  name: string,
  {
    accuracy,
    accuracyInterval: [low, high],
    n,
    meanTokens,
  }: Pick<Evaluation, 'accuracy' | 'accuracyInterval' | 'n' | 'meanTokens'>,
): string {
  return vscode.l10n.t(
    '{0}: {1} right of {2} (95 %: {3} to {4}), {5}',
    ...[name, percent(accuracy), plural(n, 'problem'), percent(low), percent(high)],
    tokens(meanTokens),
  );
}

function testProblems({ runs }: Services, checkpoint: string): Problems {
  const run = runOfCheckpoint(checkpoint);
  if (!run)
    throw new UserError('this student does not belong to a run, so there are no problems to test it on', {
      file: checkpoint,
      code: 'checkpoint',
      remedy: 'Test it on a dataset in the Testing view.',
    });
  const { value, problem } = runs.cache.config(run);
  if (problem) throw problem;
  const { data, evaluation } = (value as { experiment: Experiment }).experiment;
  const { problems } = loadNamedData(data.test, run, 'test');
  return problems.slice(0, evaluation.count ?? problems.length);
}

const samples = [20, 100, 300];

/** All problems or the first few. When problems are sent to another machine, always asks. */
export async function pickProblems(problems: Problems, title: string, host?: string): Promise<Problems | undefined> {
  const { t } = vscode.l10n;
  const items = [
    { label: t('All {0} problems', problems.length), value: problems },
    ...samples
      .filter((n) => n < problems.length)
      .map((n) => ({ label: t('The first {0}', n), value: problems.slice(0, n) })),
  ];
  if (items.length === 1 && host === undefined) return problems;
  const placeHolder = host === undefined ? t('Problems') : t('Problems, whose questions are sent to {0}', host);
  return (await vscode.window.showQuickPick(items, { title, placeHolder, ignoreFocusOut: true }))?.value;
}
