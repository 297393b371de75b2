/**
 * The control protocol between a training host and its clients (editor, terminal): JSON-RPC 2.0 with `Content-Length`
 * headers over a private socket or named pipe. `docs/protocol.md` describes it for hosts in other languages. Types and
 * validation only.
 */
import * as z from 'zod';
import { backendNames } from '../config/backends';
import { numberOrText } from '../json';
import { figuresSchema } from '../results';
import { evaluationRecordSchema } from '../runs/records';
import { pricesSchema } from '../spent';
import { trainedStages } from '../stages';
import { faultSchema, hostEventSchema, statusSchema } from './host-events';

export * from './address';
export * from './host-events';

const count = z.number().int().nonnegative();
const positive = z.number().int().positive();

/** JSON-RPC error codes besides the standard ones. `data` is a Fault. */
export const errorCodes = {
  /** Wrong token, or a request before `hello`. The connection is closed. */
  refused: -32001,
  /**
   * Another protocol version: data has the host's `protocol` and `version`, and whether it is `idle`. After it only
   * `shutdown` is accepted.
   */
  version: -32002,
  /** A UserError: the request cannot be done; `data` has the reason and the remedy. */
  user: -32003,
  /** A defect of the host. */
  defect: -32004,
} as const;

export const versionGapSchema = faultSchema.extend({ protocol: count, version: z.string(), idle: z.boolean() });

/** A sampled text by tokens. */
const sampleSchema = z.object({
  text: z.string(),
  /** Includes the end token if it was sampled; the other lists are parallel. */
  tokens: z.array(count),
  tokenTexts: z.array(z.string()),
  logProbs: z.array(numberOrText),
  /** Ended by the end token; false: cut off by the budget. */
  finished: z.boolean(),
});
export type AskSample = z.output<typeof sampleSchema>;

const problem = z.object({
  id: z.string(),
  question: z.string(),
  /** The reference answer. */
  answer: z.string(),
});

/** The answer to one problem, as in an evaluation's file. */
const evaluatedSchema = evaluationRecordSchema.omit({ seq: true });
export type Evaluated = z.output<typeof evaluatedSchema>;

const candidateSchema = sampleSchema.extend({
  answer: z.string().nullable(),
  correct: z.boolean(),
  /** Completion tokens without the end token. */
  length: count,
  /** null: no component applied. */
  reward: numberOrText.nullable(),
  /** Weighted value of each component by its name; null if it does not apply. */
  parts: z.record(z.string(), numberOrText.nullable()),
});
/** A rewrite sampled from the student. */
export type Candidate = z.output<typeof candidateSchema>;

const checkpoint = z.string().describe('Absolute path of a Hugging Face folder, such as a checkpoint of a run.');
const noResult = z.object({});
/** The host's state after a control request; events report later changes. */
const resultingState = z.object({ state: statusSchema.shape.state, run: z.string().optional() });

/**
 * All requests: parameters, result, and for incremental results the progress messages (`$/progress`, with the token
 * given as `partialResultToken` beside the parameters). `$/cancelRequest` aborts evaluate, ask, rewrite and doctor.
 */
