/**
 * The curriculum, from the untrained student to the last stage (BRIDGE, arXiv 2602.17686). Every step is skipped when
 * the run folder already has its result, so resuming a run means running it again.
 */
import type { Student } from '../engine/port';
import { caveats } from '../evaluation/caveats';
import { readSummary } from '../runs/reading';
import type { StageRow } from '../runs/records';
import { baselineNames, type StageName } from '../stages';
import { largest } from '../statistics';
import { baselineOf } from './baselines';
import { checkpointFolder } from './checkpoints/checkpoints';
import { type Context, endIfAsked, note } from './context';
import { evaluateLessons } from './evaluation/evaluate';
import { complete } from './stages/complete';
import { reconstruct } from './stages/reconstruct';
import { OwnSamples } from './stages/replay';
import { rewrite } from './stages/rewrite';

/** Runs the requested stages from `student`, whose weights it changes. Returns the rows of summary.json. */
export async function runCurriculum(context: Context, student: Student): Promise<StageRow[]> {
  const { stages } = context.experiment;
  await test(context, 'base', student);

  await runBaselines(context, student);

  const own = new OwnSamples();
  const { reconstruct: first, complete: second, rewrite: third } = stages;
  if (first) await runStage(context, 'reconstruct', student, () => reconstruct(context, student, first));
  if (second) await runStage(context, 'complete', student, () => complete(context, student, second, own));
  if (third) await runStage(context, 'rewrite', student, () => rewrite(context, student, third, own));

  return readSummary(context.run.folder);
}

/** Each starts from the base student, whose weights are restored afterwards. */
async function runBaselines(context: Context, student: Student): Promise<void> {
  const baselines = baselineNames.map((name) => ({ name, train: baselineOf(context, name) }));
  if (baselines.every(({ train }) => train === null)) return;
  const base = await student.snapshot();
  try {
    for (const { name, train } of baselines) {
      if (!train) continue;
      await runStage(context, name, student, () => train(student));
      await student.restore(base);
    }
  } finally {
    await base.discard();
  }
}

/** Trains a stage, or loads the selected checkpoint if it is done, and tests the resulting student. */
async function runStage(
  context: Context,
  stage: StageName,
  student: Student,
  train: () => Promise<string | null>,
): Promise<void> {
  const { results, run, space } = context;
  const done = results[stage];
  if (done) await student.load(checkpointFolder(context, done), { moments: false });
  else {
    await space.write(() => run.update({ stage }));
    const chosen = await train();
    if (chosen) results[stage] = chosen;
  }
  await test(context, stage, student);
}

/** Tests the student on the test rows, once per run: a row of summary.json and every answer below evaluations/. */
async function test(context: Context, stage: StageName, student: Student): Promise<void> {
  const { run, space, notify, results } = context;
  if (readSummary(run.folder).some((row) => row.stage === stage)) return;
  await context.betweenUpdates?.(async () => {}, space); // after training, the last change has its checkpoint
  endIfAsked(context);
  const { answers, ...figures } = await evaluateLessons(context, student, context.test);
  const records = answers.map((answer, i) => ({ ...answer, gold: context.test[i].problem.answer }));
  await space.write(() => run.evaluation(results[stage] ?? stage, records));
  const row = { stage, ...figures, wallSeconds: context.seconds[stage] ?? 0, checkpoint: results[stage] };
  await space.write(() => run.summary(row));
  notify({ type: 'result', row });
  const { evaluation, student: asks } = context.experiment;
  // The prompt format is reported once, for the initial student.
  const prompt = stage === 'base' && asks.prompt !== 'auto' ? asks.prompt : undefined;
  const asked = {
    maxNewTokens: evaluation.maxNewTokens,
    setting: 'evaluation.maxNewTokens',
    prompt,
    chatTemplate: context.tokenizer.chatTemplate !== null,
    room: student.facts.maxPositions - largest(context.test.map(({ prompt: tokens }) => tokens.length)),
  };
  for (const text of caveats(answers, asked)) note(notify, text, 'warning');
}
