import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendDecisions, type NewDecision } from '../../runs/decisions';
import { openRun, readFailures, readMetrics, readRollouts } from '../../runs/reading';
import type { FailureRecord, RewriteDecision } from '../../runs/records';
import { loadTokenizer } from '../../student-files/tokenizer';
import type { Context, CurriculumEvent } from '../context';
import { prepareLessons } from '../lessons/lessons';
import { startRun } from '../session';
import { tinyExperiment, tinyWorkspace } from '../testing/tiny';
import { type TaughtRewrite, withVerdicts } from './decisions';

let folder = '';
beforeAll(async () => {
  folder = await tinyWorkspace();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(changes: Parameters<typeof tinyExperiment>[1]) {
  const notes: string[] = [];
  const notify = (event: CurriculumEvent) => {
    if (event.type === 'note') notes.push(event.text);
  };
  const options = { notify, signal: new AbortController().signal };
  const run = await startRun(tinyExperiment(folder, changes), join(folder, 'runs'), options);
  return { folder: run.folder, notes };
}

const supervised = { updates: 2, batch: 2, learningRate: 1e-3 };
const stage3 = (limit?: number) => ({
  reconstruct: false as const,
  complete: false as const,
  rewrite: {
    updates: 0,
    prompts: 1,
    group: 2,
    maxNewTokens: 4,
    learningRate: 1e-3,
    reward: 'bridge-stage3',
    failures: { samples: 0, limit },
    internalise: supervised,
  },
});

const pick = ({ problemId, question }: FailureRecord): NewDecision => ({
  kind: 'pick',
  problemId,
  question,
  picked: true,
});
const decide = (
  { problemId, question }: Pick<FailureRecord, 'problemId' | 'question'>,
  verdict: RewriteDecision['verdict'],
  text: string,
) => ({ kind: 'rewrite' as const, problemId, question, verdict, text, provenance: { from: 'person' as const } });

describe('Stage 3', () => {
  it('uses the problems and rewrites that people chose in the run of its student', async () => {
    const earlier = await start({
      stages: { ...stage3(), reconstruct: supervised },
      baselines: { sft: false },
    });
    const cases = readFailures(earlier.folder);
    const [one, two, three, ...others] = cases;
    const far = others.at(-1)!;
    appendDecisions(earlier.folder, [
      pick(far),
      pick({ ...two, question: 'Another question?' }),
      decide(one, 'accepted', `Step 1: as it is.\nAnswer: ${one.answer}`),
      decide(far, 'edited', `Answer: ${far.answer}`),
      decide(two, 'accepted', 'Answer: 123456'),
      decide(three, 'proposed', `Answer: ${three.answer}`),
    ]);
    const checkpoint = join(earlier.folder, 'checkpoints', openRun(earlier.folder).record.checkpoints[0].name);
    const { folder: run, notes } = await start({
      student: { path: checkpoint },
      stages: stage3(2),
      baselines: { sft: false },
    });
    expect(readFailures(run).map(({ problemId }) => problemId)).toEqual([one.problemId, two.problemId, far.problemId]);
    expect(notes).toEqual(
      expect.arrayContaining([
        '1 problem added by hand',
        expect.stringMatching(/^1 added problem skipped/),
        'rewrites to learn from: 2 accepted by hand, 0 of 0 collected ones',
        `accepted rewrites with a wrong answer are not used: ${two.problemId}`,
      ]),
    );
    expect(readMetrics(run).filter(({ phase }) => phase === 'internalise')).toHaveLength(2);
  });
});

describe('the step that a person marked as wrong', () => {
  it('appears in the rewrite prompts of its problem only', async () => {
    const earlier = await start({ stages: { ...stage3(), reconstruct: supervised }, baselines: { sft: false } });
    const [one, two, other] = readFailures(earlier.folder);
    const mark = ({ problemId, question }: FailureRecord, text: string, step: number | null = 0): NewDecision => ({
      kind: 'step',
      problemId,
      question,
      sample: 0,
      step,
      text,
    });
    appendDecisions(earlier.folder, [
      mark(one, '6 * 4\n= 26'),
      mark({ ...two, question: 'Another question?' }, '1 + 1 = 3'),
      mark(other, '2 + 2 = 5'),
      mark(other, '2 + 2 = 5', null),
    ]);
    const checkpoint = join(earlier.folder, 'checkpoints', openRun(earlier.folder).record.checkpoints[0].name);
    const stages = { ...stage3(), rewrite: { ...stage3().rewrite, updates: 1, prompts: 3 } };
    stages.rewrite.failures.limit = 3;
    const { folder: run, notes } = await start({ student: { path: checkpoint }, stages, baselines: { sft: false } });
    const prompts = new Map(readRollouts(run, 'rewrite', 1).map(({ problemId, prompt }) => [problemId, prompt]));
    expect(prompts.size).toBe(3);
    const line = /\nA wrong step: (.*)\nA much shorter solution:\n$/;
    expect([one, two, other].map(({ problemId }) => line.exec(prompts.get(problemId)!)?.[1])).toEqual([
      '6 * 4 = 26',
      undefined,
      undefined,
    ]);
    expect(notes).toContain('steps marked by hand as wrong, for rewriting prompts: 1');
  });
});

describe('verdicts on collected rewrites', () => {
  const context = () => {
    const tokenizer = loadTokenizer(join(folder, 'student'));
    const train = prepareLessons(
      [
        { id: 'a', question: 'A?', answer: '1', chain: 'Step 1: 0 + 1 = 1\nAnswer: 1' },
        { id: 'b', question: 'B?', answer: '2', chain: 'Step 1: 1 + 1 = 2\nAnswer: 2' },
      ],
      tokenizer,
    );
    const tokens = (text: string) => [...tokenizer.encode(text), tokenizer.eosId];
    return { context: { train, tokenizer, notify: () => {} } as unknown as Context, tokens };
  };
  const decisions = (problemId: string, ...list: RewriteDecision[]) => ({
    picked: new Map(),
    rewrites: new Map([[problemId, list]]),
  });
  const about = (id: string, verdict: RewriteDecision['verdict'], text: string) => ({
    ...decide({ problemId: id, question: `${id.toUpperCase()}?` }, verdict, text),
    time: '',
  });

  it('do not change them without a decision', () => {
    const { context: here, tokens } = context();
    const collected: TaughtRewrite[] = [[1, tokens('Answer: 2')]];
    expect(withVerdicts(here, collected, { picked: new Map(), rewrites: new Map() }, 2)).toBe(collected);
  });

  it('remove the rejected rewrites, put the accepted ones first, and keep the limit per problem', () => {
    const { context: here, tokens } = context();
    const collected: TaughtRewrite[] = [
      [0, tokens('So Answer: 1')],
      [0, tokens('Answer: 1')],
      [1, tokens('Answer: 2')],
    ];
    const taught = (...list: RewriteDecision[]) => withVerdicts(here, collected, decisions('a', ...list), 2);
    expect(taught(about('a', 'rejected', 'So Answer: 1'))).toEqual([collected[1], collected[2]]);
    const text = 'By hand. Answer: 1';
    expect(taught(about('a', 'edited', text))).toEqual([[0, tokens(text)], collected[0], collected[2]]);
    expect(taught(about('a', 'accepted', 'Answer: 1'))).toEqual([collected[1], collected[0], collected[2]]);
    expect(taught(about('a', 'accepted', 'Answer: 7'))).toEqual(collected);
    expect(taught({ ...about('a', 'edited', text), question: 'Changed?' })).toEqual(collected);
  });
});
