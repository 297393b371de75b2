/**
 * Results on the test problems: the only list of columns. summary.json and its schema, the messages with results, and
 * all tables (terminal, picture, report, tooltips, dashboard, CSV) are derived from it, in its order.
 */
import * as z from 'zod';
import { numberOrText } from './json';
import { checkpointPattern, stageNames } from './stages';
import { mean, wilsonInterval } from './statistics';
import { clock, percent, percentRange } from './words';

/** The answers to a test that took `seconds` in total; `received` excludes those that a server failed to give. */
export interface TestOutcome {
  answers: readonly TestedAnswer[];
  received: readonly TestedAnswer[];
  seconds: number;
}

interface TestedAnswer {
  /** Completion tokens without the end token. */
  tokens: number;
  correct: boolean;
  lenientCorrect: boolean;
  finished: boolean;
}

/** The difference between two students in one figure. */
export interface StudentDifference {
  of: 'accuracy' | 'meanTokens';
  /** Put before `vs base`, where the column is not beside its figure. */
  prefix: string;
  /** Short form of the name, as in a column. */
  rank: number;
  /** The change from one value to another, without the unit. */
  change(value: number, from: number): number;
  unit: string;
  better: 1 | -1;
  /** Computed over the problems that both answered (src/runs/paired.ts); the interval is the field `<of>Interval`. */
  paired: { of: 'accuracy' | 'tokens'; unit: string; text(value: number): string };
}

/** How tables show a column. */
interface ColumnDisplay<T> {
  heading: string;
  text(value: T): string;
  /** Where space is short, columns with the highest rank are dropped first; those without a rank always stay. */
  rank?: number;
  /** Names in CSV; several if the value is a list. Shares are from 0 to 1. */
  csv: readonly string[];
  difference?: StudentDifference;
}

interface Definition<S extends z.ZodType> {
  /** Schema in summary.json: optional if runs of earlier versions or imported runs lack it. */
  schema: S;
  about: string;
  /** Absent if no table shows it. */
  shown?: ColumnDisplay<NonNullable<z.output<S>>>;
}

interface Figure<S extends z.ZodType> extends Definition<S> {
  measure(test: TestOutcome): NonNullable<z.output<S>>;
}

/** Computed from the answers. */
const figure = <S extends z.ZodType>(definition: Figure<S>) => definition;
/** Given by the run. */
const fact = <S extends z.ZodType>(definition: Definition<S>) => definition;

const shareRight = (answers: readonly TestedAnswer[]) => mean(answers.map(({ correct }) => Number(correct)));

