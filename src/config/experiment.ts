import * as z from 'zod';
import {
  choice,
  flag,
  group,
  list,
  notAnObject,
  number,
  optionalGroup,
  overrides,
  share,
  text,
  whole,
} from '../fields';
import { once } from '../once';
import type { BaselineName } from '../stages';
import { adam } from './adam';
import { backends } from './backends';
import { type LoraSettings, lora } from './lora';
import type { RewardConfig } from './reward';
import { dataSnippets, experimentSnippets } from './snippets';
import { studentFields } from './student';
import { type GrpoFileSettings, grpo, optimizationOfGrpo, type SupervisedSettings, supervised } from './training';

const start = () => whole('Rows (for the generator, indices) to skip at the beginning.').default(0);
const fileSource = <const F extends string, T extends z.core.$ZodShape = Record<never, never>>(
  format: F,
  what: string,
  path: string,
  more = {} as T,
) =>
  group(what, {
    format: z.enum([format]).meta({ description: 'The format of the data.', enumDescriptions: [what] }),
    path: text(path),
    start: start(),
    count: whole('Number of rows to read (default: all).', { min: 1, example: 1000 }).optional(),
    split: choice(
      'The split to read from a folder or from a JSON file with splits; by default the one it is used for.',
      {
        train: 'The part to learn from.',
        test: 'The part to test on.',
      },
    ).optional(),
    skipBad: flag('Skip unusable rows instead of refusing the file.').optional(),
    ...more,
  });

const rowsText =
  'Rows of JSON lines, a JSON array, CSV, Parquet or Arrow, also ' +
  'compressed. Columns are guessed, or given by "columns".';
const rowsPath =
  'Path of a file, a folder of files, or a pattern such as data/*.jsonl, relative to this ' +
  'file; or a dataset of the Hugging Face Hub, such as openai/gsm8k/main/train.';
const column = (what: string) => text(`The column of ${what}`).optional();
const columns = () =>
  group('The role of each column. Roles that are absent are guessed from common names. "a.b" is field b of column a.', {
    question: text("The column of the questions; for a conversation, the user's message.")
      .or(list('Several columns, whose texts are joined by line breaks.', text('A column.'), 'names'))
      .describe('The column of the questions, or several, whose texts are joined by line breaks.')
      .optional(),
    choices: text('The column of the choices.')
      .or(list('A column for each choice.', text('A column.'), 'names'))
      .describe('The column of the choices of multiple choice, or one for each; they are listed under the question.')
      .optional(),
    answer: column(
      'the answers; of a worked solution, the answer that it states. Without it, the answer comes from the chain.',
    ),
    chain: column('the teacher chains; of several generations, the shortest complete right one.'),
    thinking: column("the teacher's thinking before the chain."),
    system: column('system messages.'),
    student: column('recorded answers of a student.'),
    id: column('the ids (default: file and row number).'),
  }).optional();

const positive = () => whole('Number of operations.', { min: 1, max: 8 });
const arithmeticText = 'Word problems of the built-in generator, with a verbose teacher chain. Needs no file.';
const dataSource = once(() =>
  z
    .discriminatedUnion(
      'format',
      [
        group(arithmeticText, {
          format: z
            .enum(['arithmetic'])
            .meta({ description: 'The format of the data.', enumDescriptions: [arithmeticText] }),
          seed: whole('Seed of the generator: problem i is a function of seed and i.', { min: 0, example: 1 }),
          count: whole('Number of problems.', { min: 1, max: 100_000, example: 1000 }),
          start: start(),
          chains: whole('Number of problems, counted from the first, that have a teacher chain (default: all).', {
            min: 0,
            example: 200,
          }).optional(),
          operations: z
            .tuple([positive(), positive()], { error: 'a pair [fewest, most] of whole numbers from 1 to 8' })
            .describe('Fewest and most operations in a story.')
            .default([2, 4]),
          maxValue: whole('Largest number that occurs in a story.', { min: 10, max: 9999 }).default(60),
        }),
        fileSource(
          'chains',
          'Chains JSONL: one {id, question, answer, chain?, meta?} per line.',
          'Path of a *.chains.jsonl file, relative to this file.',
        ),
        fileSource(
          'gsm8k',
          'GSM8K as published: one {question, answer} per line, the answer ending in "#### n".',
          'Path of the .jsonl file, relative to this file.',
        ),
        fileSource(
          'bridge',
          "BRIDGE's stage3_error_samples.json: failures with teacher chains and the student's answers.",
          'Path of the .json file, relative to this file.',
        ),
        fileSource('rows', rowsText, rowsPath, { columns: columns() }),
        fileSource('parquet', 'The former name of "rows".', rowsPath, { columns: columns() }),
      ],
      { error: notAnObject },
    )
    .meta({
      description: 'Where problems and teacher chains come from.',
      defaultSnippets: dataSnippets,
    }),
);

