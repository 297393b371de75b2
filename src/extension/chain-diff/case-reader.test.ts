import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTextTokenizer } from '../../cases/text-tokenizer';
import { UserError } from '../../errors';
import { isBelow, packageRoot } from '../../paths';
import { caseViewSchema } from '../../protocol/chain-diff';
import type { ChainSubject } from '../../protocol/chain-diff-requests';
import { appendDecisions } from '../../runs/decisions';
import { appendLines } from '../../runs/jsonl';
import { configFile, decisionsFile, evaluationFile, failuresFile, rewritesFile, rolloutsFile } from '../../runs/layout';
import type { EvaluationRecord, FailureRecord, RewriteRecord, RolloutRecord } from '../../runs/records';
import { limitReading } from '../workspace/named-files';
import { askedFor } from './argument';
import { CaseReader } from './case-reader';

const student = join(packageRoot(), 'examples/arithmetic/student');
const { tokenize } = loadTextTokenizer(student);
const question = 'Ali has 6 boxes with 4 pens each. Ali uses 5 of the pens. How many pens does Ali have now?';
const teacherChain = 'Thinking: We begin.\nStep 1: 6 * 4 = 24.\nStep 2: 24 - 5 = 19.\nAnswer: 19';
const wrong = 'Step 1: 6 * 4 = 26.\nStep 2: 26 - 5 = 21.\nAnswer: 21';
const short = 'Step 1: 6 * 4 - 5 = 19.\nAnswer: 19';

const rollout = (sample: number, text: string, reward: number | null, correct: boolean): RolloutRecord => {
  const { ids, texts } = tokenize(text);
  return {
    seq: sample + 1,
    stage: 'complete',
    step: 7,
    problemId: 'p',
    group: 0,
    sample,
    prompt: `Question: ${question}\nSteps, some missing:\n- \nSolution:\n`,
    tokens: [...ids, 0],
    tokenTexts: [...texts, '<|endoftext|>'],
    logProbs: [...ids.map(() => -0.5), Number.NaN],
    refLogProbs: [...ids.map(() => -0.25), -1],
    reward,
    parts: { correctness: reward, format: null },
    advantage: reward === null ? Number.NaN : reward - 0.5,
    finished: true,
    answer: correct ? '19' : '21',
    correct,
    teacherTokens: 50,
  };
};

const failure: FailureRecord = {
  seq: 20,
  problemId: 'p',
  question,
  answer: '19',
  category: 'arithmetic slip',
  teacherChain,
  source: 'complete-7',
  samples: [
    { text: short, answer: '19', correct: true, finished: true, tokens: 20 },
    { text: wrong, answer: '21', correct: false, finished: true, tokens: 31 },
  ],
};
const rewrite = (text: string, accepted: boolean, tokens: number): RewriteRecord => ({
  seq: 30,
  problemId: 'p',
  question,
  answer: '19',
  text,
  tokens,
  reward: 1,
  accepted,
  reason: accepted ? undefined : 'not shorter',
  provenance: { stage: 'rewrite', step: 5, group: 0, sample: 0 },
});
const answer = (problemId: string, text: string): EvaluationRecord => ({
  seq: 40,
  problemId,
  gold: '19',
  text,
  answer: '21',
  correct: false,
  finished: true,
  tokens: 31,
});

const config = (path: string) => ({
  experiment: {
    student: { path },
    stages: {
      complete: {
        scale: 'none',
        reward: {
          components: [
            { use: 'correctness', weight: 2, options: {} },
            { use: 'format', weight: 0.5, gate: 'correctness', options: {} },
          ],
        },
      },
    },
  },
});

function makeRun(path: string): string {
  const run = mkdtempSync(join(tmpdir(), 'case-'));
  const write = (file: string, records: unknown[]) => {
    mkdirSync(dirname(file), { recursive: true });
    appendLines(run, file, records);
  };
  writeFileSync(configFile(run), JSON.stringify(config(path)));
  write(rolloutsFile(run, 'complete', 7), [
    rollout(0, wrong, -1, false),
    rollout(1, short, 2, true),
    rollout(2, wrong, null, false),
  ]);
  write(rolloutsFile(run, 'complete', 10), [rollout(0, short, 2, true)]);
  write(failuresFile(run), [{ ...failure, problemId: 'first' }, failure]);
  write(rewritesFile(run), [rewrite(teacherChain, false, 60), rewrite(short, true, 20)]);
  write(evaluationFile(run, 'base'), [answer('p', wrong), answer('tested', wrong)]);
  return run;
}

