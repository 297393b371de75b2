import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { exactMatch, flexibleExtract, strictMatch } from '../chain/twins';
import type { PromptStyle } from '../config/student';
import { type Evaluation, evaluate } from '../curriculum/evaluate';
import { prepareLessons } from '../curriculum/lessons';
import { openStudent } from '../curriculum/students';
import type { Problem } from '../data/types';
import { writeAtomically } from '../disk';
import { UserError } from '../errors';
import { useBackend } from '../kernels/backends';
import type { PromptSettings } from '../model/prompting';
import { disposeModel } from '../model/transformer';
import { mean, wilsonInterval } from '../statistics';
import { backendOption, promptOption, promptSettings, studentAt } from './asked-student';
import { evaluateOnServer, studentOn } from './evaluate-server';
import { printDocument } from './exit';
import { columns, percent, plural } from './format';
import { count, positive, upTo } from './options';
import { shown } from './places';
import { checkTarget } from './target';
import { loadTestData, type TestData, type TestOptions } from './test-data';
import { waiting } from './waiting';

interface Options extends TestOptions {
  server?: string;
  model?: string;
  concurrency: number;
  maxNewTokens?: number;
  temperature?: number;
  samples: number;
  prompt?: PromptSettings['prompt'];
  system?: string;
  backend: 'auto';
  out?: string;
  json?: boolean;
}

export function addEvaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .description('test a student: accuracy, length, and every answer')
    .argument('[checkpoint]', 'a Hugging Face folder, such as a checkpoint of a run')
    .option(
      '--data <file>',
      'a dataset, an experiment (its test data), or the word arithmetic; default: that of its run',
    )
    .addOption(
      new Option('--format <name>', 'of the dataset (default: by its first row)').choices([
        'chains',
        'gsm8k',
        'bridge',
        'parquet',
        'arithmetic',
      ]),
    )
    .option('--limit <n>', 'ask at most n problems', positive)
    .option('--max-new-tokens <n>', "longest answer (default: the experiment's, or 512)", positive)
    .option('--temperature <t>', '0 = greedy (default: 0, with several samples 0.7)', upTo(10))
    .option('--samples <k>', 'answers to each problem', positive, 1)
    .option('--seed <n>', 'of sampling, and of arithmetic problems', count, 1)
    .addOption(promptOption())
    .option('--system <text>', 'system message of the chat')
    .addOption(backendOption())
    .option(
      '--server <url>',
      'ask an OpenAI-compatible server that holds the student, such as http://localhost:8000/v1',
    )
    .option('--model <name>', 'the student, as the server calls it')
    .option('--concurrency <n>', 'requests to the server at a time', positive, 16)
    .option('--out <file>', 'write every answer there, a JSON line each')
    .option('--json', 'the result as one JSON object')
    .addHelpText(
      'after',
      `
Accuracy counts answers behind an answer mark ("Answer: 18", "#### 18", a box); lenient takes the last number where there is
none. strict-match and flexible-extract are the filters of lm-evaluation-harness's gsm8k task, for comparison with its tables.

Examples:
  distillery evaluate .distillery/runs/<run>/checkpoints/rewrite-320
  distillery evaluate ./Qwen2.5-0.5B --data gsm8k/test.jsonl --limit 200 --out answers.jsonl
  distillery evaluate checkpoint --data examples/arithmetic --samples 8 --temperature 1 --json
  distillery evaluate --server http://localhost:8000/v1 --model my-student --data gsm8k/test.jsonl
  distillery evaluate --server http://localhost:8000/v1 --model my-chat-student --prompt chat --data gsm8k/test.jsonl`,
    )
    .action(async (named: string | undefined, options: Options) => {
      if (options.out !== undefined) checkTarget(options.out, (head) => head.startsWith('{"problemId":'));
      if (options.server !== undefined) return evaluateServer(options.server, named, options);
      if (named === undefined)
        throw new UserError('no student is named', {
          code: 'usage',
          remedy: 'Give a checkpoint, or a server that holds the student with --server and --model.',
        });
      const checkpoint = studentAt(named);
      const data = loadTestData(checkpoint, options);
      const backend = await useBackend(options.backend);
      const { model, tokenizer, prompt } = openStudent(checkpoint, promptSettings(checkpoint, options));
      const { samples } = options;
      const lessons = prepareLessons(data.problems, tokenizer);
      const longest = Math.max(...lessons.map(({ prompt }) => prompt.length));
      const room = model.config.maxPositions - longest;
      const settings = {
        maxNewTokens: options.maxNewTokens ?? Math.max(1, Math.min(data.evaluation?.maxNewTokens ?? 512, room)),
        temperature: options.temperature ?? (samples > 1 ? 0.7 : (data.evaluation?.temperature ?? 0)),
        seed: options.seed,
        batch: data.evaluation?.batch ?? 64,
        prompt,
      };
      const asked = lessons.flatMap((lesson) => Array.from({ length: samples }, () => lesson));
      const done = waiting(`Answering ${plural(lessons.length, 'problem')}`, options.json);
      const evaluation = await evaluate(model, tokenizer, asked, settings).finally(done);
      disposeModel(model);
      tell({ checkpoint: resolve(checkpoint) }, data, evaluation, settings, backend.description, options);
    });
}

