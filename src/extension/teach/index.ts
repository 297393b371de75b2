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
import { datasetEndings } from '../commands/experiment-form';
import { trustedCommand } from '../commands/report';
import type { Services } from '../services';
import { cancellable } from '../shared/cancellable';
import { forgetKey, refusesKey } from '../shared/endpoints';
import { setting } from '../shared/settings';
import { clipLine, duration, percent, plural } from '../shared/words';
import * as vscode from '../vscode';
import { loadNamedData } from '../workspace/named-files';
import { pickTeacher } from './pick-teacher';

/**
 * `distillery.generateChains`: asks a teacher for chains for the questions of a dataset, keeps the right ones, and
 * opens them.
 */
export function registerTeach(services: Services): vscode.Disposable {
  return trustedCommand(services, 'distillery.generateChains', async (argument?: unknown) => {
    const file = argument instanceof vscode.Uri ? argument.fsPath : await chooseQuestions();
    if (file === undefined) return undefined;
    const { secrets } = services.context;
    const teacher = await pickTeacher(secrets, 'Generate Teacher Chains');
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
    label: `Send ${plural(left, 'request')}`,
    description: `to ${plan.model}, ${plan.host}`,
    detail: [
      `${plural(plan.questions, 'question')}, ${Math.round(plan.requests / plan.questions)} chains each`,
      plan.cached > 0 ? `${plan.cached} answered before` : '',
      `about ${plan.expected.prompt} tokens in, ${plan.expected.completion} out${plan.measured ? '' : ' (a guess)'}`,
      plan.cost ? `cost about ${plan.cost.expected.toFixed(3)}, at most ${plan.cost.most.toFixed(2)}` : '',
    ]
      .filter(Boolean)
      .join(' · '),
  };
  const show = {
    icon: 'eye',
    label: 'Show What Is Sent',
    detail: 'The text of each question, and nothing else from the row.',
  };
  for (;;) {
    const title = `Send questions to ${plan.host}?`;
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
  const title = `${teacher.model} answers ${plural(questions, 'question')}`;
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
    `${done} of ${total}`,
    done > 0 ? `${percent(correct / done, 0)} right` : '',
    asked > 0 && done < total ? `${duration((seconds / asked) * (total - done))} left` : '',
    waiting && waiting.until > Date.now() ? `waiting: ${clipLine(waiting.reason, 60)}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function resultText(
  { ended, failures, progress, without }: GenerationOutcome,
  { rows, solved, questions, kept }: WrittenChains,
): string {
  const text = `${plural(rows, 'chain')}: ${solved} of ${questions} questions solved.`;
  const stays = kept === undefined ? '' : ` The existing file has more (${plural(kept, 'row')}) and is kept.`;
  const lacking =
    without.length > 0 ? ` The endpoint does not support ${without.join(', ')} and uses its own default.` : '';
  const failed =
    failures.length > 0
      ? ` ${plural(failures.length, 'request')} without a reply: ${clipLine(failures[0].message, 80)}`
      : '';
  const { cut, done } = progress;
  const short =
    cut > 0 ? ` ${cut} of ${done} replies were cut off at distillery.teacher.maxTokens and cannot be used.` : '';
  const rest = progress.total - done;
  return (
    text +
    stays +
    lacking +
    failed +
    short +
    (ended === 'stopped' ? ` Stopped; ${rest} replies are missing. Only these are requested the next time.` : '')
  );
}