let run: string;
let reader: CaseReader;
const read = (subject: Omit<ChainSubject, 'run'>) => reader.read({ run, ...subject });

beforeAll(async () => {
  run = makeRun(student);
  reader = new CaseReader(run, 'a run');
  await reader.refresh();
});
afterAll(() => rmSync(run, { recursive: true }));

describe('rewrites that Stage 3 did not make', () => {
  const about = { kind: 'rewrite' as const, problemId: 'p', question };
  const asked = 'Step 1: 24 - 5 = 19.\nAnswer: 19';
  const own = '6 * 4 - 5 = 19\nAnswer: 19';
  let decided: string;
  beforeAll(() => {
    decided = makeRun(student);
    appendDecisions(decided, [
      {
        ...about,
        verdict: 'proposed',
        text: asked,
        tokens: 15,
        provenance: { from: 'request', checkpoint: '/r/sft-3' },
      },
      { ...about, verdict: 'edited', text: own, provenance: { from: 'person', original: asked } },
    ]);
  });
  afterAll(() => rmSync(decided, { recursive: true }));

  it('are listed with the others, with their origin and status', async () => {
    const reader = new CaseReader(decided, 'a run');
    await reader.refresh();
    const shown = async (rewrite: number) => {
      const { view, texts } = await reader.read({ run: decided, problemId: 'p', rewrite });
      return [texts.rewritten, view.rewritten!.label, view.rewrites.verdict];
    };
    expect(await shown(0)).toEqual([own, 'rewrite 1 of 4', 'written by hand, accepted']);
    expect(await shown(1)).toEqual([short, 'Stage 3 (Rewrite) · update 5 · rewrite 2 of 4', 'accepted by Stage 3']);
    expect(await shown(2)).toEqual([asked, 'requested from sft-3 · rewrite 3 of 4', 'proposed, right']);
    expect((await reader.read({ run: decided, problemId: 'p', rewrite: 2 })).view.rewritten!.origin.file).toBe(
      decisionsFile(decided),
    );
    expect((await reader.read({ run: decided, problemId: 'first' })).view.rewrites.count).toBe(0);
  });

  it('are omitted with a note if the file is damaged', async () => {
    writeFileSync(decisionsFile(decided), '{"kind": 1}\n');
    const reader = new CaseReader(decided, 'a run');
    await reader.refresh();
    const { view } = await reader.read({ run: decided, problemId: 'p' });
    expect(view.rewrites.count).toBe(2);
    expect(view.notes[0]).toMatch(/Decisions of people are not all shown: not a valid record/);
  });
});

it('shows a mark in the answer that it was made in, and ignores one that was made in another', async () => {
  const marked = makeRun(student);
  try {
    const sentence = async (text: string) => {
      appendDecisions(marked, [{ kind: 'step', problemId: 'p', question, sample: 1, step: 1, text }]);
      const reader = new CaseReader(marked, 'a run');
      await reader.refresh();
      return (await reader.read({ run: marked, problemId: 'p' })).view.student!.fault!.sentence;
    };
    expect(await sentence('26 - 5 = 21.')).toBe('First wrong step, marked by hand.');
    expect(await sentence('Not said here.')).toMatch(/^First wrong step: /);
  } finally {
    rmSync(marked, { recursive: true });
  }
});

it('keeps the groups of one update apart, each with its own mean', async () => {
  const twice = makeRun(student);
  try {
    const again = (sample: number, reward: number) => ({ ...rollout(sample, short, reward, true), group: 3, step: 11 });
    const first = [rollout(0, wrong, -1, false), rollout(1, wrong, 0, false)].map((one) => ({ ...one, step: 11 }));
    appendLines(twice, rolloutsFile(twice, 'complete', 11), [...first, again(0, 1), again(1, 2)]);
    const reader = new CaseReader(twice, 'a run');
    await reader.refresh();
    const show = async (sample: number) =>
      (await reader.read({ run: twice, problemId: 'p', moment: 'rollouts/complete/11', sample })).view;
    const { group, student: third } = await show(2);
    expect(group.map(({ group, sample, reward }) => [group, sample, reward])).toEqual([
      [1, 3, 2],
      [1, 2, 1],
      [0, 1, 0],
      [0, 0, -1],
    ]);
    expect(third).toMatchObject({ correct: true, reward: { total: 1, groupMean: 1.5 } });
    expect((await show(0)).student).toMatchObject({ correct: false, reward: { total: -1, groupMean: -0.5 } });
  } finally {
    rmSync(twice, { recursive: true });
  }
});

