import type { Command } from 'commander';
import type { Experiment } from '../config/experiment';
import { loadExperiment } from '../config/load';
import { prepareLessons } from '../curriculum/lessons';
import { withMemory } from '../curriculum/memory';
import { memoryLimits } from '../curriculum/memory-limits';
import { loadExperimentData } from '../data/experiment-data';
import { viewsOf } from '../data/preview';
import type { Problems } from '../data/problems';
import { UserError } from '../errors';
import { trainedStages } from '../stages';
import { loadStudentTokenizer } from '../student-files/folder';
import { withPrompts } from '../student-files/prompting';
import type { Tokenizer } from '../student-files/tokenizer';
import { readingProgress } from './dataset';
import { printDocument } from './exit';
import { namesOf, positive } from './options';
import { experimentFile } from './places';
import { type PreviewedProblem, previewText } from './preview-text';
import { pc, stdout } from './terminal';

interface Options {
  count: number;
  start: number;
  stage?: (typeof trainedStages)[number][];
  json?: boolean;
}

export function addPreviewCommand(program: Command): void {
  program
    .command('preview')
    .description('what the student sees in each stage: chains masked and shuffled, with token counts')
    .argument('<experiment>', 'a *.distillery.json file, or a folder that holds one')
    .option('--count <n>', 'problems to show', positive, 2)
    .option('--start <n>', 'the first of them, counted from 1', positive, 1)
    .option('--stage <names>', `only these: ${trainedStages.join(', ')}`, namesOf(trainedStages))
    .option('--json', 'an array of problems with their views')
    .addHelpText(
      'after',
      `
Left of each shown step stands its number in the teacher's chain. Stage 2 is shown at every point of its mask schedule.

Examples:
  distillery preview examples/arithmetic
  distillery preview examples/arithmetic --stage complete --count 5
  distillery preview examples/arithmetic --json | jq '.[].views[] | {stage, promptTokens, targetTokens}'`,
    )
    .action((path: string, options: Options) => {
      const { experiment } = loadExperiment(experimentFile(path));
      const tokenizer = withPrompts(loadStudentTokenizer(experiment.student.path), experiment.student);
      const progress = readingProgress('the data', options.json);
      const {
        train: { problems },
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
          views: viewsOf(lesson, experiment, stages).map((view) => ({
            ...view,
            promptTokens: tokenizer.encodePrompt(view.prompt).length,
            targetTokens: view.target === null ? null : lesson.teacherTokens!.length,
          })),
        }),
      );
      if (options.json) printDocument(previewed);
      else {
        const { level, text } = memoryNeed(experiment, problems, tokenizer);
        const need = level === 'warning' ? pc.yellow(text) : pc.dim(text);
        const lines = [need, ...notes.map((note) => pc.yellow(note))];
        stdout.write(`${previewed.map(previewText).join('\n\n')}\n\n${lines.join('\n')}\n`);
      }
    });
}

/** What a run would say of its memory; what makes it refuse is a warning here. */
function memoryNeed(experiment: Experiment, problems: Problems, tokenizer: Tokenizer) {
  try {
    return withMemory(experiment, problems, tokenizer, memoryLimits(experiment.backend)).need;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { level: 'warning' as const, text: error.toString() };
  }
}
