import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UserError } from '../../errors';
import { readSmallText } from '../../lines';
import { type ChainSelection, keepRules, writeChainsOf } from '../../teachers/chains';
import { checkBaseUrl, keyFor } from '../../teachers/endpoint';
import { TeacherFault } from '../../teachers/faults';
import { type GenerationOutcome, generate, type TeacherSampling, tasksOf } from '../../teachers/generate';
import { openJournal } from '../../teachers/journal';
import { ggufTeacher } from '../../teachers/llama';
import { openAiTeacher } from '../../teachers/openai';
import { checkOutput, endedEarly, faultOfOutcome, journalOf } from '../../teachers/output';
import { planOf } from '../../teachers/plan';
import { checkPrompt, defaultPrompt } from '../../teachers/prompt';
import type { Teacher } from '../../teachers/types';
import { type DatasetOptions, datasetOptions, datasetSource, loadAsked } from '../inputs/dataset';
import { count, positive, requestCount, sampleCount, upTo, wholeUpTo } from '../inputs/options';
import { askConsent } from '../terminal/consent';
import { exitCodes, print } from '../terminal/exit';
import { stderr, stdout } from '../terminal/terminal';
import { planText, resultText, showTeaching } from '../text/teach-text';

interface Options extends DatasetOptions {
  out: string;
  baseUrl?: string;
  model?: string;
  gguf?: string;
  start: number;
  limit?: number;
  samples: number;
  keep: ChainSelection['keep'];
  thoughts: boolean;
  withUnanswered?: boolean;
  temperature: number;
  maxTokens: number;
  prompt?: string;
  seed?: number;
  concurrency: number;
  rpm?: number;
  timeout: number;
  retries: number;
  priceIn?: number;
  priceOut?: number;
  budget?: number;
  yes?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

export function addTeachCommand(program: Command): void {
  const command = program
    .command('teach')
    .description('ask a teacher for chains of thought, and keep those that reach the reference answer')
    .argument('<questions>', 'a dataset with questions and answers: JSON lines, JSON, CSV, Parquet or Arrow')
    .requiredOption('--out <file>', 'output file of chains, *.chains.jsonl')
    .option('--base-url <url>', 'an OpenAI-compatible endpoint, such as http://localhost:11434/v1')
    .option('--model <name>', "the teacher's model name at the endpoint")
    .option('--gguf <file>', 'instead: a teacher in a GGUF file, run on this machine by node-llama-cpp')
    .option('--start <n>', 'skip the first n rows', count, 0)
    .option('--limit <n>', 'ask at most n questions', positive)
    .option('--samples <k>', 'chains per question', sampleCount, 4)
    .addOption(
      new Option('--keep <rule>', 'which of the right chains to keep')
        .choices([...keepRules])
        .default('shortest-correct'),
    )
    .option('--no-thoughts', "remove the teacher's <think> part from the chains")
    .option('--with-unanswered', 'keep questions without a right chain too, without a chain')
    .option('--temperature <t>', 'temperature of sampling', upTo(2), 0.7)
    .option('--max-tokens <n>', 'maximum tokens of a reply, including its thinking', positive, 4096)
    .option('--prompt <file>', 'file with a prompt of your own, with {question} in it')
    .option('--seed <n>', 'sent with each request, if the endpoint supports it: sample i has seed n + i', count)
    .option('--concurrency <n>', 'concurrent requests', requestCount, 4)
    .option('--rpm <n>', 'maximum requests per minute', positive)
    .option(
      '--timeout <s>',
      'seconds without data (or five times as many without text) after which a request fails',
      wholeUpTo(86_400),
      120,
    )
    .option('--retries <n>', 'retries of a failed request', count, 5)
    .option('--price-in <x>', 'price of a million prompt tokens', upTo(1e6))
    .option('--price-out <x>', 'price of a million reply tokens', upTo(1e6))
    .option('--budget <x>', 'stop before the replies can cost more; needs the prices', upTo(1e9))
    .option('--yes', 'send without asking')
    .option('--dry-run', 'show what would be sent where, and exit')
    .option('--json', 'one JSON object per line: the plan, the result');
  datasetOptions(command)
    .addHelpText(
      'after',
      `
Keys come from DISTILLERY_API_KEY, or for api.openai.com from OPENAI_API_KEY; they are never written to a file.
Every reply is saved beside the output at once. After an interruption run the same command again: only missing replies
are requested.

Examples:
  distillery teach gsm8k/train.jsonl --out r1.chains.jsonl --base-url https://api.deepseek.com/v1 --model deepseek-reasoner
  distillery teach train.jsonl --out qwen.chains.jsonl --base-url http://localhost:11434/v1 --model qwen3:14b --samples 8
  distillery teach train.jsonl --out x.chains.jsonl --base-url ... --model ... --price-in 0.55 --price-out 2.19 --budget 5 --yes`,
    )
    .action(teach);
}

async function teach(questions: string, options: Options): Promise<void> {
  const out = resolve(options.out);
  const journalFolder = journalOf(out);
  checkOutput(questions, out);
  const { teacher, keyFrom } = teacherOf(options);
  const source = { ...(await datasetSource(questions, options)), start: options.start, count: options.limit };
  const dataset = await loadAsked(source, { quiet: options.json });
  if (!dataset) return;
  const { problems } = dataset;
  const sampling = samplingOf(options);
  const prices = pricesOf(options);
  const tasks = tasksOf(problems, teacher, sampling);
  const journal = openJournal(journalFolder);
  try {
    const plan = planOf(teacher, { questions: problems.length, tasks, entries: journal.entries, prices });
    if (options.json) print({ plan: { ...plan, key: keyFrom ?? null, out, journal: journalFolder } });
    else stderr.write(`${planText(plan, { keyFrom, out, journal: journalFolder, budget: options.budget })}\n`);
    if (options.dryRun) return;
    if (plan.cached < plan.requests && !(await askConsent('Send them?', options.yes))) return;
    const outcome = await ask(teacher, tasks, journal, options);
    const { keep, thoughts, withUnanswered: unanswered = false } = options;
    const { ended, failures, progress, without } = outcome;
    const selection = { keep, thoughts, unanswered };
    const written = writeChainsOf(out, { problems, teacher, sampling, journal }, selection, endedEarly(outcome));
    const result = {
      out,
      journal: journalFolder,
      ...written,
      usage: progress.usage,
      correct: progress.correct,
      failures,
      without,
    };
    if (options.json) print({ result: { ...result, replies: progress.done, ended: endWord(ended) } });
    else stdout.write(`${resultText(result, progress, ended, prices)}\n`);
    if (ended === 'stopped') process.exitCode = exitCodes.stopped;
    const fault = faultOfOutcome(outcome);
    if (fault) throw fault;
  } finally {
    journal.close();
    await teacher.dispose?.();
  }
}

const endWord = (ended: GenerationOutcome['ended']) =>
  ended instanceof TeacherFault ? 'failed' : (ended ?? 'finished');

/**
 * Requests with progress on the terminal. Ctrl-C waits for replies in progress, as they are paid for; a second one does
 * not.
 */
async function ask(
  teacher: Teacher,
  tasks: Parameters<typeof generate>[0],
  journal: Parameters<typeof generate>[2],
  options: Options,
) {
  const [stop, abort] = [new AbortController(), new AbortController()];
  const show = showTeaching(stderr, options.json ?? false);
  const interrupt = () => {
    if (stop.signal.aborted) abort.abort();
    else show.print('Waiting for the replies in progress, which are paid for; a second Ctrl-C drops them.');
    stop.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt);
  try {
    return await generate(tasks, teacher, journal, {
      concurrency: options.concurrency,
      pace: { requestsPerMinute: options.rpm, attempts: options.retries + 1 },
      prices: pricesOf(options),
      budget: options.budget,
      stop: stop.signal,
      abort: abort.signal,
      notify: show.progress,
    });
  } finally {
    show.end();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt).off('SIGHUP', interrupt);
  }
}

