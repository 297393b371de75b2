import { basename } from 'node:path';
import type { Experiment } from '../../config/experiment';
import type { Problems } from '../../data/problems';
import { UserError } from '../../errors';
import type { Evaluation } from '../../evaluation/figures';
import { evaluationFile } from '../../runs/layout';
import { runOfCheckpoint } from '../../runs/reading';
import type { Services } from '../services';
import { cancellable } from '../shared/cancellable';
import { commandOffer, offer } from '../shared/offers';
import { percent, plural, tokens } from '../shared/words';
import * as vscode from '../vscode';
import { loadNamedData } from '../workspace/named-files';
import { named } from './arguments';
import { pickCheckpoint } from './pick';
import { trustedCommand } from './report';

/** Evaluate Checkpoint: all or the first test problems of its run, with a progress bar that can be cancelled. */
export function registerEvaluate(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.evaluateCheckpoint', async (argument: unknown) => {
    const title = 'Evaluate Checkpoint';
    const checkpoint = await pickCheckpoint(services, named(argument, 'checkpoint'), title, [onServer]);
    if (!checkpoint) return;
    if (checkpoint === onServer.value) return vscode.commands.executeCommand('distillery.evaluateOnServer');
    const problems = await pickProblems(testProblems(services, checkpoint), title);
    if (!problems) return;
    const name = basename(checkpoint);
    const result = await cancellable(`Distillery: evaluating ${name}`, async (signal, progress) => {
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
            const message = `${done} of ${problems.length}, ${percent(right / done)} right`;
            progress.report({ increment: (100 * answers.length) / problems.length, message });
          },
        },
      );
    });
    const run = runOfCheckpoint(checkpoint);
    if (run) services.runs.refresh(run);
    const text = resultText(name, result);
    const unrecorded = result.unrecorded ? [`Not recorded in the run: ${result.unrecorded}`] : [];
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
  label: 'A Model on a Server…',
  description: 'OpenAI-compatible: vLLM, Ollama, llama.cpp',
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
  const range = `95 %: ${percent(low)} to ${percent(high)}`;
  return `${name}: ${percent(accuracy)} right of ${plural(n, 'problem')} (${range}), ${tokens(meanTokens)}`;
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
  const items = [
    { label: `All ${problems.length} problems`, value: problems },
    ...samples
      .filter((n) => n < problems.length)
      .map((n) => ({ label: `The first ${n}`, value: problems.slice(0, n) })),
  ];
  if (items.length === 1 && host === undefined) return problems;
  const placeHolder = host === undefined ? 'Problems' : `Problems, whose questions are sent to ${host}`;
  return (await vscode.window.showQuickPick(items, { title, placeHolder, ignoreFocusOut: true }))?.value;
}
