/** Schemas of all records in a run folder: written values are typed by them, read values are validated by them. */
import * as z from 'zod';
import { numberOrText } from '../json';
import { studentRowSchema } from '../results';
import { spentSchema } from '../spent';
import { checkpointPattern, stageNames } from '../stages';

/** Version of the folder's format; readers refuse greater ones. */
export const formatVersion = 1;

export const stageSchema = z.enum(stageNames);

const count = z.number().int().nonnegative();
const time = z.iso.datetime();

/** A checkpoint's folder below `checkpoints/`, `<stage>-<step>`. */
const checkpointName = z.string().regex(new RegExp(`^${checkpointPattern}$`));

/** A published checkpoint. */
export const checkpointEntrySchema = z.object({
  name: checkpointName,
  stage: stageSchema,
  step: count,
  /** The run's last sequence number at that time; resuming truncates the files after it. */
  seq: count,
  /** Kept permanently: the end of a stage, the best of a stage. */
  keep: z.boolean().optional(),
});
export type CheckpointEntry = z.infer<typeof checkpointEntrySchema>;

/** State of a run, as written. A run with `running` or `paused` and no lock holder was interrupted. */
export const runStates = ['created', 'running', 'paused', 'stopped', 'finished', 'failed'] as const;

/** run.json */
export const runRecordSchema = z.object({
  format: count,
  id: z.string(),
  name: z.string(),
  state: z.enum(runStates),
  /** The reason for this state, if any. */
  reason: z.string().optional(),
  stage: stageSchema.optional(),
  step: count.optional(),
  created: time,
  updated: time,
  /** The process that wrote last. */
  host: z.object({ pid: count, startTime: z.string(), name: z.string() }),
  /** Oldest first. */
  checkpoints: z.array(checkpointEntrySchema),
  /** Folders that are being written or deleted. After a crash these, and no others, are removed. */
  pending: z.array(checkpointName).optional(),
  /** What the run has used of a server that charges by the token, in all of its sessions. */
  spent: spentSchema.optional(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** A row of summary.json: test results of a stage's student. */
export const stageRowSchema = studentRowSchema.extend({ seq: count.optional() });
export type StageRow = z.infer<typeof stageRowSchema>;

/**
 * One update, with the meanings of TRL's GRPOTrainer: means over all unmasked completion tokens, including flat groups.
 * Values that were not computed are absent: supervised updates have no rewards, groups or clipping, others no KL where
 * beta is 0, no entropy where every completion is masked. Shares are 0 to 1, lengths are completion tokens.
 */
export const updateMetricsSchema = z.object({
  stage: stageSchema,
  /** A part of the stage with its own loop, such as Stage 3's `internalise`. */
  phase: z.string().optional(),
  /** From 1, within the stage. */
  step: count,
  /** Absent if nothing is trained, as while samples are drawn. */
  loss: numberOrText.optional(),
  gradNorm: numberOrText.optional(),
  lr: numberOrText.optional(),
  tokensPerSecond: numberOrText.optional(),
  /** Mean and standard deviation of the optimized weighted sum. */
  reward: numberOrText.optional(),
  rewardStd: numberOrText.optional(),
  /** Mean of each reward component over the samples that it applies to. */
  parts: z.record(z.string(), numberOrText).optional(),
  /** Share of samples with the right answer. */
  accuracy: numberOrText.optional(),
  kl: numberOrText.optional(),
  /** Nats per token. */
  entropy: numberOrText.optional(),
  /**
   * Share of tokens (gspo: of completions) clipped at the low side (advantage < 0) and at the high side (advantage >
   * 0).
   */
  clipLow: numberOrText.optional(),
  clipHigh: numberOrText.optional(),
  lengthMean: numberOrText.optional(),
  lengthCorrect: numberOrText.optional(),
  lengthWrong: numberOrText.optional(),
  /** Share of completions cut off by the token budget. */
  truncated: numberOrText.optional(),
  /** Share of flat groups (by the setting `dynamicSampling.by`), and of groups all right or all wrong. */
  flatGroups: numberOrText.optional(),
  allCorrect: numberOrText.optional(),
  allWrong: numberOrText.optional(),
  /** Cross-entropy of the replayed examples, if any. */
  replayLoss: numberOrText.optional(),
});
export type UpdateMetrics = z.infer<typeof updateMetricsSchema>;

/** A line of metrics.jsonl. */
export const metricsRecordSchema = updateMetricsSchema.extend({ seq: count, time });
export type MetricsRecord = z.infer<typeof metricsRecordSchema>;

/**
 * A line of validation.jsonl: results on the held-out rows of train. Stage 1 does not select checkpoints by accuracy
 * and has only a loss.
 */
export const validationRecordSchema = z.object({
  seq: count,
  time,
  stage: stageSchema,
  /** As in metrics.jsonl. */
  phase: z.string().optional(),
  /** Updates made before it, counted within the stage; 0 is the initial student. */
  step: count,
  /** Accuracy, 0 to 1. */
  accuracy: numberOrText.optional(),
  /** Completion tokens without the end token. */
  meanTokens: numberOrText.optional(),
  /** For supervised phases on teacher chains: mean cross-entropy of the held-out rows' chains, in nats per token. */
  loss: numberOrText.optional(),
  /** Better than every earlier validation of its phase. */
  best: z.boolean(),
});
export type ValidationRecord = z.infer<typeof validationRecordSchema>;

/** A line of rollouts/<stage>/<step>.jsonl: one completion with everything known about it. */
export const rolloutRecordSchema = z.object({
  seq: count,
  stage: stageSchema,
  step: count,
  problemId: z.string(),
  /** Index of the prompt in the batch, and of the sample in its group. */
  group: count,
  sample: count,
  /** As the student got it, including special tokens. */
  prompt: z.string(),
  /** The question in the prompt; for runs of other trainers whose dataset is not available. */
  question: z.string().optional(),
  /** Its reference answer; for such runs, if known. */
  gold: z.string().optional(),
  /** The completion's token ids, including the end token if it was sampled; the other lists are parallel. */
  tokens: z.array(count),
  tokenTexts: z.array(z.string()),
  /**
   * The meaning of `tokens` if neither ids nor a tokenizer were available (imported completions): words, numbered
   * within the record.
   */
  unit: z.literal('words').optional(),
  /** At the sampling temperature, like the two below; absent if another trainer did not record them. */
  logProbs: z.array(numberOrText).optional(),
  /** Under the reference policy; if beta is above 0 and the setting `tokenMeasures` is on. */
  refLogProbs: z.array(numberOrText).optional(),
  /** Nats, under the student in the update's first pass over the completion; if `tokenMeasures` is on. */
  entropy: z.array(numberOrText).optional(),
  /** null: no component applied. */
  reward: numberOrText.nullable(),
  /** null: not applicable to this sample. */
  parts: z.record(z.string(), numberOrText.nullable()),
  /** null: not recorded by another trainer. */
  advantage: numberOrText.nullable(),
  /** Whether it ended within the budget with the end token. */
  finished: z.boolean(),
  /** The extracted answer; null if there is none. */
  answer: z.string().nullable(),
  /** null: neither a reference answer nor a verdict was recorded (imported completions). */
  correct: z.boolean().nullable(),
  /** Length of the teacher's own chain in the student's tokens. */
  teacherTokens: count.optional(),
});
export type RolloutRecord = z.infer<typeof rolloutRecordSchema>;

/** A sampled answer inside a failure or an evaluation. */
export const answerSchema = z.object({
  text: z.string(),
  answer: z.string().nullable(),
  correct: z.boolean(),
  finished: z.boolean(),
  tokens: count,
  /** The unit of `tokens` if no tokenizer was available (imported answers). */
  unit: z.literal('words').optional(),
});
export type AnswerRecord = z.infer<typeof answerSchema>;

const problem = { problemId: z.string(), question: z.string(), answer: z.string() };

/** A line of failures.jsonl: a problem that the student keeps getting wrong. */
export const failureRecordSchema = z.object({
  seq: count,
  ...problem,
  samples: z.array(answerSchema),
  /** The kind of error, such as `arithmetic-slip`, `wrong-operation`, `missing-step`, `no-answer`, `truncated`. */
  category: z.string(),
  /** The first wrong step of a sample: index from 0, its text and the reason. */
  firstWrongStep: z
    .object({
      sample: count,
      step: count,
      text: z.string(),
      reason: z.string(),
      /** The wrong part: a range of the step's text, in UTF-16 code units. */
      start: count.optional(),
      end: count.optional(),
    })
    .optional(),
  teacherChain: z.string().optional(),
  /** Checkpoint (or file) of the samples. */
  source: z.string(),
});
export type FailureRecord = z.infer<typeof failureRecordSchema>;

/** A line of rewrites.jsonl: a shorter chain for a failure, and its origin. */
export const rewriteRecordSchema = z.object({
  seq: count,
  ...problem,
  text: z.string(),
  tokens: count,
  teacherTokens: count.optional(),
  reward: numberOrText.nullable(),
  /** Right and shorter than the teacher's chain, so usable for training. */
  accepted: z.boolean(),
  reason: z.string().optional(),
  provenance: z.object({
    stage: stageSchema,
    step: count,
    group: count,
    sample: count,
  }),
});
export type RewriteRecord = z.infer<typeof rewriteRecordSchema>;

const decided = { time, problemId: z.string(), question: z.string() };

/**
 * A line of decisions.jsonl: a person's decision about a case. It has no `seq`: editors append to this file, even while
 * a host writes the others, and resuming does not truncate it. The last line of its kind about a problem, or about a
 * text (`rewrite`), counts.
 */
export const decisionRecordSchema = z.discriminatedUnion('kind', [
  /** Whether Stage 3 takes the problem even if it is not a failure by its own rule. */
  z.object({ ...decided, kind: z.literal('pick'), picked: z.boolean() }),
  z.object({
    ...decided,
    kind: z.literal('rewrite'),
    /** `proposed`: sampled on request, not decided yet. `edited`: written by a person, and accepted. */
    verdict: z.enum(['proposed', 'accepted', 'edited', 'rejected']),
    text: z.string(),
    /** Number of tokens of the text, if a tokenizer counted them. */
    tokens: count.optional(),
    reward: numberOrText.nullable().optional(),
    parts: z.record(z.string(), numberOrText.nullable()).optional(),
    provenance: z.object({
      /**
       * `run`: a line of rewrites.jsonl, by its seq; `request`: sampled on request; `person`: written, starting from
       * `original`.
       */
      from: z.enum(['run', 'request', 'person']),
      seq: count.optional(),
      checkpoint: z.string().optional(),
      original: z.string().optional(),
    }),
  }),
  /**
   * A person's mark of the first wrong step (from 0, with its text) of a recorded answer (from 0); null removes the
   * mark.
   */
  z.object({
    ...decided,
    kind: z.literal('step'),
    sample: count,
    step: count.nullable(),
    text: z.string().optional(),
  }),
  /** A person's note about the case; an empty text removes it. */
  z.object({ ...decided, kind: z.literal('note'), text: z.string() }),
  /** Whether a person has marked it as read. */
  z.object({ ...decided, kind: z.literal('read'), read: z.boolean() }),
]);
export type DecisionRecord = z.infer<typeof decisionRecordSchema>;
export type RewriteDecision = Extract<DecisionRecord, { kind: 'rewrite' }>;

/** A line of evaluations/<name>.jsonl. */
export const evaluationRecordSchema = answerSchema.extend({
  seq: count,
  problemId: z.string(),
  /** The reference answer. */
  gold: z.string(),
  /** For imported answers whose dataset is not available. */
  question: z.string().optional(),
  /** Right by the last number anywhere in the text. */
  lenientCorrect: z.boolean().optional(),
});
export type EvaluationRecord = z.infer<typeof evaluationRecordSchema>;

/** state.json of a checkpoint. */
export const checkpointStateSchema = z.object({
  format: count,
  stage: stageSchema,
  step: count,
  seq: count,
  /** sha256 of every other file in the folder. */
  files: z.record(z.string(), z.string()),
  /** State of the writer: cursors, schedules, selections. */
  state: z.unknown(),
  /** Checksum of the rest of state.json; absent in checkpoints of earlier versions. */
  sha256: z.string().optional(),
});
export type CheckpointState = z.infer<typeof checkpointStateSchema>;
