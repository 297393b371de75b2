/** Evaluate Model on a Server, with the same service as `distillery evaluate --server`. */

import type { PromptStyle } from '../../config/student';
import type { Problems } from '../../data/problems';
import { caveats, deviations } from '../../evaluation/caveats';
import { linesOf, recordOf } from '../../evaluation/records';
import { evaluateOnServer, type ServerAnswer, type ServerSettings, studentOn } from '../../evaluation/server';
import { answerSettings } from '../../evaluation/settings';
import { locateDataset } from '../../hub/cache';
import { currentText } from '../config/texts';
import type { Services } from '../services';
import { cancellable } from '../shared/cancellable';
import { askEndpoint, type Endpoint, forgetKey, keyOf, refusesKey } from '../shared/endpoints';
import { offer } from '../shared/offers';
import { setting } from '../shared/settings';
import { percent, plural } from '../shared/words';
import { loadSuite, type Suite, suiteOfFile, suitesOfExperiment } from '../tests/suites';
import * as vscode from '../vscode';
import { pickProblems, resultText } from './evaluate';
import { datasetEndings } from './experiment-form';
import { trustedCommand } from './report';

const title = 'Evaluate Model on a Server';
const lastServer = 'distillery.evaluation.server';

/** What to ask which server; the user is asked for missing values. */
interface EvaluationRequest extends Partial<Endpoint> {
  prompt?: PromptStyle;
  /** The file of an experiment, for its test problems, or of a dataset. */
  data?: string;
}

/** Returns accuracy, number of answers, and the answers as JSON lines. */
export function registerEvaluateServer(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.evaluateOnServer', async (argument?: EvaluationRequest) => {
    const { secrets, globalState } = services.context;
    const { baseUrl, model, prompt, data } = argument ?? {};
    const server =
      baseUrl && model ? { baseUrl, model } : await askEndpoint(title, globalState.get<Endpoint>(lastServer) ?? {});
    const key = server && (await keyOf(secrets, server.baseUrl));
    if (!server || key === undefined) return undefined;
    await globalState.update(lastServer, server);
    const suite = await (data === undefined ? pickSuite(services) : suiteOf(data));
    const style = suite && (prompt ?? (await pickPrompt(suite)));
    if (!suite || !style) return undefined;
    const student = studentOn(server.baseUrl, server.model, style, key || undefined);
    const problems = await pickProblems(loadSuite(suite, currentText).problems, title, student.host);
    if (!problems) return undefined;
    services.log.info(`Sending ${plural(problems.length, 'problem')} to ${student.endpoint}`);
    const system = suite.asked?.system;
    const settings = {
      ...answerSettings(suite.settings),
      prompt: style,
      concurrency: setting('teacher.concurrency', 4),
      ...(system !== undefined && style === 'chat' && { system }),
    };
    const lineOf = (answer: ServerAnswer, i: number) => linesOf([recordOf(answer, i, problems, 1)]);
    const received: string[] = [];
    const keep = (answer: ServerAnswer, i: number) => received.push(lineOf(answer, i));
    try {
      const evaluation = await ask(student, problems, { ...settings, answered: keep });
      const lines = evaluation.answers.map(lineOf).join('');
      const notes = caveats(evaluation.answers, { ...settings, setting: 'evaluation.maxNewTokens' });
      for (const note of notes) services.log.warn(note);
      const lost = evaluation.answers.flatMap(({ error }) => error ?? []);
      const deviating = deviations({ count: lost.length, first: lost[0] }, evaluation.without);
      const texts = [resultText(server.model, evaluation), ...notes, ...deviating];
      void offer(texts.join(' '), { title: 'Open Answers', run: () => openAsDocument(lines) });
      return { accuracy: evaluation.accuracy, n: evaluation.n, answers: lines };
    } catch (error) {
      if (refusesKey(error)) await forgetKey(secrets, server.baseUrl);
      // Answers that arrived were paid for, so they are kept.
      if (received.length > 0) await openAsDocument(received.join(''));
      throw error;
    }
  });
}

/** Opened as an unsaved document: nothing is written without the user. */
async function openAsDocument(content: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument({ content, language: 'jsonl' });
  await vscode.window.showTextDocument(document, { preview: false });
}

function ask(student: ReturnType<typeof studentOn>, problems: Problems, settings: ServerSettings) {
  return cancellable(`Distillery: evaluating ${student.model}`, (signal, progress) => {
    let [done, right] = [0, 0];
    const answered: ServerSettings['answered'] = (answer, i) => {
      settings.answered?.(answer, i);
      done++;
      right += Number(answer.correct);
      const message = `${done} of ${problems.length}, ${percent(right / done)} right`;
      progress.report({ increment: 100 / problems.length, message });
    };
    return evaluateOnServer(student, problems, 1, { ...settings, signal, answered });
  });
}

/** The prompt format that the student was trained with. */
async function pickPrompt({ asked }: Suite): Promise<PromptStyle | undefined> {
  const plain = {
    label: 'Plain Text',
    detail: 'Plain text, as base models and most students here expect: /completions',
    value: 'plain' as const,
  };
  const chat = {
    label: 'Chat',
    detail: "In the student's chat template, which the server applies: /chat/completions",
    value: 'chat' as const,
  };
  const items = asked?.prompt === 'chat' ? [chat, plain] : [plain, chat];
  return (
    await vscode.window.showQuickPick(items, {
      title,
      placeHolder: 'Which prompt format does the student expect?',
      ignoreFocusOut: true,
    })
  )?.value;
}

/** The test problems of an experiment, or all problems of a dataset. */
function suiteOf(file: string): Suite {
  return file.endsWith('.distillery.json') ? suitesOfExperiment(file, currentText(file) ?? '')[0] : suiteOfFile(file);
}

async function pickSuite({ runs }: Services): Promise<Suite | undefined> {
  await runs.ready;
  const file = {
    icon: 'file',
    label: 'Dataset…',
    description: 'JSON lines, JSON, CSV, Parquet or Arrow',
    file: '',
  };
  const hub = {
    icon: 'cloud-download',
    label: 'Dataset of the Hugging Face Hub…',
    description: 'by its name',
    file: '',
  };
  const experiments = runs.experiments().map(({ name, file }) => ({
    icon: 'beaker',
    label: name,
    description: 'its test problems',
    file,
  }));
  const items = [...experiments, file, hub];
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: 'Problems', ignoreFocusOut: true });
  if (picked === hub) {
    const name = await vscode.commands.executeCommand<string | undefined>('distillery.downloadDataset');
    return name === undefined ? undefined : suiteOfFile(locateDataset(name, '.'), 'test');
  }
  if (picked !== file) return picked && suiteOf(picked.file);
  const chosen = await vscode.window.showOpenDialog({ title, filters: { Datasets: datasetEndings } });
  return chosen === undefined ? undefined : suiteOfFile(chosen);
}
