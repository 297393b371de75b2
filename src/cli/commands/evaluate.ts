import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Backend } from '../../config/backends';
import type { PromptStyle } from '../../config/student';
import { evaluate } from '../../curriculum/evaluation/evaluate';
import { answerBudget, openStudent } from '../../curriculum/evaluation/students';
import { prepareLessons } from '../../curriculum/lessons/lessons';
import type { Problems } from '../../data/problems';
import { startEngine } from '../../engine/engines';
import type { Engine } from '../../engine/port';
import { UserError } from '../../errors';
import { caveats } from '../../evaluation/caveats';
import type { Evaluation } from '../../evaluation/figures';
import { linesOf, recordOf } from '../../evaluation/records';
import { evaluateOnServer, type ServerAnswer, type ServerEvaluation, studentOn } from '../../evaluation/server';
import { answerSettings } from '../../evaluation/settings';
import { largest } from '../../statistics';
import { loadStudentTokenizer } from '../../student-files/folder';
import { type PromptSettings, promptStyle } from '../../student-files/prompting';
import { checkBaseUrl, keyFor } from '../../teachers/endpoint';
import { writeOutput } from '../../writing';
import { backendOption, promptOption, promptSettings, studentAt } from '../inputs/asked-student';
import { datasetOptions } from '../inputs/dataset';
import { count, positive, requestCount, sampleCount, upTo } from '../inputs/options';
import { shortPath } from '../inputs/places';
import { checkTarget } from '../inputs/target';
import { loadTestData, type TestData, type TestOptions } from '../inputs/test-data';
import { printDocument } from '../terminal/exit';
import { plural } from '../terminal/format';
import { stderr, stdout } from '../terminal/terminal';
import { waiting } from '../terminal/waiting-indicator';
import { type EvaluateResult, resultText, summarise } from '../text/evaluate-result';
import { engineOption } from './engine';

interface Options extends TestOptions {
  server?: string;
  model?: string;
  concurrency: number;
  maxNewTokens?: number;
  temperature?: number;
  samples: number;
  prompt?: PromptSettings['prompt'];
  system?: string;
  backend: Backend;
  out?: string;
  json?: boolean;
}

