import { groundedness } from '../../chain/grounded';
import type { RewriteSettings } from '../../config/experiment';
import type { Student } from '../../engine/port';
import { uniform } from '../../random';
import type { RewriteRecord } from '../../runs/records';
import { percent, plural } from '../../words';
import { checkpointName, newestCheckpoint } from '../checkpoints/checkpoints';
import { type Context, note } from '../context';
import { evaluateLessons } from '../evaluation/evaluate';
import type { Validation } from '../evaluation/selection';
import { rewriteExercise, teacherExample } from '../lessons/lessons';
import { type GroupPrompt, rowsAtOnce, sampleGroups } from '../training/groups';
import { trainGrpo } from '../training/grpo-phase';
import { rowsOfUpdate } from '../training/order';
import { trainSupervised } from '../training/supervised-phase';
import type { PhaseState } from '../training/training';
import { decisionsFor, markedSteps, rejectedTexts, type TaughtRewrite, withVerdicts } from './decisions';
import { findFailures } from './failures';
import { drawReplay, type OwnSamples } from './replay';

/** The state of Stage 3 that must survive a restart. */
interface RewriteState {
  failures: number[];
  /** The rewrites that were accepted when they were collected; null before that. */
  rewrites: TaughtRewrite[] | null;
  own: [number, readonly number[]][];
}

/**
 * Stage 3: GRPO on rewriting the problems that the student keeps failing, with the teacher's chain in the prompt. Then
 * accepted rewrites are internalised from the plain question, because the test shows no teacher text. The rewriter and
 * the student before and after internalising are candidates, and the validation rows decide. People's decisions about
 * cases and rewrites are respected. Returns the selected checkpoint, or null when nothing was trained.
 */
export async function rewrite(
  context: Context,
  student: Student,
  settings: RewriteSettings,
  own: OwnSamples,
): Promise<string | null> {
  const newest = newestCheckpoint(context);
  const resumed = newest?.entry.stage === 'rewrite' ? (newest.state.extra as RewriteState) : null;
  if (resumed) own.restore(resumed.own);
  const failures = resumed?.failures ?? (await findFailures(context, student, settings.failures, own));
  const progress: RewriteState = { failures, rewrites: resumed?.rewrites ?? null, own: [] };
  const state: PhaseState = { save: () => ({ ...progress, own: own.save() }), restore: () => {} };
  note(context.notify, `${plural(failures.length, 'failure')} among the training problems`);
  let candidate: Validation | null = null;
  const wrongSteps = markedSteps(context, decisionsFor(context));
  const prompts: RewritePrompts = (row) => ({
    row,
    prompt: rewriteExercise(
      context.train[row],
      { hideAnswer: settings.hideAnswer, wrongStep: wrongSteps.get(context.train[row].problem.id) },
      context.tokenizer,
    ),
  });
  if (progress.rewrites === null) {
    const before = settings.internalise.start === 'rewriter' ? null : await student.snapshot();
    try {
      if (failures.length > 0 && settings.updates > 0)
        candidate = await learnToRewrite(context, student, settings, { failures, prompts, own, state });
      const wanted = failures.length > 0 && settings.updates + settings.internalise.updates > 0;
      progress.rewrites = wanted ? await collectRewrites(context, student, settings, failures.map(prompts)) : [];
      if (before) await student.restore(before);
    } finally {
      await before?.discard();
    }
  }
  const taught = withVerdicts(context, progress.rewrites, decisionsFor(context), settings.internalise.rewrites);
  const chosen = await internalise(context, student, settings, { taught, own, candidate, state });
  if (chosen === checkpointName('rewrite', settings.updates))
    note(context.notify, 'the rewriter itself is best on the validation rows');
  return chosen;
}

type RewritePrompts = (row: number) => GroupPrompt;

/** Trains the rewriter and validates it on the plain questions of the validation rows. */
async function learnToRewrite(
  context: Context,
  rewriter: Student,
  settings: RewriteSettings,
  {
    failures,
    prompts,
    own,
    state,
  }: { failures: number[]; prompts: RewritePrompts; own: OwnSamples; state: PhaseState },
): Promise<Validation | null> {
  const { train, experiment, results, validation, run, space, notify } = context;
  await trainGrpo(context, rewriter, {
    stage: 'rewrite',
    phase: 'rewrite',
    settings: { ...settings, policyWeight: 1 },
    tolerance: null, // this phase does not train the plain question, so its last update is selected
    reference: results.complete ?? results.reconstruct ?? null,
    prompts: (update, draw) =>
      rowsOfUpdate(failures.length, update + draw * settings.updates, {
        count: settings.prompts,
        seed: experiment.seed,
        salt: 'rewrite',
      }).map((i) => prompts(failures[i])),
    replay: (update) => drawReplay(train, own, settings.replay, { update, seed: experiment.seed, salt: 'rewrite' }),
    state,
  });
  if (validation.length === 0) return null;
  const { accuracy, meanTokens } = await evaluateLessons(context, rewriter, validation);
  const check = { stage: 'rewrite' as const, step: settings.updates, accuracy, meanTokens, best: true };
  await space.write(() => run.validation({ ...check, phase: 'rewrite' }));
  notify({ type: 'validation', ...check });
  return { step: check.step, accuracy, meanTokens };
}

/** The checkpoint that rewrites were sampled from; none if it was not trained. */
const rewriterOf = ({ updates }: RewriteSettings) => updates > 0 && { checkpoint: checkpointName('rewrite', updates) };

/**
 * Samples rewrites of every failure once more, and keeps right ones with sound steps that are shorter than the
 * teacher's chain, shortest first.
 */
