/** Messages to the page that shows the teacher's, student's and rewritten chain of a problem side by side. */
import * as z from 'zod';
import { chainSubjectSchema, originSchema, roleSchema } from './chain-diff-requests';

const text = z.string().max(1_000_000);
const word = z.string().max(2_000);
const index = z.number().int().nonnegative();
/** null: not recorded, or not finite. JSON has no NaN. */
const number = z.number().nullable();

/**
 * A list with one item per token. Validated in one loop, as validating single items would take most of the time of
 * opening a page.
 */
function perToken<T>(what: string, isItem: (value: unknown) => value is T) {
  const isList = (value: unknown) => Array.isArray(value) && value.length <= 200_000 && value.every(isItem);
  return z.custom<T[]>(isList, { error: `a list of at most 200,000 ${what}` });
}
const numbers = perToken(
  'numbers or null',
  (value): value is number | null => value === null || (typeof value === 'number' && Number.isFinite(value)),
);

/** A part of a chain, as a range of its tokens. */
const segmentSchema = z.object({
  kind: z.enum(['thinking', 'step', 'answer']),
  /** Number of the step, from 1. */
  number: index.optional(),
  from: index,
  to: index,
  /** Tokens at which a sentence begins, except the first. */
  cuts: z.array(index).max(20_000),
});
export type Segment = z.infer<typeof segmentSchema>;

/** A part that rewards look at, as a range of tokens. */
const findingSchema = z.object({
  kind: z.enum(['right', 'wrong', 'costly']),
  from: index,
  to: index,
  /** For people: "75 + 25 = 100 is true". */
  text: word,
});
export type ChainFinding = z.infer<typeof findingSchema>;

const rewardPartSchema = z.object({
  name: word,
  /** Weighted value; null if the component does not apply. */
  value: number,
  /** Absent when the run's config lacks it. */
  weight: z.number().optional(),
  /** What the component measures, and its gates. */
  about: word,
});

const chainViewSchema = z.object({
  role: roleSchema,
  /** Its origin: "Stage 2 · update 26 · sample 3". */
  label: word,
  origin: originSchema,
  /** Token ids of the student's tokenizer; in word mode, numbers that are equal for equal words. */
  ids: perToken('token ids', (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0),
  /** Joined, they are the displayed text; special tokens are included. */
  texts: perToken('texts', (value): value is string => typeof value === 'string' && value.length <= 2_000),
  /** The last token is the end token. */
  ended: z.boolean(),
  /** Length in tokens without the end token. */
  length: index,
  /** The length counts other tokens than the displayed ones: those of another student, or word mode. */
  lengthIsRecorded: z.boolean(),
  answer: word.nullable(),
  /** null: no reference answer is known. */
  correct: z.boolean().nullable(),
  /** False: cut off by the token budget. */
  finished: z.boolean(),
  segments: z.array(segmentSchema).max(20_000),
  /** The first wrong step: its segment, its tokens, a sentence, and whether it is a guess. */
  fault: z.object({ segment: index, from: index, to: index, sentence: word, guess: z.boolean() }).optional(),
  logProbs: numbers.optional(),
  refLogProbs: numbers.optional(),
  /** Nats. */
  entropy: numbers.optional(),
  reward: z
    .object({
      total: number,
      advantage: number,
      /** Mean and deviation of the group's rewards. */
      groupMean: number,
      groupStd: number,
      /**
       * The divisor of advantages: `group`, `batch` (standard deviations) or `none`; absent when the config lacks it.
       */
      scale: word.optional(),
      parts: z.array(rewardPartSchema).max(100),
    })
    .optional(),
  /** For absent values, the reason why they were not recorded. */
  absent: z.object({ logProbs: word, refLogProbs: word, entropy: word, reward: word }).partial(),
  findings: z.array(findingSchema).max(10_000),
});
export type ChainView = z.infer<typeof chainViewSchema>;

/** A moment at which the problem was answered: an update's rollouts, the failure search, an evaluation. */
const momentSchema = z.object({
  /** `rollouts/complete/26`, `failures`, `evaluations/base`. */
  key: word,
  kind: z.enum(['rollouts', 'failures', 'evaluation']),
  /** Number and name of the stage: "Stage 2 (Complete)". */
  stage: word,
  /** "update 26", "failures", "test of complete-110". */
  label: word,
});
export type Moment = z.infer<typeof momentSchema>;

/** A summary of one completion of the group. */
const groupMemberSchema = z.object({
  /** An update may sample a problem in several groups with separate advantages; counted from 0. */
  group: index,
  /** Unique among all groups. */
  sample: index,
  reward: number,
  advantage: number,
  length: index,
  answer: word.nullable(),
  correct: z.boolean().nullable(),
  finished: z.boolean(),
});
export type GroupMember = z.infer<typeof groupMemberSchema>;

export const caseViewSchema = z.object({
  /** With the chosen moment and sample. */
  subject: chainSubjectSchema,
  runName: word,
  question: text,
  answer: word,
  category: word.nullable(),
  /** Position of this case in the list of next and previous. */
  place: z.object({ number: index, count: index, of: word }),
  teacher: chainViewSchema.nullable(),
  student: chainViewSchema.nullable(),
  rewritten: chainViewSchema.nullable(),
  /** Completions of the student's moment, best first. */
  group: z.array(groupMemberSchema).max(4_096),
  /** In training order. */
  moments: z.array(momentSchema).max(100_000),
  /** Number of rewrites of the problem, and the status of the shown one ("accepted", "not shorter"). */
  rewrites: z.object({
    count: index,
    verdict: word.nullable(),
    /** The possible decisions about the shown one; absent if it is not a rewrite. */
    can: z.object({ accept: z.boolean(), reject: z.boolean() }).optional(),
  }),
  /** A person's note about the case. */
  note: text.nullable(),
  /** The text that the student's completion continues, if it is more than the question. */
  prompt: text.nullable(),
  unit: z.enum(['tokens', 'words']),
  /** Sentences about unreadable data, or about word mode. */
  notes: z.array(word).max(20),
});
export type CaseView = z.infer<typeof caseViewSchema>;

export const toChainPageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('case'), case: caseViewSchema }),
  z.object({ type: z.literal('trouble'), subject: chainSubjectSchema, message: text }),
]);
export type ToChainPage = z.infer<typeof toChainPageSchema>;
