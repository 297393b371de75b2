import { basename, dirname, extname, join } from 'node:path';
import { guessFormat } from '../../data/guess';
import { type WrittenChains, writeChainsOf } from '../../teachers/chains';
import {
  type GenerationOutcome,
  type GenerationProgress,
  generate,
  type Task,
  type TeacherSampling,
  tasksOf,
} from '../../teachers/generate';
import { openJournal, type ReplyJournal } from '../../teachers/journal';
import { checkOutput, endedEarly, faultOfOutcome, journalOf } from '../../teachers/output';
import { planOf, type RequestPlan } from '../../teachers/plan';
import { defaultPrompt } from '../../teachers/prompt';
import type { Teacher } from '../../teachers/types';
import { cancellable } from '../cancellable';
import { datasetEndings } from '../commands/experiment-form';
import { trustedCommand } from '../commands/report';
import { forgetKey, refusesKey } from '../endpoints';
import { loadNamedData } from '../named-files';
import type { Services } from '../services';
import { setting } from '../settings';
import * as vscode from '../vscode';
import { clipLine, duration, percent, plural } from '../words';
import { pickTeacher } from './pick-teacher';

const { t } = vscode.l10n;

/**
 * `distillery.generateChains`: asks a teacher for chains for the questions of a dataset, keeps the right ones, and
 * opens them.
 */
export function registerTeach(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.generateChains', async (argument?: unknown) => {
    const file = argument instanceof vscode.Uri ? argument.fsPath : await chooseQuestions();
    if (file === undefined) return undefined;
    const { secrets } = services.context;
    const teacher = await pickTeacher(secrets, t('Generate Teacher Chains'));
    return teacher && teach(file, teacher, services, () => forgetKey(secrets, teacher.endpoint));
  });
}

async function chooseQuestions(): Promise<string | undefined> {
  const open = vscode.window.activeTextEditor?.document.uri;
  if (open?.scheme === 'file' && /\.jsonl$/.test(open.fsPath)) return open.fsPath;
  const filters = { Datasets: datasetEndings };
  return vscode.window.showOpenDialog({ title: 'Questions with Answers', openLabel: 'Choose', filters });
}

/**
 * Plans, asks for consent, sends the questions, keeps the chains. Returns the file with the chains; undefined when
 * nothing was sent.
 */
async function teach(
  file: string,
  teacher: Teacher,
  { log }: Services,
  forget: () => Promise<void>,
): Promise<string | undefined> {
  const out = join(dirname(file), `${stem(file)}.${slug(teacher.model)}.chains.jsonl`);
  checkOutput(file, out);
  const { problems } = loadNamedData({ format: guessFormat(file), path: file, start: 0 }, '.');
  const sampling: TeacherSampling = {
    samples: setting('teacher.samples', 4),
    temperature: setting('teacher.temperature', 0.7),
    maxTokens: setting('teacher.maxTokens', 4096),
    template: defaultPrompt,
  };
  const tasks = tasksOf(problems, teacher, sampling);
  const journal = openJournal(journalOf(out));
  try {
    const plan = planOf(teacher, { questions: problems.length, tasks, entries: journal.entries, prices: pricesOf() });
    if (plan.cached < plan.requests && !(await agree(plan))) return undefined;
    log.info(`Asking ${teacher.model} at ${teacher.host}: ${plan.requests - plan.cached} of ${plan.requests} requests`);
    const outcome = await ask(teacher, tasks, journal, problems.length);
    const selection = { keep: 'shortest-correct', thoughts: true, unanswered: false } as const;
    const written = writeChainsOf(out, { problems, teacher, sampling, journal }, selection, endedEarly(outcome));
    await vscode.window.showTextDocument(vscode.Uri.file(out), { preview: false });
    const fault = faultOfOutcome(outcome);
    if (refusesKey(fault)) await forget();
    if (fault) throw fault;
    void vscode.window.showInformationMessage(resultText(outcome, written));
    return out;
  } finally {
    journal.close();
    await teacher.dispose?.();
  }
}

const stem = (path: string) => slug(basename(path, extname(path)).replace(/\.chains$/, ''));
/** The part of a model name such as `Qwen/Qwen3-14B` or `qwen3:14b` that is valid in a file name. */
const slug = (name: string) => basename(name).replace(/[^\w.-]+/g, '-');

function pricesOf() {
  const [input, output] = [setting('teacher.priceInput', 0), setting('teacher.priceOutput', 0)];
  return input > 0 || output > 0 ? { input, output } : undefined;
}

