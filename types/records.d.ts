/** Generated from src/runs/records.ts by `npx tsx scripts/generate-schemas.ts`. */

/** JSON has no NaN and no infinities; `Number` reads all of these. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

export type Stage =
  | 'base'
  | 'sft'
  | 'sftConcise'
  | 'rft'
  | 'grpo'
  | 'training'
  | 'reconstruct'
  | 'complete'
  | 'rewrite';

/** run.json */
export interface RunRecord {
  format: number;
  id: string;
  name: string;
  state: 'created' | 'running' | 'paused' | 'stopped' | 'finished' | 'failed';
  /** The reason for this state, if any. */
  reason?: string;
  stage?: Stage;
  step?: number;
  created: string;
  updated: string;
  /** The process that wrote last. */
  host: {
    pid: number;
    startTime: string;
    name: string;
  };
  /** Oldest first. */
  checkpoints: {
    name: string;
    stage: Stage;
    step: number;
    seq: number;
    keep?: boolean;
  }[];
  /** Folders that are being written or deleted. After a crash these, and no others, are removed. */
  pending?: string[];
  /** What the run has used of a server that charges by the token, in all of its sessions. */
  spent?: {
    prompt: number;
    sampled: number;
    trained: number;
    money?: number;
    unpriced?: {
      prompt: number;
      sampled: number;
      trained: number;
    };
  };
}

/** A row of summary.json: test results of a stage's student. */
export interface StageRow {
  stage: Stage;
  /** Share of the test problems with the right answer, 0 to 1. */
  accuracy: JsonNumber;
  /** Wilson score interval of the accuracy, at 95 %. */
  accuracyInterval: [JsonNumber, JsonNumber];
  /** Share right by the last number anywhere in the text. */
  lenientAccuracy?: JsonNumber;
  /** Mean tokens of a completion, without the end token. */
  meanTokens: JsonNumber;
  /** Share of completions that were cut off by the token budget. */
  truncated?: JsonNumber;
  /** Tokens that the test sampled in a second. */
  tokensPerSecond?: JsonNumber;
  /** Seconds of training that led to this student, earlier stages not counted. */
  wallSeconds: JsonNumber;
  /** Problems tested. */
  n: number;
  /** The unit of `tokens` if no tokenizer was available (imported answers). */
  unit?: 'words';
  /** The tested checkpoint; absent for the initial student. */
  checkpoint?: string;
  seq?: number;
}

/**
 * A line of metrics.jsonl. One update, with the meanings of TRL's GRPOTrainer: means over all unmasked
 * completion tokens, including flat groups. Values that were not computed are absent: supervised
 * updates have no rewards, groups or clipping, others no KL where beta is 0, no entropy where every
 * completion is masked. Shares are 0 to 1, lengths are completion tokens.
 */
export interface MetricsRecord {
  stage: Stage;
  /** A part of the stage with its own loop, such as Stage 3's `internalise`. */
  phase?: string;
  /** From 1, within the stage. */
  step: number;
  /** Absent if nothing is trained, as while samples are drawn. */
  loss?: JsonNumber;
  gradNorm?: JsonNumber;
  lr?: JsonNumber;
  tokensPerSecond?: JsonNumber;
  /** Mean and standard deviation of the optimized weighted sum. */
  reward?: JsonNumber;
  rewardStd?: JsonNumber;
  /** Mean of each reward component over the samples that it applies to. */
  parts?: {
    [name: string]: JsonNumber;
  };
  /** Share of samples with the right answer. */
  accuracy?: JsonNumber;
  kl?: JsonNumber;
  /** Nats per token. */
  entropy?: JsonNumber;
  /**
   * Share of tokens (gspo: of completions) clipped at the low side (advantage < 0) and at the high side
   * (advantage > 0).
   */
  clipLow?: JsonNumber;
  clipHigh?: JsonNumber;
  lengthMean?: JsonNumber;
  lengthCorrect?: JsonNumber;
  lengthWrong?: JsonNumber;
  /** Share of completions cut off by the token budget. */
  truncated?: JsonNumber;
  /** Share of flat groups (by the setting `dynamicSampling.by`), and of groups all right or all wrong. */
  flatGroups?: JsonNumber;
  allCorrect?: JsonNumber;
  allWrong?: JsonNumber;
  /** Cross-entropy of the replayed examples, if any. */
  replayLoss?: JsonNumber;
  seq: number;
  time: string;
}

/**
 * A line of validation.jsonl: results on the held-out rows of train. Stage 1 does not select
 * checkpoints by accuracy and has only a loss.
 */
export interface ValidationRecord {
  seq: number;
  time: string;
  stage: Stage;
  /** As in metrics.jsonl. */
  phase?: string;
  /** Updates made before it, counted within the stage; 0 is the initial student. */
  step: number;
  /** Accuracy, 0 to 1. */
  accuracy?: JsonNumber;
  /** Completion tokens without the end token. */
  meanTokens?: JsonNumber;
  /**
   * For supervised phases on teacher chains: mean cross-entropy of the held-out rows' chains, in nats
   * per token.
   */
  loss?: JsonNumber;
  /** Better than every earlier validation of its phase. */
  best: boolean;
}