describe('CaseReader', () => {
  it('puts teacher, failing student and best rewrite beside each other, each as the student’s tokens', async () => {
    const { view, texts } = await read({ problemId: 'p' });
    expect(caseViewSchema.parse(view)).toEqual(view);
    expect(view).toMatchObject({ question, answer: '19', category: 'arithmetic slip', unit: 'tokens', notes: [] });
    expect(view.place).toEqual({ number: 2, count: 2, of: 'failures' });
    expect(view.subject).toMatchObject({ moment: 'failures', sample: 1, rewrite: 0 });
    for (const [chain, text, correct] of [
      [view.teacher, teacherChain, true],
      [view.student, wrong, false],
      [view.rewritten, short, true],
    ] as const) {
      expect(chain!.texts.join('')).toBe(text);
      expect(chain!.ids).toEqual(tokenize(text).ids);
      expect(chain!.correct).toBe(correct);
    }
    const can = { accept: true, reject: true };
    expect(view.rewrites).toEqual({ count: 2, verdict: 'accepted by Stage 3', can });
    expect(texts).toEqual({ teacher: teacherChain, student: wrong, rewritten: short });
  });

  it('marks the first wrong step on its tokens, in one plain sentence', async () => {
    const { student } = (await read({ problemId: 'p' })).view;
    const { from, to, sentence, segment } = student!.fault!;
    expect(student!.texts.slice(from, to).join('').trim()).toBe('6 * 4 = 26');
    expect(sentence).toBe('First wrong step: 6 * 4 is 24, not 26.');
    expect(student!.segments[segment]).toMatchObject({ kind: 'step', number: 1 });
    expect(student!.findings.map(({ kind, text }) => [kind, text])).toEqual([
      ['wrong', '6 * 4 is 24, not 26'],
      ['right', '26 - 5 = 21 is true'],
      ['wrong', 'the answer is 19, not 21'],
    ]);
  });

  it("lists the problem's moments in training order", async () => {
    const { moments } = (await read({ problemId: 'p' })).view;
    expect(moments.map(({ key, stage, label }) => `${key}: ${stage}, ${label}`)).toEqual([
      'evaluations/base: Base student, test of base',
      'rollouts/complete/7: Stage 2 (Complete), update 7',
      'rollouts/complete/10: Stage 2 (Complete), update 10',
      'failures: Before Stage 3, failures',
    ]);
  });

  it('shows a group best first, with every number of the chosen completion explained', async () => {
    const { view } = await read({ problemId: 'p', moment: 'rollouts/complete/7', sample: 0 });
    expect(view.group.map(({ sample, reward }) => [sample, reward])).toEqual([
      [1, 2],
      [0, -1],
      [2, null],
    ]);
    const { student } = view;
    expect(student).toMatchObject({ ended: true, lengthIsRecorded: false, length: tokenize(wrong).ids.length });
    expect(student!.logProbs!.at(-1)).toBeNull();
    expect(student!.reward).toMatchObject({ total: -1, advantage: -1.5, groupMean: 0.5, scale: 'none' });
    expect(student!.reward!.parts).toEqual([
      { name: 'correctness', value: -1, weight: 2, about: 'Right or wrong final answer, compared as exact numbers.' },
      expect.objectContaining({ name: 'format', value: null, weight: 0.5 }),
    ]);
    expect(student!.reward!.parts[1].about).toMatch(/Applies where correctness is above 0\.$/);
    expect(student!.origin).toEqual({ file: rolloutsFile(run, 'complete', 7), line: 1 });
    expect(view.prompt).toContain('Steps, some missing');
  });

  it('shows a completion in the third column, and another rewrite', async () => {
    const third = { moment: 'rollouts/complete/7', sample: 1 };
    expect((await read({ problemId: 'p', third })).view.rewritten).toMatchObject({ role: 'rewritten', ended: true });
    const other = (await read({ problemId: 'p', rewrite: 1 })).view;
    expect(other.rewritten!.texts.join('')).toBe(teacherChain);
    expect(other.rewrites.verdict).toBe('not accepted by Stage 3: not shorter');
  });

  it('shows test results alone, and states what is unknown', async () => {
    const { view } = await read({ problemId: 'tested' });
    expect(view).toMatchObject({ teacher: null, rewritten: null, answer: '19', question: '' });
    expect(view.place).toEqual({ number: 2, count: 2, of: 'problems of test of base' });
    await expect(read({ problemId: 'nothing' })).rejects.toThrow(UserError);
  });

  it('goes to the next and previous case, cyclically', () => {
    expect(reader.neighbour('p', 'failures', 1)).toBe('first');
    expect(reader.neighbour('first', undefined, -1)).toBe('p');
    expect(reader.neighbour('tested', undefined, 1)).toBe('p');
    expect(reader.problems()).toEqual(['first', 'p', 'tested']);
  });

  it('shows a case before all rollouts are searched', async () => {
    const fresh = new CaseReader(run, '');
    await fresh.refresh({ run, problemId: 'p' });
    const { view } = await fresh.read({ run, problemId: 'p' });
    expect(view.moments.map(({ key }) => key)).toEqual(['failures']);
    expect(await fresh.refresh()).toBe(true);
    expect(await fresh.refresh()).toBe(false);
  });

  it('does not read a student outside of the workspace, nor the base of an adapter, in Restricted Mode', async () => {
    limitReading({ trusted: () => false, roots: () => [run] });
    try {
      const inside = join(run, 'adapter');
      mkdirSync(inside);
      writeFileSync(join(inside, 'adapter_config.json'), JSON.stringify({ base_model_name_or_path: student }));
      for (const [path, why] of [
        [student, 'outside of the workspace'],
        [inside, 'its base is not read'],
      ]) {
        writeFileSync(configFile(run), JSON.stringify(config(path)));
        const other = new CaseReader(run, 'a run');
        await other.refresh();
        const { view } = await other.read({ run, problemId: 'p' });
        expect(view.notes.join()).toMatch(new RegExp(`No tokenizer is known.*${why}.*Restricted Mode`));
      }
    } finally {
      limitReading({ trusted: () => true, roots: () => [] });
      writeFileSync(configFile(run), JSON.stringify(config(student)));
    }
  });

  it('compares words if there is no tokenizer, with a note', async () => {
    const without = makeRun('/nowhere');
    try {
      const words = new CaseReader(without, '');
      await words.refresh();
      const { view } = await words.read({ run: without, problemId: 'p' });
      expect(view.unit).toBe('words');
      expect(view.notes).toEqual([
        expect.stringMatching(/^No tokenizer is known for this run .*nowhere.*, so the diff compares words\.$/),
      ]);
      expect(view.student!.texts.join('')).toBe(wrong);
      // Where the words are the same they have the same number, in every chain.
      const { teacher, rewritten } = view;
      expect(teacher!.ids[teacher!.texts.indexOf('Answer')]).toBe(rewritten!.ids[rewritten!.texts.indexOf('Answer')]);
    } finally {
      rmSync(without, { recursive: true });
    }
  });
});

describe('askedFor', () => {
  it('takes a node of a tree, an update’s completion, a run’s folder, and leaves the rest out', () => {
    expect(askedFor({ run: '/r', problemId: 'p', stage: 'complete', step: 3, sample: 2, group: 1 })).toEqual({
      run: '/r',
      problemId: 'p',
      moment: 'rollouts/complete/3',
      sample: 2,
    });
    expect(askedFor('/r')).toEqual({ run: '/r' });
    expect(askedFor({ run: '/r', evaluation: 'base', problemId: 7 })).toEqual({
      run: '/r',
      moment: 'evaluations/base',
    });
    expect(askedFor(undefined)).toEqual({});
  });
});

describe('isBelow', () => {
  it('knows a run’s files from others', () => {
    expect(isBelow('/runs/a', '/runs/a/rollouts/1.jsonl')).toBe(true);
    expect(
      ['/runs/a', '/runs/b/x', '/runs/a/../b/x', '/etc/passwd', '/runs/ab'].map((file) => isBelow('/runs/a', file)),
    ).toEqual([false, false, false, false, false]);
  });
});
