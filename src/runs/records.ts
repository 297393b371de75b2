/**
 * Everything that a run folder holds, as schemas: what is written is typed by them, what is read is checked by them.
 */
import * as z from 'zod';
import { real } from '../json';
import { studentRowSchema } from '../results';
import { checkpointPattern, stageNames } from '../stages';

/** Version of the folder's format; a reader refuses greater ones. */
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
  /** The run's last sequence number when it was taken: what the files say after it is cut off on resume. */
  seq: count,
  /** Kept for good: the end of a stage, the best of a stage. */
  keep: z.boolean().optional(),
});
export type CheckpointEntry = z.infer<typeof checkpointEntrySchema>;

/**
 * Where a run stands, as written. A run that says `running` or `paused` while nobody holds its lock was interrupted.
 */
export const runStates = ['created', 'running', 'paused', 'stopped', 'finished', 'failed'] as const;

/** run.json */
export const runRecordSchema = z.object({
  format: count,
  id: z.string(),
  name: z.string(),
  state: z.enum(runStates),
  /** Why it is in this state, when there is something to say. */
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
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** A line of summary.json: what a stage's student reaches on the test problems. */
export const stageRowSchema = studentRowSchema.extend({ seq: count.optional() });
export type StageRow = z.infer<typeof stageRowSchema>;

/**
 * One update, with the meanings of TRL's GRPOTrainer: means over all unmasked completion tokens, those of flat groups
 * too. What was not computed is absent: supervised updates have no rewards, groups or clipping, others no KL where beta
 * is 0, no entropy where every completion is masked. Shares are 0 to 1, lengths are completion tokens.
 */
export const updateMetricsSchema = z.object({
  stage: stageSchema,
  /** A part of the stage with a loop of its own, such as Stage 3's `internalise`. */
  phase: z.string().optional(),
  /** From 1, within the stage. */
  step: count,
  /** Absent where nothing is learned, as while samples are drawn. */
  loss: real.optional(),
  gradNorm: real.optional(),
  lr: real.optional(),
  tokensPerSecond: real.optional(),
  /** Mean of the weighted sum that is optimised, and its standard deviation. */
  reward: real.optional(),
  rewardStd: real.optional(),
  /** Mean of each reward component over the samples it applies to. */
  parts: z.record(z.string(), real).optional(),
  /** Share of samples with the right answer. */
  accuracy: real.optional(),
  kl: real.optional(),
  /** Nats a token. */
  entropy: real.optional(),
  /**
   * Share of tokens (gspo: of completions) clipped at the low side (advantage < 0) and at the high side (advantage >
   * 0).
   */
  clipLow: real.optional(),
  clipHigh: real.optional(),
  lengthMean: real.optional(),
  lengthCorrect: real.optional(),
  lengthWrong: real.optional(),
  /** Share of completions cut off by the token budget. */
  truncated: real.optional(),
  /** Share of flat groups (by the setting `dynamicSampling.by`), and of groups all right or all wrong. */
  flatGroups: real.optional(),
  allCorrect: real.optional(),
  allWrong: real.optional(),
  /** Cross-entropy of the replayed examples, where there were any. */
  replayLoss: real.optional(),
});
export type UpdateMetrics = z.infer<typeof updateMetricsSchema>;

/** A line of metrics.jsonl. */
export const metricsRecordSchema = updateMetricsSchema.extend({ seq: count, time });
export type MetricsRecord = z.infer<typeof metricsRecordSchema>;

/**
 * A line of validation.jsonl: the student on the held-out rows of train. Stage 1 chooses no checkpoint by it and only
 * has a loss.
 */
export const validationRecordSchema = z.object({
  seq: count,
  time,
  stage: stageSchema,
  /** As in metrics.jsonl. */
  phase: z.string().optional(),
  /** Updates made before it, counted within the stage; 0 is the student as it came. */
  step: count,
  /** Share right, 0 to 1. */
  accuracy: real.optional(),
  /** Completion tokens without the end token. */
  meanTokens: real.optional(),
  /** Of supervised phases on teacher chains: the mean cross-entropy of the held-out rows' chains, in nats a token. */
  loss: real.optional(),
  /** Better than every earlier check of its phase. */
  best: z.boolean(),
});
export type ValidationRecord = z.infer<typeof validationRecordSchema>;

/** A line of rollouts/<stage>/<step>.jsonl: one completion, all there is to know about it. */
export const rolloutRecordSchema = z.object({
  seq: count,
  stage: stageSchema,
  step: count,
  problemId: z.string(),
  /** Index of the prompt in the batch, and of the sample in its group. */
  group: count,
  sample: count,
  /** As the student was asked, special tokens included. */
  prompt: z.string(),
  /** The question in the prompt; of runs that another trainer made, whose dataset is not at hand. */
  question: z.string().optional(),
  /** Its reference answer; of such runs, where it is known. */
  gold: z.string().optional(),
  /** The completion's token ids with the end token, if it came; the other lists run along with it. */
  tokens: z.array(count),
  tokenTexts: z.array(z.string()),
  /**
   * What `tokens` are where neither ids nor a tokenizer were at hand (imported completions): words, numbered within the
   * record.
   */
  unit: z.literal('words').optional(),
  /** At the sampling temperature, like the two below; absent where another trainer did not record them. */
  logProbs: z.array(real).optional(),
  /** Under the reference policy; where beta is above 0 and the setting `tokenMeasures` is on. */
  refLogProbs: z.array(real).optional(),
  /** Nats, of the student as the update's first pass over the completion found it; where `tokenMeasures` is on. */
  entropy: z.array(real).optional(),
  /** null: no component applied. */
  reward: real.nullable(),
  /** null: not applicable to this sample. */
  parts: z.record(z.string(), real.nullable()),
  /** null: another trainer did not record it. */
  advantage: real.nullable(),
  /** Whether the end token came within the budget. */
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
  /** What `tokens` counts where no tokenizer was at hand (imported answers). */
  unit: z.literal('words').optional(),
});
export type AnswerRecord = z.infer<typeof answerSchema>;

/** A line of failures.jsonl: a problem that the student keeps getting wrong. */
export const failureRecordSchema = z.object({
  seq: count,
  problemId: z.string(),
  question: z.string(),
  answer: z.string(),
  samples: z.array(answerSchema),
  /** What went wrong, such as `arithmetic-slip`, `wrong-operation`, `missing-step`, `no-answer`, `truncated`. */
  category: z.string(),
  /** The first step of a sample that does not hold: index from 0, its text and why. */
  firstWrongStep: z
    .object({
      sample: count,
      step: count,
      text: z.string(),
      reason: z.string(),
      /** What is wrong in it: a range of the step's text, in UTF-16 code units. */
      start: count.optional(),
      end: count.optional(),
    })
    .optional(),
  teacherChain: z.string().optional(),
  /** Checkpoint (or file) that the samples came from. */
  source: z.string(),
});
export type FailureRecord = z.infer<typeof failureRecordSchema>;

/** A line of rewrites.jsonl: a shorter chain for a failure, and where it came from. */
export const rewriteRecordSchema = z.object({
  seq: count,
  problemId: z.string(),
  question: z.string(),
  answer: z.string(),
  text: z.string(),
  tokens: count,
  teacherTokens: count.optional(),
  reward: real.nullable(),
  /** Right, and shorter than the teacher: fit to be learned from. */
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
 * A line of decisions.jsonl: what a person decided about a case. It has no `seq`: editors append to this file, also
 * while a host writes the others, and no resume cuts it. The last line of its kind about a problem, or about a text
 * (`rewrite`), counts.
 */
export const decisionRecordSchema = z.discriminatedUnion('kind', [
  /** Whether Stage 3 takes the problem although it may not be a failure by its own count. */
  z.object({ ...decided, kind: z.literal('pick'), picked: z.boolean() }),
  z.object({
    ...decided,
    kind: z.literal('rewrite'),
    /** `proposed`: sampled on request, not decided yet. `edited`: written by a person, and accepted. */
    verdict: z.enum(['proposed', 'accepted', 'edited', 'rejected']),
    text: z.string(),
    /** Tokens of the text, where a tokenizer counted them. */
    tokens: count.optional(),
    reward: real.nullable().optional(),
    parts: z.record(z.string(), real.nullable()).optional(),
    provenance: z.object({
      /**
       * `run`: a line of rewrites.jsonl, by its seq; `request`: sampled on request; `person`: written, from `original`.
       */
      from: z.enum(['run', 'request', 'person']),
      seq: count.optional(),
      checkpoint: z.string().optional(),
      original: z.string().optional(),
    }),
  }),
  /**
   * Where a person says that a recorded answer (from 0) first goes wrong: its step, from 0, with its text; null takes
   * the mark back.
   */
  z.object({
    ...decided,
    kind: z.literal('step'),
    sample: count,
    step: count.nullable(),
    text: z.string().optional(),
  }),
  /** What a person noted about the case; empty: nothing any more. */
  z.object({ ...decided, kind: z.literal('note'), text: z.string() }),
  /** Whether a person is done with reading it. */
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
  /** Of imported answers, whose dataset is not at hand. */
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
  /** The writer's own: cursors, schedules, selections. */
  state: z.unknown(),
  /** Of all the rest of state.json; absent in checkpoints of earlier versions. */
  sha256: z.string().optional(),
});
export type CheckpointState = z.infer<typeof checkpointStateSchema>;
