import type { Command } from 'commander';
import { loadExperiment } from '../../config/load';
import { workloadOf } from '../../curriculum/duration';
import { chainTokens } from '../../curriculum/lessons/completions';
import { prepareLessons } from '../../curriculum/lessons/lessons';
import { longestOf } from '../../curriculum/training/memory';
import { loadExperimentData } from '../../data/experiment-data';
import { type PromptView, viewsOf } from '../../data/preview';
import { UserError } from '../../errors';
import { trainedStages } from '../../stages';
import { loadStudentTokenizer } from '../../student-files/folder';
import { withPrompts } from '../../student-files/prompting';
import type { Tokenizer } from '../../student-files/tokenizer';
import { duration } from '../../words';
import { readingProgress } from '../inputs/dataset';
import { fetchMissing } from '../inputs/fetch';
import { namesOf, positive } from '../inputs/options';
import { commandLine, experimentFile, quoted, shortPath } from '../inputs/places';
import { printDocument } from '../terminal/exit';
import { pc, stdout } from '../terminal/terminal';
import { type CountedView, type PreviewedProblem, previewText } from '../text/preview-text';
import { engineFacts, needsOf, needsText, secondsOf } from '../text/run-needs';

interface Options {
  count: number;
  start: number;
  stage?: (typeof trainedStages)[number][];
  download?: boolean;
  time?: boolean;
  json?: boolean;
}

export function addPreviewCommand(program: Command): void {
  program
    .command('preview')
    .description("the student's input in each stage: whole prompts with masked and shuffled chains, and token counts")
    .argument('<experiment>', 'a *.distillery.json file, or a folder with one')
    .option('--count <n>', 'problems to show', positive, 2)
    .option('--start <n>', 'position of the first problem, from 1', positive, 1)
    .option('--stage <names>', `only these: ${trainedStages.join(', ')}`, namesOf(trainedStages))
    .option('--download', 'download a missing student and missing datasets from the Hugging Face Hub')
    .option('--time', 'only how long a run takes here, roughly, with the full and with the quick budget')
    .option('--json', 'an array of problems with their views; with --time the seconds')
    .addHelpText(
      'after',
      `
Prompts are shown whole, in the student's chat template with its system message. The number to the left of each step is
its number in the teacher's chain. Stage 2 is shown at every point of its mask schedule.

Examples:
  distillery preview examples/arithmetic
  distillery preview examples/arithmetic --stage complete --count 5
  distillery preview examples/arithmetic --json | jq '.[].views[] | {stage, promptTokens, targetTokens}'`,
    )
    .action(async (path: string, options: Options) => {
      const file = experimentFile(path);
      await fetchMissing(file, { yes: options.download, json: options.json });
      if (options.time) return printTimes(file, options.json);
      const { experiment } = loadExperiment(file);
      const tokenizer = withPrompts(loadStudentTokenizer(experiment.student.path), experiment.student);
      const progress = readingProgress('the data', options.json);
      const {
        train: { problems },
        test,
        notes,
      } = loadExperimentData(experiment, progress.rows);
      progress.end();
      const first = options.start - 1;
      const lessons = prepareLessons(problems.slice(first, first + options.count), tokenizer);
      if (lessons.length === 0)
        throw new UserError(`the training data has only ${problems.length} rows`, {
          code: 'usage',
          remedy: 'Lower --start.',
        });
      const stages = options.stage ?? [...trainedStages];
      const previewed = lessons.map(
        (lesson): PreviewedProblem => ({
          id: lesson.problem.id,
          question: lesson.problem.question,
          answer: lesson.problem.answer,
          steps: lesson.chain?.steps.length ?? 0,
          teacherTokens: lesson.teacherTokens ? lesson.teacherTokens.length - 1 : null,
          views: viewsOf(lesson, experiment, stages).map((view) => counted(view, tokenizer)),
        }),
      );
      if (options.json) printDocument(previewed);
      else {
        const work = workloadOf(problems, test.problems.length, tokenizer);
        const needs = needsOf(experiment, await engineFacts(experiment), longestOf(problems, tokenizer), work);
        const lines = [...needsText(needs), ...[...tokenizer.notes, ...notes].map((note) => pc.yellow(note))];
        const next = `Next:\n  ${commandLine(`run ${quoted(shortPath(file))} --quick`)}`;
        stdout.write(`${previewed.map(previewText).join('\n\n')}\n\n${lines.join('\n')}\n\n${next}\n`);
      }
    });
}

async function printTimes(file: string, json: boolean | undefined): Promise<void> {
  const tokenizers = new Map<string, Tokenizer>(); // mostly one: a quick run rarely names another student
  const planned = [false, true].map((quick) => {
    const { experiment } = loadExperiment(file, { quick });
    const key = JSON.stringify(experiment.student);
    const tokenizer =
      tokenizers.get(key) ?? withPrompts(loadStudentTokenizer(experiment.student.path), experiment.student);
    tokenizers.set(key, tokenizer);
    const progress = readingProgress('the data', json);
    const { train, test } = loadExperimentData(experiment, progress.rows);
    progress.end();
    return { experiment, work: workloadOf(train.problems, test.problems.length, tokenizer) };
  });
  const [full, quick] = await secondsOf(planned);
  const text = (seconds: number | null) => (seconds === null ? 'not known here' : duration(seconds));
  if (json) printDocument({ full, quick });
  else stdout.write(`Full budget: ${text(full)}, quick budget: ${text(quick)}, roughly\n`);
}

/** A view with the exact tokens of prompt and target. */
function counted({ taught, ...view }: PromptView, tokenizer: Tokenizer): CountedView {
  const written = (ids: readonly number[]) => tokenizer.tokenTexts(ids).join('');
  const prompt = tokenizer.encodePrompt(view.prompt);
  const target = taught && chainTokens(tokenizer, taught);
  return {
    ...view,
    wholePrompt: written(prompt),
    wholeTarget: target && written(target.slice(0, -1)),
    promptTokens: prompt.length,
    targetTokens: target?.length ?? null,
  };
}