const ratio = () => number('Share of the steps that is masked; 1 = the plain question.', { min: 0, max: 1 });

const stages = () => ({
  reconstruct: optionalGroup('Stage 1: restore masked, shuffled teacher chains (supervised). false = skip.', {
    ...supervised(300),
    maskProbability: share('Probability that a chain has masked steps.').default(0.7),
    maskSteps: whole('Number of steps masked in such a chain.', { min: 1 }).default(1),
    shuffleProbability: share('Probability that the steps are shuffled.').default(1),
    chains: choice('The part of a teacher chain that is restored and learned.', {
      whole: 'All of it, as published.',
      concise: 'The sentences that compute, as for the baseline sftConcise.',
    }).default('whole'),
    mixPlain: share('Share of rows shown as the plain question with the whole chain as target.').default(0.5),
  }).prefault({}),
  complete: optionalGroup('Stage 2: complete masked chains to right and short answers, by GRPO. false = skip.', {
    ...grpo(200, 384),
    maskSchedule: list(
      'Shares of masked steps, each for an equal part of the updates; 1 = the plain question.',
      ratio(),
      'numbers from 0 to 1',
    )
      .min(1, { error: 'a list with at least one number from 0 to 1' })
      .or(z.enum(['bridge'], { error: '"bridge"' }))
      .describe(
        'Shares of masked steps, each for an equal part of the updates, 1 = the plain ' +
          'question; or "bridge": half of the steps, at least 3, throughout.',
      )
      .default([0.3, 0.5, 0.75, 1]),
  }).prefault({}),
  rewrite: optionalGroup(
    'Stage 3: rewrite failures from the teacher chain by GRPO, then internalise the rewrites. false = skip.',
    {
      ...grpo(100, 512),
      failures: group('Which problems count as failures.', {
        samples: whole('Completions sampled for each problem.', { min: 0, max: 4096 }).default(4),
        source: choice('Whose answers decide what fails.', {
          student: "This student's answers.",
          data:
            'Recorded answers in the data (the "student" of a ' + "row; BRIDGE's file has them) are used as its own.",
        }).default('student'),
        greedy: flag('One additional greedy completion.').default(true),
        maxCorrect: whole('A problem is a failure if at most this many of its answers are right.').default(0),
        temperature: number('Temperature of the samples.', { above: 0, max: 10 }).default(0.7),
        limit: whole('Number of problems to search (default: all training rows).', { min: 1, example: 200 }).optional(),
      }).prefault({}),
      hideAnswer: flag("Hide the answer line of the teacher's chain, so that copying it is not enough.").default(false),
      internalise: group(
        'Supervised training on accepted rewrites from the plain question, because the test shows no teacher text.',
        {
          ...supervised(100),
          start: choice('The initial weights for learning the rewrites.', {
            student:
              'The student before Stage 3: the rewriter only made the ' +
              'rewrites, and what it forgot meanwhile does not matter.',
            rewriter: 'The student that was trained to rewrite.',
          }).default('student'),
          rewrites: whole(
            'Accepted rewrites kept per problem, shortest first; 0 = replay alone, as a control experiment.',
          ).default(2),
          replayOwn: share("Share of each batch that is the student's own right, short completions.").default(0.1),
          replayTeacher: share('Share of each batch that is teacher chains.').default(0.1),
        },
      ).prefault({}),
    },
  ).prefault({}),
});

const baselines = () =>
  ({
    sft: optionalGroup('Plain SFT: supervised training on the teacher chains. false = skip.', supervised(300)).prefault(
      {},
    ),
    sftConcise: optionalGroup(
      'Concise SFT: supervised training on the teacher chains cut to the sentences that ' +
        'compute. Settings that are absent are as in baselines.sft. false = skip.',
      overrides(supervised(300)),
    ).default(false),
    rft: optionalGroup(
      'Rejection sampling fine-tuning: as many samples of the base student as Stage ' +
        '2 draws, then supervised training on the shortest right one of each problem. ' +
        'Settings that are absent are as in baselines.sft. false = skip.',
      overrides(supervised(300)),
    ).default(false),
    grpo: optionalGroup(
      'Plain GRPO: Stage 2 alone, from the base student and the plain question, without masks ' +
        'and without replay. Settings that are absent are as in stages.complete. false = skip.',
      overrides(optimizationOfGrpo()),
    ).default(false),
  }) satisfies Record<BaselineName, z.ZodType>;