export function addEvaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .description('test a student: accuracy, length, and every answer')
    .argument('[checkpoint]', 'a Hugging Face folder, such as a checkpoint of a run')
    .option(
      '--data <file>',
      'a dataset, an experiment (its test data), or the word arithmetic (default: the test data of its run)',
    )
    .option('--limit <n>', 'ask at most n problems', positive)
    .option('--max-new-tokens <n>', "maximum tokens of an answer (default: the experiment's, or 512)", positive)
    .option('--temperature <t>', '0 = greedy (default: 0, or 0.7 with several samples)', upTo(10))
    .option('--samples <k>', 'answers per problem', sampleCount, 1)
    .option('--seed <n>', 'seed of sampling, and of arithmetic problems', count, 1)
    .addOption(promptOption())
    .option('--system <text>', 'system message of the chat')
    .addOption(backendOption())
    .addOption(engineOption())
    .option(
      '--server <url>',
      'ask an OpenAI-compatible server that serves the student, such as http://localhost:8000/v1',
    )
    .option('--model <name>', "the student's name on the server")
    .option('--concurrency <n>', 'concurrent requests to the server', requestCount, 16)
    .option('--out <file>', 'file for all answers, as JSON lines')
    .option('--json', 'the result as one JSON object');
  datasetOptions(command, ['arithmetic'])
    .addHelpText(
      'after',
      `
Accuracy counts answers after an answer mark ("Answer: 18", "#### 18", a box); lenient takes the last number where there
is none. strict-match and flexible-extract are the filters of lm-evaluation-harness's gsm8k task, to compare with its
results.

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
        throw new UserError('no student is given', {
          code: 'usage',
          remedy: 'Give a checkpoint, or a server with --server and --model.',
        });
      const checkpoint = studentAt(named);
      const data = await loadTestData(checkpoint, options);
      if (!data) return;
      const engine = await startEngine(options.backend, checkpoint);
      const { evaluation, ...tested } = await evaluateOn(engine, checkpoint, data, options).finally(() =>
        engine.close(),
      );
      const student = { checkpoint: resolve(checkpoint) };
      printEvaluation({ student, ...tested, backend: engine.info.description }, data, evaluation, options);
    });
}

async function evaluateOn(engine: Engine, checkpoint: string, data: TestData, options: Options) {
  const opened = await openStudent(engine, checkpoint, promptSettings(checkpoint, options));
  const { student, tokenizer, prompt } = opened;
  const { samples } = options;
  const lessons = prepareLessons(data.problems, tokenizer);
  const longest = largest(lessons.map(({ prompt }) => prompt.length));
  const usual = answerSettings(options, data.evaluation);
  const settings = {
    ...usual,
    maxNewTokens: answerBudget(student, longest, usual.maxNewTokens),
    batch: data.evaluation?.batch ?? 64,
    prompt,
  };
  const asked = lessons.flatMap((lesson) => Array.from({ length: samples }, () => lesson));
  const done = waiting(`Answering ${plural(lessons.length, 'problem')}`, options.json);
  const evaluation = await evaluate(student, tokenizer, asked, settings).finally(done);
  return {
    evaluation,
    settings,
    chatTemplate: tokenizer.chatTemplate !== null,
    room: student.facts.maxPositions - longest,
  };
}

/** The same test of a student on a server: prompts, judging and records are the same. */
async function evaluateServer(url: string, named: string | undefined, options: Options): Promise<void> {
  const { model, samples } = options;
  if (model === undefined)
    throw new UserError('no student is given', { code: 'usage', remedy: 'Give its name on the server with --model.' });
  const checkpoint = named === undefined ? undefined : studentAt(named);
  const { prompt, system } = asked(checkpoint, options);
  if (options.system !== undefined && prompt === 'plain')
    throw new UserError('a system message needs a chat prompt', { code: 'usage', remedy: 'Add --prompt chat.' });
  const data = await loadTestData(checkpoint ?? '.', options);
  if (!data) return;
  const settings = {
    ...answerSettings(options, data.evaluation),
    concurrency: options.concurrency,
    prompt,
    ...(system !== undefined && prompt === 'chat' && { system }),
  };
  const student = studentOn(url, model, prompt, keyFor(checkBaseUrl(url), process.env)?.key);
  const problems = plural(data.problems.length, 'problem');
  if (!options.json) stderr.write(`Sending ${problems} to ${student.endpoint}\n`);
  const done = waiting(`Answering ${problems}`, options.json);
  const received: [number, ServerAnswer][] = [];
  const answered = (answer: ServerAnswer, index: number) => void received.push([index, answer]);
  let evaluation: ServerEvaluation;
  try {
    evaluation = await evaluateOnServer(student, data.problems, samples, { ...settings, answered }).finally(done);
  } catch (error) {
    if (options.out !== undefined) keep(received, data.problems, samples, `${resolve(options.out)}.partial`);
    throw error;
  }
  const served = { model, server: student.endpoint };
  printEvaluation({ student: served, settings, backend: `on ${student.host}` }, data, evaluation, options);
}

/** The prompt format for the server: as here, if the student is here too. */
function asked(checkpoint: string | undefined, options: Options): { prompt: PromptStyle; system?: string } {
  if (checkpoint === undefined) return { prompt: options.prompt === 'chat' ? 'chat' : 'plain', system: options.system };
  const settings = promptSettings(checkpoint, options);
  return { prompt: promptStyle(loadStudentTokenizer(checkpoint), settings), system: settings.system };
}

/** The answers that arrived before an evaluation failed. They never overwrite those of a complete one. */
function keep(received: [number, ServerAnswer][], problems: Problems, samples: number, file: string): void {
  if (received.length === 0) return;
  const records = received.sort(([a], [b]) => a - b).map(([i, answer]) => recordOf(answer, i, problems, samples));
  writeOutput(file, linesOf(records));
  stderr.write(`${plural(received.length, 'answer')} arrived before the failure: ${shortPath(file)}\n`);
}

/** The student, its server and its prompt format. */
interface TestedStudent {
  student: { checkpoint: string } | { model: string; server: string };
  chatTemplate?: boolean;
  /** Tokens that its positions leave for an answer. */
  room?: number;
  settings: EvaluateResult['settings'];
  backend: string;
}

function printEvaluation(
  { student, chatTemplate, room, settings, backend }: TestedStudent,
  data: TestData,
  evaluation: Evaluation & Partial<ServerEvaluation>,
  { samples, out, json }: Options,
): void {
  const answers = evaluation.answers.map((answer, i) => recordOf(answer, i, data.problems, samples));
  const notes = caveats(answers, { ...settings, setting: '--max-new-tokens', chatTemplate, room });
  const result = {
    ...student,
    data: { ...data.source, hash: data.hash },
    ...summarise(evaluation, answers, samples),
    settings,
    backend,
    ...(notes.length > 0 && { notes }),
    ...(out && { out: resolve(out) }),
  };
  if (json) printDocument(result);
  else stdout.write(`${resultText(result, 'server' in student ? student.model : shortPath(student.checkpoint))}\n`);
  // Written last, as a disk error must not hide the result.
  if (out) writeOutput(resolve(out), linesOf(answers));
}