async function collectRewrites(
  context: Context,
  rewriter: Student,
  settings: RewriteSettings,
  prompts: readonly GroupPrompt[],
): Promise<TaughtRewrite[]> {
  const { run, space } = context;
  const decisions = decisionsFor(context);
  const { groups } = await sampleGroups(context, rewriter, { prompts, settings, stream: ['rewrite/collect'] });
  const records: Omit<RewriteRecord, 'seq'>[] = [];
  const rewrites: TaughtRewrite[] = [];
  groups.forEach(({ row, lesson, samples }, group) => {
    const teacherTokens = (lesson.teacherTokens?.length ?? 1) - 1;
    const byLength = samples
      .map((one, sample) => ({
        ...one,
        sample,
        length: one.tokens.length - 1,
        fault: groundedness(lesson.problem.question, one.text, lesson.chain ?? undefined).fault,
      }))
      .sort((a, b) => a.length - b.length);
    const rejected = rejectedTexts(decisions, lesson.problem.id);
    const reasons = reasonsAgainst(byLength, teacherTokens, rejected, settings.internalise.rewrites);
    for (const [i, { text, tokens, length, score, sample }] of byLength.entries()) {
      const reason = reasons[i];
      const accepted = reason === undefined;
      if (accepted) rewrites.push([row, tokens]);
      records.push({
        problemId: lesson.problem.id,
        question: lesson.problem.question,
        answer: lesson.problem.answer,
        text,
        tokens: length,
        teacherTokens,
        reward: score.total,
        accepted,
        reason,
        provenance: { stage: 'rewrite', step: settings.updates, group, sample, ...rewriterOf(settings) },
      });
    }
  });
  await space.write(() => run.rewrites(records));
  await reportTransfer(context, rewriter, settings, prompts);
  return rewrites;
}

/**
 * The reason why each rewrite of a problem is not used, or undefined for those that are: the first `most` that are
 * right with steps without `fault` (as an answer in the prompt can be copied), not in `rejected`, and shorter than the
 * teacher's chain. `samples` are in order of length, in tokens.
 */
export function reasonsAgainst(
  samples: readonly { text: string; correct: boolean; length: number; fault: string | null }[],
  teacherTokens: number,
  rejected: ReadonlySet<string>,
  most: number,
): (string | undefined)[] {
  const kept = new Set<string>();
  return samples.map(({ text, correct, length, fault }) => {
    if (!correct) return 'wrong';
    if (fault !== null) return fault;
    if (kept.has(text)) return 'repeated';
    if (rejected.has(text)) return 'rejected by hand';
    if (length >= teacherTokens) return 'not shorter';
    if (kept.size >= most) return 'enough kept';
    kept.add(text);
    return undefined;
  });
}

/**
 * Accuracy on the failures with and without the teacher's text: how much of the rewriting has carried over to the plain
 * question.
 */
async function reportTransfer(
  context: Context,
  rewriter: Student,
  settings: RewriteSettings,
  asked: readonly GroupPrompt[],
): Promise<void> {
  const lessons = asked.map(({ row }) => context.train[row]);
  const prompts = asked.map(({ prompt }) => prompt);
  const { maxNewTokens } = settings; // the memory estimate assumes these limits beside the teacher's text
  const shown = await evaluateLessons(context, rewriter, lessons, {
    prompts,
    rows: rowsAtOnce(settings),
    maxNewTokens,
  });
  const plain = await evaluateLessons(context, rewriter, lessons);
  note(
    context.notify,
    `on the failures, the rewriter is right on ${percent(shown.accuracy)} with ` +
      `the teacher's text and ${percent(plain.accuracy)} without`,
  );
}

interface Internalised {
  taught: readonly TaughtRewrite[];
  own: OwnSamples;
  /** The rewriter's validation, if there is one. */
  candidate: Validation | null;
  state: PhaseState;
}

/**
 * Supervised training on the rewrites from the plain question, with replay in every batch against forgetting. Even
 * without rewrites the candidates are compared; null if there is only one.
 */
async function internalise(
  context: Context,
  student: Student,
  settings: RewriteSettings,
  { taught: rewrites, own, candidate, state }: Internalised,
): Promise<string | null> {
  const { train, experiment } = context;
  const { internalise: supervised } = settings;
  const size = supervised.batch * supervised.accumulation;
  const ownRows = own.rows();
  const taught = train.filter((lesson) => lesson.teacherTokens !== null);
  const slots = {
    own: ownRows.length > 0 ? Math.round(size * supervised.replayOwn) : 0,
    teacher: taught.length > 0 ? Math.round(size * supervised.replayTeacher) : 0,
  };
  const updates = rewrites.length + slots.own + slots.teacher > 0 ? supervised.updates : 0;
  if (updates === 0 && !candidate) return null;
  const anyOf = (count: number, kind: string, visit: number) =>
    Math.floor(uniform(experiment.seed, 'internalise', kind, visit) * count);
  return trainSupervised(context, student, {
    stage: 'rewrite',
    phase: 'internalise',
    firstStep: settings.updates + 1, // the step between is the student as it comes to this phase
    tolerance: settings.tolerance,
    candidate,
    settings: { ...supervised, updates },
    rows: Math.max(rewrites.length, 1),
    example(index, visit) {
      const slot = visit % size;
      if (slot < slots.own) {
        const row = ownRows[anyOf(ownRows.length, 'own', visit)];
        return { prompt: train[row].prompt, completion: own.get(row)! };
      }
      if (slot < slots.own + slots.teacher) return teacherExample(taught[anyOf(taught.length, 'teacher', visit)]);
      if (rewrites.length === 0) return null;
      const [row, completion] = rewrites[index];
      return { prompt: train[row].prompt, completion };
    },
    state,
  });
}