/** The same test of a student that a server holds: the same prompts, judged and recorded in the same way. */
async function evaluateServer(url: string, checkpoint: string | undefined, options: Options): Promise<void> {
  const { model, samples } = options;
  if (model === undefined)
    throw new UserError('no student is named', { code: 'usage', remedy: 'Give its name on the server with --model.' });
  const style: PromptStyle = options.prompt === 'chat' ? 'chat' : 'plain';
  if (options.system !== undefined && style === 'plain')
    throw new UserError('a system message is part of a chat', { code: 'usage', remedy: 'Give --prompt chat, too.' });
  const data = loadTestData(checkpoint ?? '.', options);
  const settings = {
    maxNewTokens: options.maxNewTokens ?? data.evaluation?.maxNewTokens ?? 512,
    temperature: options.temperature ?? (samples > 1 ? 0.7 : (data.evaluation?.temperature ?? 0)),
    seed: options.seed,
    concurrency: options.concurrency,
    style,
    ...(options.system !== undefined && { system: options.system }),
  };
  const student = studentOn(url, model, style);
  const asked = plural(data.problems.length, 'problem');
  if (!options.json) process.stderr.write(`Sending ${asked} to ${student.endpoint}\n`);
  const done = waiting(`Answering ${asked}`, options.json);
  const evaluation = await evaluateOnServer(student, data.problems, samples, settings).finally(done);
  tell({ model, server: student.endpoint }, data, evaluation, settings, `on ${student.host}`, options);
}

function tell(
  student: { checkpoint: string } | { model: string; server: string },
  data: TestData,
  evaluation: Evaluation,
  settings: Result['settings'],
  backend: string,
  { samples, out, json }: Options,
): void {
  const asked = data.problems.flatMap((problem) => Array.from({ length: samples }, () => problem));
  const answers = records(evaluation, asked, samples);
  const result = {
    ...student,
    data: { ...data.source, hash: data.hash },
    ...summarise(evaluation, answers, samples),
    ...{ settings, backend },
    ...(out && { out: resolve(out) }),
  };
  if (json) printDocument(result);
  else process.stdout.write(`${text(result, 'server' in student ? student.model : shown(student.checkpoint))}\n`);
  // Last: what the disk says must not take the result away.
  if (out) writeAtomically(resolve(out), answers.map((one) => `${JSON.stringify(one)}\n`).join(''));
}

type AnswerRecord = ReturnType<typeof records>[number];

function records({ answers }: Evaluation, asked: readonly Problem[], samples: number) {
  return answers.map(({ problemId, text, tokens, answer, correct, lenientCorrect, finished }, i) => {
    const { question, answer: gold } = asked[i];
    return {
      problemId,
      ...(samples > 1 && { sample: i % samples }),
      question,
      gold,
      text,
      answer,
      correct,
      lenientCorrect,
      strictMatch: exactMatch(strictMatch(text), gold),
      flexibleExtract: exactMatch(flexibleExtract(text), gold),
      finished,
      tokens,
    };
  });
}

function summarise(evaluation: Evaluation, answers: readonly AnswerRecord[], samples: number) {
  const n = answers.length / samples;
  const share = (test: (answer: AnswerRecord) => boolean) => mean(answers.map((answer) => Number(test(answer))));
  const solved = Array.from({ length: n }, (_, i) =>
    Number(answers.slice(i * samples, (i + 1) * samples).some(({ correct }) => correct)),
  );
  return {
    n,
    samples,
    accuracy: evaluation.accuracy,
    // Answers to one problem are not independent: the interval counts problems, which is on the safe side.
    accuracyInterval: wilsonInterval(evaluation.accuracy * n, n),
    lenientAccuracy: evaluation.lenientAccuracy,
    ...(samples > 1 && { passAtK: mean(solved) }),
    lmEval: {
      strictMatch: share((answer) => answer.strictMatch),
      flexibleExtract: share((answer) => answer.flexibleExtract),
    },
    meanTokens: evaluation.meanTokens,
    truncated: evaluation.truncated,
    tokensPerSecond: evaluation.tokensPerSecond,
  };
}

type Result = ReturnType<typeof summarise> & {
  settings: { maxNewTokens: number; temperature: number; prompt?: string };
  backend: string;
  out?: string;
};

function text(result: Result, student: string): string {
  const { n, samples, accuracy, accuracyInterval, lenientAccuracy, passAtK, lmEval, settings } = result;
  const [low, high] = accuracyInterval;
  const rows = [
    ['accuracy', percent(accuracy), `95 % interval ${(100 * low).toFixed(1)} – ${percent(high)}`],
    ['lenient', percent(lenientAccuracy), 'the last number, where no answer is marked'],
    ...(passAtK === undefined ? [] : [[`pass@${samples}`, percent(passAtK), 'any answer right']]),
    ['strict-match', percent(lmEval.strictMatch), 'lm-evaluation-harness: "#### n"'],
    ['flexible-extract', percent(lmEval.flexibleExtract), 'lm-evaluation-harness: the last number'],
    ['mean tokens', result.meanTokens.toFixed(1), ''],
    ['truncated', percent(result.truncated), `at ${settings.maxNewTokens} tokens`],
  ];
  const drawn = settings.temperature === 0 ? 'greedy' : `temperature ${settings.temperature}`;
  const how = settings.prompt === 'chat' ? `${drawn}, in its chat template` : drawn;
  return [
    `${pc.bold(student)} on ${plural(n, 'problem')}, ${samples > 1 ? `${samples} samples each, ` : ''}${how}`,
    '',
    ...columns(
      rows.map(([name, value, note]) => [name, pc.bold(value.padStart(7)), pc.dim(note)]),
      3,
    ),
    '',
    pc.dim(`${result.tokensPerSecond.toFixed(0)} tokens/s, ${result.backend}`),
    ...(result.out ? [`Every answer: ${shown(result.out)}`] : []),
  ].join('\n');
}