export const requests = {
  /** The first request of every connection. */
  hello: {
    params: z.object({
      protocol: count,
      token: z.string(),
      client: z.object({
        name: z.string(),
        version: z.string(),
        pid: count,
        /**
         * Sets the user's own engine command (docs/engine.md) for all later runs and work.
         * '' = none.
         */
        engine: z.string().max(4096).optional(),
        /** The user's own Tinker server (docs/cluster.md), likewise. url '' = none. The key is kept in memory alone. */
        tinker: z
          .object({
            url: z.string().max(4096),
            key: z.string().max(4096).optional(),
            model: z.string().max(4096),
            prices: pricesSchema.optional(),
          })
          .optional(),
      }),
    }),
    result: z.object({ protocol: count, version: z.string(), pid: positive, session: z.string() }),
  },
  status: { params: noResult, result: statusSchema },
  /**
   * Events after a cursor, at most a few hundred. Answers as soon as there are some, else after `waitMs`; called in a
   * loop, this is the event stream and the host's heartbeat. Without a cursor, or when the host no longer has the
   * events after it (or is another session), the answer is a snapshot, valid at `next`.
   */
  events: {
    params: z.object({ session: z.string().optional(), after: count.optional(), waitMs: count.max(60_000) }),
    result: z.object({
      session: z.string(),
      snapshot: statusSchema.optional(),
      events: z.array(hostEventSchema),
      /** The cursor for the next call. */
      next: count,
    }),
  },
  /**
   * Starts a run; answers when its folder exists. Repeating the request during such a run returns that run; during
   * another one:
   * `busy`.
   */
  start: {
    params: z.object({
      /** Absolute path of a *.distillery.json file. */
      experiment: z.string(),
      /** Only these stages, without baselines. */
      stages: z.array(z.enum(trainedStages)).optional(),
      /** Initial student, instead of the experiment's. */
      from: z.string().optional(),
      /** Folder of an earlier run whose case decisions also apply to this one. */
      decisions: z.string().optional(),
      /** Use at most n test and n validation rows, and 2n training rows. */
      limit: positive.optional(),
      quick: z.boolean().optional(),
      seed: count.optional(),
      backend: z.enum(backendNames).optional(),
      /** Folder for the run's folder (default: the host's own `runs`). */
      runs: z.string().optional(),
    }),
    result: z.object({ run: z.string(), already: z.boolean() }),
  },
  /** Resumes a run: one paused by this host, or one that was stopped or interrupted, from its newest checkpoint. */
  resume: {
    params: z.object({ run: z.string() }),
    result: z.object({ run: z.string(), already: z.boolean() }),
  },
  /** Finishes the current update, writes a checkpoint, and waits. */
  pause: { params: noResult, result: resultingState },
  /** Finishes the current update, writes a checkpoint, and ends the run. */
  stop: { params: noResult, result: resultingState },
  /**
   * Ends the run and all other work at once, without a checkpoint; if the engine does not respond in time, the host
   * exits.
   */
  cancel: { params: noResult, result: resultingState },
  /** Answers problems from the plain question. Progress: lists of new answers. */
  evaluate: {
    params: z.object({
      checkpoint,
      problems: z.array(problem).min(1),
      maxNewTokens: positive.optional(),
      /** 0 means greedy. */
      temperature: z.number().min(0).max(10).optional(),
      seed: count.optional(),
      /**
       * Name of the record in the run's evaluations/ if the checkpoint belongs to a run that no process is working on;
       * false: no record.
       */
      record: z.union([z.string().regex(/^[\w.-]{1,80}$/), z.literal(false)]).optional(),
    }),
    progress: z.array(evaluatedSchema),
    result: figuresSchema.extend({
      /** In the order of the problems. */
      answers: z.array(evaluatedSchema),
      /** Name below the run's evaluations/, if it was recorded. */
      recorded: z.string().optional(),
      /** Why they could not be recorded. */
      unrecorded: z.string().optional(),
    }),
  },
  /** Samples answers to a question. Progress: the samples that grew, so far. */
  ask: {
    params: z.object({
      checkpoint,
      question: z.string().min(1),
      samples: positive.max(64).optional(),
      temperature: z.number().min(0).max(10).optional(),
      maxNewTokens: positive.optional(),
      seed: count.optional(),
    }),
    progress: z.array(z.object({ sample: count, text: z.string(), tokens: count, done: z.boolean() })),
    result: z.object({ prompt: z.string(), samples: z.array(sampleSchema), tokensPerSecond: numberOrText }),
  },
  /**
   * Samples shorter chains for a problem from its teacher's chain, and scores them with the Stage 3 reward of the
   * checkpoint's run.
   */
  rewrite: {
    params: z.object({
      checkpoint,
      question: z.string().min(1),
      answer: z.string(),
      teacherChain: z.string().min(1),
      /** The student's first wrong step, if a person marked it; it is part of the prompt. */
      wrongStep: z.string().optional(),
      samples: positive.max(64).optional(),
      temperature: z.number().min(0).max(10).optional(),
      maxNewTokens: positive.optional(),
      seed: count.optional(),
    }),
    result: z.object({
      /** Best reward first; those without one last. */
      candidates: z.array(candidateSchema),
      /** Length of the teacher's chain in the student's tokens. */
      teacherTokens: count,
      /** Name of the reward config. */
      reward: z.string(),
      /** Why components of the reward do not apply, such as an error in a module, with file and line. */
      problems: z.array(z.string()).default([]),
    }),
  },
  /**
   * Token ids of texts by a checkpoint's tokenizer; with `asked`, of prompts as the student gets them, in its chat
   * template with the system message. Also answered while the engine is busy.
   */
  tokenize: {
    params: z.object({
      checkpoint,
      texts: z.array(z.string()).max(1000),
      asked: z.object({ prompt: z.enum(['auto', 'plain', 'chat']), system: z.string().optional() }).optional(),
    }),
    result: z.object({ texts: z.array(z.object({ ids: z.array(count), texts: z.array(z.string()) })) }),
  },
  /** Checks this machine. */
  doctor: {
    params: noResult,
    result: z.object({
      node: z.object({ version: z.string(), platform: z.string() }),
      processor: z.object({ model: z.string(), cores: count }),
      memory: z.object({ total: count, free: count }),
      disk: z.object({ folder: z.string(), free: count, total: count }),
      compiler: z.object({ name: z.string(), version: z.string() }).nullable(),
      addon: z.looseObject({ file: z.string(), usable: z.boolean(), reason: z.string().optional() }),
      backends: z.array(
        z.object({
          name: z.string(),
          usable: z.boolean(),
          detail: z.string(),
          advice: z.string(),
          gflops: z.number().optional(),
          tokensPerSecond: z.number().optional(),
        }),
      ),
      /** Missing or insufficient requirements, as sentences. */
      problems: z.array(z.string()),
    }),
  },
  /** Ends the host if it is idle; with `evenBusy` in any case (a run is stopped after a checkpoint). */
  shutdown: { params: z.object({ evenBusy: z.boolean().optional() }), result: z.object({ ending: z.boolean() }) },
} satisfies Record<string, { params: z.ZodType; result: z.ZodType; progress?: z.ZodType }>;

export type HostMethod = keyof typeof requests;
export type HostParams<M extends HostMethod> = z.input<(typeof requests)[M]['params']>;
export type HostResult<M extends HostMethod> = z.output<(typeof requests)[M]['result']>;
/** What a request reports before its result. */
export type JobProgress<M extends HostMethod> = (typeof requests)[M] extends { progress: infer P extends z.ZodType }
  ? z.output<P>
  : never;
/** Requests about the current run, which are made only to a running host. */
export type HostControl = 'pause' | 'stop' | 'cancel';