const definitions = {
  accuracy: figure({
    schema: numberOrText,
    about: 'Share of the test problems with the right answer, 0 to 1',
    measure: ({ answers }) => shareRight(answers),
    shown: { heading: 'Accuracy', text: (share) => percent(share), csv: ['accuracy'] },
  }),
  accuracyInterval: figure({
    schema: z.tuple([numberOrText, numberOrText]),
    about: 'Wilson score interval of the accuracy, at 95 %',
    measure: ({ answers }) => wilsonInterval(answers.filter(({ correct }) => correct).length, answers.length),
    shown: {
      heading: '95 % interval',
      text: percentRange,
      rank: 3,
      csv: ['accuracy_low', 'accuracy_high'],
      difference: {
        of: 'accuracy',
        prefix: '',
        rank: 3,
        change: (share, from) => 100 * (share - from),
        unit: 'pt',
        better: 1,
        paired: { of: 'accuracy', unit: 'points', text: (share) => (100 * share).toFixed(1) },
      },
    },
  }),
  lenientAccuracy: figure({
    schema: numberOrText.optional(),
    about: 'Share right by the last number anywhere in the text',
    measure: ({ answers }) => mean(answers.map(({ lenientCorrect }) => Number(lenientCorrect))),
  }),
  meanTokens: figure({
    schema: numberOrText,
    about: 'Mean tokens of a completion, without the end token',
    measure: ({ received: came }) => mean(came.map(({ tokens }) => tokens)),
    shown: {
      heading: 'Mean tokens',
      text: (tokens) => tokens.toFixed(1),
      csv: ['mean_tokens'],
      difference: {
        of: 'meanTokens',
        prefix: 'Tokens ',
        rank: 5,
        change: (tokens, from) => 100 * (tokens / from - 1),
        unit: '%',
        better: -1,
        paired: { of: 'tokens', unit: 'tokens', text: (tokens) => tokens.toFixed(0) },
      },
    },
  }),
  truncated: figure({
    schema: numberOrText.optional(),
    about: 'Share of completions that were cut off by the token budget',
    measure: ({ received: came }) => mean(came.map(({ finished }) => Number(!finished))),
    shown: { heading: 'Cut off', text: (share) => percent(share), rank: 4, csv: ['truncated'] },
  }),
  tokensPerSecond: figure({
    schema: numberOrText.optional(),
    about: 'Tokens that the test sampled in a second',
    measure: ({ answers, seconds }) => answers.reduce((sum, { tokens }) => sum + tokens, 0) / Math.max(seconds, 1e-9),
  }),
  wallSeconds: fact({
    schema: numberOrText,
    about: 'Seconds of training that led to this student, earlier stages not counted',
    shown: { heading: 'Training', text: (seconds) => (seconds > 0 ? clock(seconds) : ''), rank: 4, csv: ['seconds'] },
  }),
  n: figure({
    schema: z.number().int().nonnegative(),
    about: 'Problems tested',
    measure: ({ answers }) => answers.length,
    shown: { heading: 'Problems', text: String, rank: 6, csv: ['n'] },
  }),
};

type Definitions = typeof definitions;
type Name = keyof Definitions;
type FigureName = { [K in Name]: Definitions[K] extends { measure: unknown } ? K : never }[Name];

const names = Object.keys(definitions) as Name[];
const figureNames = names.filter((name): name is FigureName => 'measure' in definitions[name]);

const schemaOf = <N extends Name>(some: readonly N[]) =>
  z.object(
    Object.fromEntries(
      some.map((name) => [name, definitions[name].schema.describe(`${definitions[name].about}.`)]),
    ) as unknown as { [K in N]: Definitions[K]['schema'] },
  );

/** A student of a run, with all columns. */
export const studentRowSchema = z.object({ stage: z.enum(stageNames) }).extend({
  ...schemaOf(names).shape,
  unit: z.literal('words').optional().describe('The unit of lengths if no tokenizer was available (imported answers).'),
  checkpoint: z
    .string()
    .regex(new RegExp(`^${checkpointPattern}$`))
    .optional()
    .describe('The tested checkpoint; absent for the initial student.'),
});
export type StudentRow = z.infer<typeof studentRowSchema>;
type RowValues = Omit<StudentRow, 'stage'>;

/** The columns that are computed from the answers. */
export const figuresSchema = schemaOf(figureNames);
export type Figures = { [K in FigureName]: NonNullable<z.output<Definitions[K]['schema']>> };

export const figuresOf = (test: TestOutcome): Figures =>
  Object.fromEntries(figureNames.map((name) => [name, definitions[name].measure(test)])) as Figures;

/** A column in a table. */
export interface ResultColumn extends Omit<ColumnDisplay<unknown>, 'text'> {
  name: Name;
  about: string;
  /** Empty for a row without it. */
  text(row: RowValues): string;
  /** A value for each name in `csv`. */
  values(row: RowValues): (number | undefined)[];
}

export const columns: readonly ResultColumn[] = names.flatMap((name) => {
  const { shown, about } = definitions[name] as Definition<z.ZodType>;
  if (!shown) return [];
  const text = (row: RowValues) => (row[name] === undefined ? '' : shown.text(row[name]));
  const values = (row: RowValues) => shown.csv.map((_, i) => [row[name]].flat()[i]);
  return [{ ...shown, name, about, text, values }];
});