/** An experiment: student, teacher chains, stages, baselines. The file is `*.distillery.json`. */
export const experimentSchema = once(() =>
  group('An experiment: a student, teacher chains, the three stages, and baselines.', {
    $schema: text('The JSON schema of this file, for completion in editors.').optional(),
    name: text('Name of the experiment; part of the run folder.')
      .max(80, { error: 'at most 80 characters long' })
      .regex(/^[^\\/:*?"<>|\p{Cc}.][^\\/:*?"<>|\p{Cc}]*$/u, {
        error: 'usable in a folder name: no / \\ : * ? " < > | and no leading dot',
      }),
    description: text('The question that this experiment answers.').optional(),
    seed: whole('Seed of all random numbers.', { min: 0, max: 0x7fffffff }).default(1),
    backend: choice('The backend that runs the student.', backends).default('auto'),
    checkpointMinutes: number(
      'Minutes between checkpoints, besides those of validation: the most that a crash can cost.',
      { above: 0, max: 1440 },
    ).default(10),
    student: group('The model that learns.', {
      ...studentFields(),
      lora: lora(),
    }),
    data: group('Problems with teacher chains for training, and problems for the test.', {
      train: dataSource(),
      test: dataSource(),
      validation: whole('Rows held out from the end of train, for selecting checkpoints.', { min: 1 }).default(200),
      otherAnswers: choice('What to do with teacher chains whose answer differs from the reference.', {
        drop: 'They are counted and skipped; their questions stay.',
        keep: 'They are learned unchanged, with the answer that they state.',
      }).default('drop'),
      thinking: choice("What to do with a teacher's thinking before its solution, as reasoning models write it.", {
        keep:
          'It precedes the solution in the target: ' + 'inside the thinking section, if the chat template opens one.',
        cut: 'It is removed: the student learns the solution alone.',
      }).default('keep'),
    }),
    adam: adam(),
    stages: group('The curriculum.', stages()).prefault({}),
    baselines: group(
      'Baselines for comparison, each with the same data and ' +
        'a matched budget; the untrained student is always one.',
      baselines(),
    ).prefault({}),
    evaluation: group('How checkpoints are tested.', {
      count: whole('Number of test problems (default: all).', { min: 1, example: 500 }).optional(),
      every: whole('Updates between two validations.', { min: 1 }).default(50),
      batch: whole('Completions generated in parallel.', { min: 1 }).default(64),
      maxNewTokens: whole('Longest answer, in tokens.', { min: 1 }).default(512),
      temperature: number('Sampling temperature; 0 = greedy.', { min: 0, max: 10 }).default(0),
    }).prefault({}),
    quick: z
      .record(z.string(), z.unknown(), { error: 'an object in { }' })
      .describe('Settings that replace those above when the experiment is run with --quick.')
      .optional(),
  }).meta({
    description: 'An experiment: a student, teacher chains, the three stages, and baselines.',
    defaultSnippets: experimentSnippets,
  }),
);

/** An experiment as written in a file: only name, student and data are required. */
export type ExperimentInput = z.input<ReturnType<typeof experimentSchema>>;
export type DataSource = z.output<ReturnType<typeof dataSource>>;

/** An experiment with defaults filled in; paths and rewards are as written. */
export type ParsedExperiment = z.output<ReturnType<typeof experimentSchema>>;
type StageSettings<K extends keyof ParsedExperiment['stages']> = Exclude<ParsedExperiment['stages'][K], false>;
/** evaluateEvery comes from evaluation.every if absent; learningRate depends on what is trained. */
type WithSchedule<T> = Omit<T, 'evaluateEvery' | 'learningRate'> & { evaluateEvery: number; learningRate: number };
/** The reward, loaded from its preset or file. */
type Rewarded<T> = Omit<WithSchedule<T>, 'reward'> & { reward: RewardConfig };

export type GrpoSettings = Rewarded<GrpoFileSettings>;
export type ReconstructSettings = WithSchedule<StageSettings<'reconstruct'>>;
export type CompleteSettings = Rewarded<StageSettings<'complete'>>;
export type RewriteSettings = Omit<Rewarded<StageSettings<'rewrite'>>, 'internalise'> & {
  internalise: InternaliseSettings;
};
type InternaliseSettings = WithSchedule<StageSettings<'rewrite'>['internalise']>;
export type SftSettings = WithSchedule<SupervisedSettings>;
/** Optimizer settings of the plain GRPO baseline; the others are Stage 2's. */
export type GrpoBaselineSettings = Pick<GrpoSettings, keyof ReturnType<typeof optimizationOfGrpo>>;

/** A complete experiment: every default filled in, paths absolute, rewards loaded. Stored in a run's config.json. */
export type Experiment = Omit<ParsedExperiment, 'student' | 'stages' | 'baselines' | 'quick' | '$schema'> & {
  student: Omit<ParsedExperiment['student'], 'lora'> & { lora: LoraSettings | false };
  stages: {
    reconstruct: ReconstructSettings | false;
    complete: CompleteSettings | false;
    rewrite: RewriteSettings | false;
  };
  baselines: {
    sft: SftSettings | false;
    sftConcise: SftSettings | false;
    rft: SftSettings | false;
    grpo: GrpoBaselineSettings | false;
  };
};