/** A line of rollouts/<stage>/<step>.jsonl: one completion with everything known about it. */
export interface RolloutRecord {
  seq: number;
  stage: Stage;
  step: number;
  problemId: string;
  /** Index of the prompt in the batch, and of the sample in its group. */
  group: number;
  sample: number;
  /** As the student got it, including special tokens. */
  prompt: string;
  /** The question in the prompt; for runs of other trainers whose dataset is not available. */
  question?: string;
  /** Its reference answer; for such runs, if known. */
  gold?: string;
  /** The completion's token ids, including the end token if it was sampled; the other lists are parallel. */
  tokens: number[];
  tokenTexts: string[];
  /**
   * The meaning of `tokens` if neither ids nor a tokenizer were available (imported completions): words,
   * numbered within the record.
   */
  unit?: 'words';
  /** At the sampling temperature, like the two below; absent if another trainer did not record them. */
  logProbs?: JsonNumber[];
  /** Under the reference policy; if beta is above 0 and the setting `tokenMeasures` is on. */
  refLogProbs?: JsonNumber[];
  /** Nats, under the student in the update's first pass over the completion; if `tokenMeasures` is on. */
  entropy?: JsonNumber[];
  /** null: no component applied. */
  reward: JsonNumber | null;
  /** null: not applicable to this sample. */
  parts: {
    [name: string]: JsonNumber | null;
  };
  /** null: not recorded by another trainer. */
  advantage: JsonNumber | null;
  /** Whether it ended within the budget with the end token. */
  finished: boolean;
  /** The extracted answer; null if there is none. */
  answer: string | null;
  /** null: neither a reference answer nor a verdict was recorded (imported completions). */
  correct: boolean | null;
  /** Length of the teacher's own chain in the student's tokens. */
  teacherTokens?: number;
}

/** A line of failures.jsonl: a problem that the student keeps getting wrong. */
export interface FailureRecord {
  seq: number;
  problemId: string;
  question: string;
  answer: string;
  samples: {
    text: string;
    answer: string | null;
    correct: boolean;
    finished: boolean;
    tokens: number;
    /** The unit of `tokens` if no tokenizer was available (imported answers). */
    unit?: 'words';
  }[];
  /**
   * The kind of error, such as `arithmetic-slip`, `wrong-operation`, `missing-step`, `no-answer`,
   * `truncated`.
   */
  category: string;
  /** The first wrong step of a sample: index from 0, its text and the reason. */
  firstWrongStep?: {
    sample: number;
    step: number;
    text: string;
    reason: string;
    /** The wrong part: a range of the step's text, in UTF-16 code units. */
    start?: number;
    end?: number;
  };
  teacherChain?: string;
  /** Checkpoint (or file) of the samples. */
  source: string;
}

/** A line of rewrites.jsonl: a shorter chain for a failure, and its origin. */
export interface RewriteRecord {
  seq: number;
  problemId: string;
  question: string;
  answer: string;
  text: string;
  tokens: number;
  teacherTokens?: number;
  reward: JsonNumber | null;
  /** Right and shorter than the teacher's chain, so usable for training. */
  accepted: boolean;
  reason?: string;
  provenance: {
    stage: Stage;
    step: number;
    group: number;
    sample: number;
  };
}

/**
 * A line of decisions.jsonl: a person's decision about a case. It has no `seq`: editors append to this
 * file, even while a host writes the others, and resuming does not truncate it. The last line of its
 * kind about a problem, or about a text (`rewrite`), counts.
 */
export type DecisionRecord =
  | {
      time: string;
      problemId: string;
      question: string;
      kind: 'pick';
      picked: boolean;
    }
  | {
      time: string;
      problemId: string;
      question: string;
      kind: 'rewrite';
      /** `proposed`: sampled on request, not decided yet. `edited`: written by a person, and accepted. */
      verdict: 'proposed' | 'accepted' | 'edited' | 'rejected';
      text: string;
      /** Number of tokens of the text, if a tokenizer counted them. */
      tokens?: number;
      reward?: JsonNumber | null;
      parts?: {
        [name: string]: JsonNumber | null;
      };
      provenance: {
        /**
         * `run`: a line of rewrites.jsonl, by its seq; `request`: sampled on request; `person`: written,
         * starting from `original`.
         */
        from: 'run' | 'request' | 'person';
        seq?: number;
        checkpoint?: string;
        original?: string;
      };
    }
  | {
      time: string;
      problemId: string;
      question: string;
      kind: 'step';
      sample: number;
      step: number | null;
      text?: string;
    }
  | {
      time: string;
      problemId: string;
      question: string;
      kind: 'note';
      text: string;
    }
  | {
      time: string;
      problemId: string;
      question: string;
      kind: 'read';
      read: boolean;
    };

/** A line of evaluations/<name>.jsonl. */
export interface EvaluationRecord {
  text: string;
  answer: string | null;
  correct: boolean;
  finished: boolean;
  tokens: number;
  /** The unit of `tokens` if no tokenizer was available (imported answers). */
  unit?: 'words';
  seq: number;
  problemId: string;
  /** The reference answer. */
  gold: string;
  /** For imported answers whose dataset is not available. */
  question?: string;
  /** Right by the last number anywhere in the text. */
  lenientCorrect?: boolean;
}

/** checkpoints/<name>/state.json. state.json of a checkpoint. */
export interface CheckpointState {
  format: number;
  stage: Stage;
  step: number;
  seq: number;
  /** sha256 of every other file in the folder. */
  files: {
    [name: string]: string;
  };
  /** State of the writer: cursors, schedules, selections. */
  state: unknown;
  /** Checksum of the rest of state.json; absent in checkpoints of earlier versions. */
  sha256?: string;
}
