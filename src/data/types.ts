/** A problem of a dataset, whatever file it came from. */
export interface Problem {
  /** Unique within its dataset. */
  id: string;
  question: string;
  /** The reference answer as the file states it, such as `1,080` or `-10`. */
  answer: string;
  /** The teacher's chain of thought as text to show and to learn from. */
  chain?: string;
  /** The system message of the conversation that the problem comes from. */
  system?: string;
  /** An answer of a student that was recorded with the problem. */
  student?: RecordedAnswer;
  /**
   * Whatever else the file says; GSM8K's solution with its calculator marks is kept here under `marked`, and that the
   * file says of the chain that it is right under `verified`,
   * and that its chain was left out, as it ends within its thinking, under `cutOff`.
   */
  meta?: Record<string, unknown>;
}

export interface RecordedAnswer {
  text: string;
  /** The value extracted from the text when it was recorded; absent if there was none. */
  answer?: string;
  /** Length in the recording student's tokens. */
  tokens?: number;
  /** False where the token budget cut the text off; absent where that is not known. */
  finished?: boolean;
  /** True where the recorded answer equals the reference as a number, whatever the file says. */
  correct: boolean;
}