/**
 * Nothing is sent before the user agrees. A list and not a dialog, as it has room for details and for a way to see all
 * that is sent.
 */
async function agree(plan: RequestPlan): Promise<boolean> {
  const left = plan.requests - plan.cached;
  const send = {
    icon: 'send',
    label: t('Send {0}', plural(left, 'request')),
    description: t('to {0}, {1}', plan.model, plan.host),
    detail: [
      t('{0}, {1} chains each', plural(plan.questions, 'question'), Math.round(plan.requests / plan.questions)),
      plan.cached > 0 ? t('{0} answered before', plan.cached) : '',
      t('about {0} tokens in, {1} out', plan.expected.prompt, plan.expected.completion) +
        (plan.measured ? '' : t(' (a guess)')),
      plan.cost ? t('cost about {0}, at most {1}', plan.cost.expected.toFixed(3), plan.cost.most.toFixed(2)) : '',
    ]
      .filter(Boolean)
      .join(' · '),
  };
  const show = {
    icon: 'eye',
    label: t('Show What Is Sent'),
    detail: t('The text of each question, and nothing else from the row.'),
  };
  for (;;) {
    const title = t('Send questions to {0}?', plan.host);
    const answer = await vscode.window.showQuickPick([send, show], {
      title,
      placeHolder: plan.endpoint,
      ignoreFocusOut: true,
    });
    if (answer !== show) return answer === send;
    const content = `POST ${plan.endpoint}/chat/completions\nmodel: ${plan.model}\n\n${plan.example ?? ''}`;
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content }), { preview: true });
  }
}

/** After Cancel, replies in progress, which are paid for, are awaited for this long. */
const cancelGraceMs = 20_000;

function ask(
  teacher: Teacher,
  tasks: readonly Task[],
  journal: ReplyJournal,
  questions: number,
): Thenable<GenerationOutcome> {
  const title = t('{0} answers {1}', teacher.model, plural(questions, 'question'));
  return cancellable(title, async (stop, progress) => {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    stop.addEventListener('abort', () => {
      timer = setTimeout(() => abort.abort(), cancelGraceMs);
    });
    const started = performance.now();
    let reported = 0;
    const notify = (now: GenerationProgress) => {
      const increment = (100 * (now.done - reported)) / Math.max(now.total, 1);
      reported = now.done;
      progress.report({ message: progressText(now, (performance.now() - started) / 1000), increment });
    };
    try {
      const concurrency = setting('teacher.concurrency', 4);
      return await generate(tasks, teacher, journal, {
        concurrency,
        pace: {},
        stop,
        abort: abort.signal,
        notify,
      });
    } finally {
      clearTimeout(timer);
    }
  });
}

function progressText({ done, total, cached, correct, waiting }: GenerationProgress, seconds: number): string {
  const asked = done - cached;
  return [
    t('{0} of {1}', done, total),
    done > 0 ? t('{0} right', percent(correct / done, 0)) : '',
    asked > 0 && done < total ? t('{0} left', duration((seconds / asked) * (total - done))) : '',
    waiting && waiting.until > Date.now() ? t('waiting: {0}', clipLine(waiting.reason, 60)) : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function resultText(
  { ended, failures, progress, without }: GenerationOutcome,
  { rows, solved, questions, kept }: WrittenChains,
): string {
  const text = t('{0}: {1} of {2} questions solved.', plural(rows, 'chain'), solved, questions);
  const stays = kept === undefined ? '' : ` ${t('The existing file has more ({0}) and is kept.', plural(kept, 'row'))}`;
  const lacking =
    without.length > 0
      ? ` ${t('The endpoint does not support {0} and uses its own default.', without.join(', '))}`
      : '';
  const failed =
    failures.length > 0
      ? ` ${t('{0} without a reply: {1}', plural(failures.length, 'request'), clipLine(failures[0].message, 80))}`
      : '';
  const { cut, done } = progress;
  const short =
    cut > 0
      ? ` ${t('{0} of {1} replies were cut off at distillery.teacher.maxTokens and cannot be used.', cut, done)}`
      : '';
  const rest = progress.total - done;
  return (
    text +
    stays +
    lacking +
    failed +
    short +
    (ended === 'stopped'
      ? ` ${t('Stopped; {0} replies are missing. Only these are requested the next time.', rest)}`
      : '')
  );
}