function teacherOf({ baseUrl, model, gguf, timeout, maxTokens, concurrency }: Options): {
  teacher: Teacher;
  keyFrom?: string;
} {
  if (gguf !== undefined && baseUrl !== undefined)
    throw new UserError('two teachers are given', {
      code: 'usage',
      remedy: 'Give either --gguf or --base-url and --model.',
    });
  if (gguf !== undefined) return { teacher: ggufTeacher(gguf, { concurrency, maxTokens }) };
  if (baseUrl === undefined || model === undefined)
    throw new UserError('no teacher is given', { code: 'usage', remedy: 'Give --base-url and --model, or --gguf.' });
  const key = keyFor(checkBaseUrl(baseUrl), process.env);
  const teacher = openAiTeacher({ baseUrl, model, apiKey: key?.key, silenceMs: timeout * 1000 });
  return { teacher, keyFrom: key?.from };
}

function samplingOf({ samples, temperature, maxTokens, prompt, seed }: Options): TeacherSampling {
  const template = prompt === undefined ? defaultPrompt : checkPrompt(readSmallText(prompt).trim(), prompt);
  return { samples, temperature, maxTokens, template, ...(seed !== undefined && { seed }) };
}

function pricesOf({ priceIn, priceOut, budget }: Options) {
  if (priceIn !== undefined && priceOut !== undefined) return { input: priceIn, output: priceOut };
  if (priceIn === undefined && priceOut === undefined && budget === undefined) return undefined;
  throw new UserError(budget === undefined ? 'one price is missing' : 'a budget needs prices', {
    code: 'usage',
    remedy: 'Give both --price-in and --price-out, per million tokens.',
  });
}
