/**
 * Types of a reward in code (docs/rewards.md). In JavaScript, editors check the function if the comment before it says
 * `@type {import('distillery/rewards').RewardFunction}`.
 *
 * A module exports a `RewardFunction` as its default, or a `GroupRewardFunction` named `scoreGroup`, and may declare
 * `RewardTraits`. Everything that the functions get is plain JSON, and a copy.
 */

/** A sampled completion. */
export interface ScoredCompletion {
  /** Its text, without special tokens. */
  text: string;
  /** Length in tokens of the student, without the end token. */
  tokens: number;
  /** Whether it ended by itself; false if it was cut off at `maxNewTokens`. */
  ended: boolean;
  /** Whether it has the right answer, as the component `correctness` sees it by default (docs/answers.md). */
  right: boolean;
}

/** The teacher's chain of the problem. */
export interface TeacherChain {
  /** The text before the first step; "" if there is none. */
  thinking: string;
  /** The steps in order, without their labels. */
  steps: string[];
  /** The answer as the teacher wrote it. */
  answer: string;
  /** Length in tokens of the student, without the end token; null if unknown. */
  tokens: number | null;
}

// biome-ignore lint/suspicious/noExplicitAny: any JSON, as the reward file has it.
type AnyOptions = any;

/** What is known beside the completion. `Options` is the type of `options` in the reward file. */
export interface RewardContext<Options = AnyOptions> {
  question: string;
  /** The reference answer; "" if the problem has none. */
  answer: string;
  /** null for a problem without a teacher's chain. */
  teacher: TeacherChain | null;
  /** All completions of the same prompt, in the order they were sampled. */
  group: ScoredCompletion[];
  /** `options` of the component in the reward file; {} without any. */
  options: Options;
}

/** The value of a completion before its weight, from -1e9 to 1e9; null if the component does not apply to it. */
export type RewardValue = number | null;

/** The default export: scores one completion. */
export type RewardFunction<Options = AnyOptions> = (
  completion: ScoredCompletion,
  context: RewardContext<Options>,
) => RewardValue | Promise<RewardValue>;

/** The export `scoreGroup`: scores all completions of a prompt, and returns a value for each, in their order. */
export type GroupRewardFunction<Options = AnyOptions> = (
  completions: ScoredCompletion[],
  context: RewardContext<Options>,
) => RewardValue[] | Promise<RewardValue[]>;

/**
 * Optional exports by these names, for the checks of the reward file. They are read from the text of the module, which
 * a check does not run: write literals, as in `export const judgesAnswer = true;`.
 */
export interface RewardTraits {
  /** It rewards the right answer itself. */
  judgesAnswer?: boolean;
  /** Its value rises as the text gets shorter, right or wrong, so it needs a gate such as "correctness". */
  needsGate?: boolean;
  /** Lowest and highest value. */
  range?: [lowest: number, highest: number];
}
