import type { Command } from 'commander';
import { withoutEnd } from '../../chain/completion';
import type { Backend } from '../../config/backends';
import { type AskedStudent, askStudent, openStudent } from '../../curriculum/evaluation/students';
import { startForInference } from '../../engine/engines';
import type { Engine } from '../../engine/port';
import { backendOption, promptOption, promptSettings, studentAt } from '../inputs/asked-student';
import { count, positive, sampleCount, upTo } from '../inputs/options';
import { exitCodes, printDocument } from '../terminal/exit';
import { plural } from '../terminal/format';
import { pc, readLines, stdout } from '../terminal/terminal';
import { waiting } from '../terminal/waiting-indicator';
import { engineOption } from './engine';

interface Options {
  maxNewTokens: number;
  temperature?: number;
  samples: number;
  seed: number;
  prompt?: 'auto' | 'plain' | 'chat';
  system?: string;
  raw?: boolean;
  backend: Backend;
  json?: boolean;
}

export function addAskCommand(program: Command): void {
  program
    .command('ask')
    .description('ask a student questions and see its answers')
    .argument('<student>', 'a checkpoint, a Hugging Face folder, or a .gguf file')
    .argument('[question]', 'if omitted, questions are read from the terminal or standard input, one per line')
    .option('--max-new-tokens <n>', 'maximum tokens of an answer', positive, 512)
    .option('--temperature <t>', '0 = greedy (default: 0, or 0.7 with several samples)', upTo(10))
    .option('--samples <k>', 'answers per question', sampleCount, 1)
    .option('--seed <n>', 'seed of sampling', count, 1)
    .addOption(promptOption())
    .option('--system <text>', 'system message of the chat')
    .option('--raw', 'send the text unchanged, for the student to continue')
    .addOption(backendOption())
    .addOption(engineOption())
    .option('--json', 'each answer as one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  distillery ask .distillery/runs/<run>/checkpoints/rewrite-320 "Tom has 3 boxes of 12 pens. How many pens?"
  distillery ask SmolLM2-135M-Instruct.Q8_0.gguf --samples 4 "What is 12 * 7?"
  distillery ask ./Qwen2.5-0.5B --raw "def fibonacci(n):"`,
    )
    .action(async (named: string, question: string | undefined, options: Options) => {
      const path = studentAt(named);
      const interrupted = new AbortController();
      const stop = () => interrupted.abort();
      process.once('SIGINT', stop);
      try {
        const engine = await startForInference(options.backend, path);
        try {
          const student = await openWhileWaiting(engine, path, options);
          const { signal } = interrupted;
          if (question !== undefined) await answer(student, question, options, signal);
          else await answerLines(student, options, signal);
        } catch (error) {
          if (!interrupted.signal.aborted) throw error;
          stdout.write('\n');
          process.exitCode = exitCodes.stopped;
        } finally {
          await engine.close();
        }
      } finally {
        process.off('SIGINT', stop);
      }
    });
}

function openWhileWaiting(engine: Engine, path: string, options: Options): Promise<AskedStudent> {
  const loaded = waiting('Loading the student', options.json);
  return openStudent(engine, path, options.raw ? { prompt: 'plain' } : promptSettings(path, options)).finally(loaded);
}

async function answerLines(student: AskedStudent, options: Options, signal: AbortSignal): Promise<void> {
  const typed = process.stdin.isTTY;
  const lines = readLines(pc.bold('? '));
  lines.on('SIGINT', () => lines.close());
  signal.addEventListener('abort', () => lines.close());
  if (typed) stdout.write(pc.dim('One question per line; an empty line ends.\n'));
  if (typed) lines.prompt();
  for await (const line of lines) {
    if (line.trim() === '' && typed) break;
    if (line.trim() !== '') await answer(student, line, options, signal);
    signal.throwIfAborted();
    if (typed) lines.prompt();
  }
}

/** Prints one answer while it is sampled; several answers once they are complete. */
async function answer(student: AskedStudent, question: string, options: Options, signal: AbortSignal): Promise<void> {
  const { samples, json } = options;
  const { tokenizer } = student;
  let shown = '';
  const { prompt, completions, summary } = await askStudent(student, question, {
    ...options,
    signal,
    progress([draft]) {
      if (json || samples > 1) return;
      const text = tokenizer.decode(withoutEnd(draft));
      // The last character may be incomplete: its bytes can be spread over several tokens.
      const whole = text.replace(/\ufffd+$/, '');
      if (!whole.startsWith(shown)) return;
      stdout.write(whole.slice(shown.length));
      shown = whole;
    },
  });
  const answers = completions.map((one) => ({
    text: tokenizer.decode(withoutEnd(one)),
    tokens: one.tokens.length,
    finished: one.finished,
  }));
  if (json) return printDocument({ question, prompt, answers, tokensPerSecond: summary.tokensPerSecond });
  if (samples === 1) stdout.write(`${answers[0].text.slice(shown.length)}\n`);
  else for (const [i, { text }] of answers.entries()) stdout.write(`${pc.bold(`${i + 1}.`)} ${text.trim()}\n\n`);
  if (!stdout.isTTY) return;
  const cut = answers.filter(({ finished }) => !finished).length;
  const note = `${plural(summary.newTokens, 'token')}, ${summary.tokensPerSecond.toFixed(0)}/s`;
  stdout.write(`${pc.dim(cut > 0 ? `${note}; cut off at --max-new-tokens` : note)}\n`);
}
