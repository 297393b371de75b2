/** A problem of a dataset of any format. */
export interface Problem {
  /** Unique within its dataset. */
  id: string;
  question: string;
  /** The reference answer as written in the file, such as `1,080` or `-10`. */
  answer: string;
  /** The teacher's chain of thought as a text, shown and learned. */
  chain?: string;
  /** The system message of the conversation with the problem. */
  system?: string;
  /** A recorded answer of a student. */
  student?: RecordedAnswer;
  /**
   * Other fields of the file. `marked`: GSM8K's solution with calculator marks; `verified`: the file marks the chain as
   * right; `cutOff`: the chain was dropped because it ends within its thinking.
   */
  meta?: Record<string, unknown>;
}

export interface RecordedAnswer {
  text: string;
  /** The answer extracted when it was recorded; absent if there was none. */
  answer?: string;
  /** Length in the recording student's tokens. */
  tokens?: number;
  /** False if the token budget cut the text off; absent if unknown. */
  finished?: boolean;
  /** True if the recorded answer equals the reference as a number, whatever the file says. */
  correct: boolean;
}
