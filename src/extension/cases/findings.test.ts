import { describe, expect, test } from 'vitest';
import { completionText } from '../../chain/completion';
import { decisionsOf } from '../../runs/decisions';
import type { AnswerRecord, FailureRecord, RewriteRecord, RolloutRecord } from '../../runs/records';
import { answerOfRollout, buildCase } from './case';
import { chainFindings, rewriteFindings, studentFindings } from './findings';
import { outlineOf } from './outline';
import { documentPath, referenceAt, referenceFrom } from './reference';
import { positionIn, renderCase, rewriteAtOffset, rewriteName } from './text';
import { tokenAt, tokenLines } from './token-facts';

const answer = (text: string, more: Partial<AnswerRecord> = {}): AnswerRecord => ({
  text,
  answer: '10',
  correct: false,
  finished: true,
  tokens: 12,
  ...more,
});
const failure = (samples: AnswerRecord[], more: Partial<FailureRecord> = {}): FailureRecord => ({
  seq: 1,
  problemId: 'boxes/1',
  question: 'Six boxes hold 4 pens each. Ann takes 5. How many are left?',
  answer: '19',
  samples,
  category: 'wrong operation',
  teacherChain: 'Thinking: boxes.\nStep 1: 6 * 4 = 24 pens.\nStep 2: 24 - 5 = 19 pens.\nAnswer: 19',
  source: 'complete-10',
  ...more,
});
const reference = { run: '/runs/20260205-tiny', problemId: 'boxes/1' };
const nobody = decisionsOf([]);
const rewrite = (text: string, more: Partial<RewriteRecord> = {}): RewriteRecord => ({
  seq: 9,
  problemId: 'boxes/1',
  question: 'q',
  answer: '19',
  text,
  tokens: 8,
  teacherTokens: 40,
  reward: 1,
  accepted: true,
  provenance: { stage: 'rewrite', step: 5, group: 0, sample: 0 },
  ...more,
});
const said = (text: string, { start, end }: { start: number; end: number }) => text.slice(start, end);

describe('the document of a case', () => {
  test('has question, reference answer, the failing chain, the teacher and the rewrites', () => {
    const samples = [answer('Answer: 19', { correct: true, answer: '19' }), answer('Step 1: 6 + 4 = 10\nAnswer: 10')];
    const shown = buildCase(reference, failure(samples), [rewrite('6*4-5=19\nAnswer: 19')], nobody);
    const { text, student, teacher, rewrites } = renderCase(shown);
    expect(text.split('\n').filter((line) => line.startsWith('## '))).toEqual([
      '## Case boxes/1: wrong operation',
      '## Student: sample 2 of 2, 12 tokens, 10 is wrong',
      '## Teacher: 40 tokens',
      '## Rewrite: accepted by Stage 3, 8 tokens',
    ]);
    expect(text).toContain('\nQuestion: Six boxes');
    expect(text).toContain('\nReference answer: 19\n');
    expect(said(text, student!)).toBe(samples[1].text);
    expect(said(text, teacher!)).toBe(failure([]).teacherChain);
    expect(said(text, rewrites[0].section)).toBe('6*4-5=19\nAnswer: 19');
  });

  test('shows the requested sample, and one whose first wrong step is recorded', () => {
    const samples = ['Answer: 1', 'Answer: 2', 'Answer: 3'].map((text) => answer(text));
    const firstWrongStep = { sample: 2, step: 0, text: 'x', reason: 'r' };
    const shownOf = (sample?: number) =>
      buildCase({ ...reference, sample }, failure(samples, { firstWrongStep }), [], nobody).shown?.text;
    expect([shownOf(), shownOf(1), shownOf(7)]).toEqual(['Answer: 3', 'Answer: 2', 'Answer: 1']);
    expect(renderCase(buildCase(reference, failure([]), [], nobody)).student).toBeUndefined();
  });

  test('knows which rewrite a place belongs to', () => {
    const texts = ['6*4-5=19\nAnswer: 19', 'Step 1: 24 - 5 = 19\nAnswer: 19', '19?'];
    const shown = buildCase(
      reference,
      failure([answer('Answer: 10')]),
      texts.map((text) => rewrite(text)),
      nobody,
    );
    const layout = renderCase(shown);
    const at = (offset: number) => rewriteAtOffset(layout, offset)?.text;
    for (const [i, { section, rewrite }] of layout.rewrites.entries()) {
      expect(at(section.heading - 1)).toBe(layout.rewrites[i - 1]?.rewrite.text);
      for (const offset of [section.heading, section.start, section.end]) expect(at(offset)).toBe(rewrite.text);
      expect(rewriteName(shown.rewrites, rewrite)).toBe(`Rewrite ${i + 1} of 3`);
    }
    expect(at(0)).toBeUndefined();
    expect(at(layout.text.length)).toBe(layout.rewrites[2].rewrite.text);
  });

  test('shows control characters as symbols, each at its position', () => {
    const text = 'Step 1: a\u001b[31m\r\nStep 2: b\u2028c\u0000\rAnswer: 1';
    const { text: rendered, student } = renderCase(buildCase(reference, failure([answer(text)]), [], nobody));
    expect(said(rendered, student!)).toBe('Step 1: a␛[31m \nStep 2: b␤c␀␍Answer: 1');
    expect(said(rendered, student!)).toHaveLength(text.length);
  });
});

describe('findings', () => {
  const findings = (samples: AnswerRecord[], more: Partial<FailureRecord> = {}) => {
    const shown = buildCase(reference, failure(samples, more), [], nobody);
    const layout = renderCase(shown);
    return studentFindings(shown, layout).map((one) => [said(layout.text, one), one.message, one.code]);
  };

  test('the first wrong step alone, on the equation', () => {
    expect(findings([answer('Step 1: 6 * 4 = 26 pens.\nStep 2: 26 - 5 = 22.\nAnswer: 22')])).toEqual([
      ['6 * 4 = 26', '6 * 4 is 24, not 26', 'first-wrong-step'],
    ]);
  });

  test('the departure from the teacher, as recorded', () => {
    const samples = [answer('Step 1: Six boxes.\nStep 2: 6 + 4 = 10.\nAnswer: 10')];
    const reason = "leaves the teacher's path here: the teacher never has 10";
    const recorded = { sample: 0, step: 1, text: '6 + 4 = 10.', reason, start: 0, end: 10 };
    expect(findings(samples, { firstWrongStep: recorded })).toEqual([
      [
        '6 + 4 = 10',
        "departs from the teacher at step 2: 10 does not occur in the teacher's chain",
        'first-wrong-step',
      ],
    ]);
    const older = { sample: 0, step: 0, text: 'Six boxes.', reason };
    expect(findings(samples, { firstWrongStep: older })[0][0]).toBe('Six boxes.');
  });

  test('else the last line: a wrong answer, none, or the budget', () => {
    const vague = 'Step 1: Guess.\nAnswer: 10';
    expect(findings([answer(vague)])[0]).toEqual(['Answer: 10', expect.stringMatching(/^10 is wrong/), 'wrong-answer']);
    expect(findings([answer('Hm.\n', { answer: null })])[0]).toEqual(['Hm.', 'no answer; it is 19', 'wrong-answer']);
    expect(findings([answer('Hm', { finished: false, unit: 'words' })])[0][1]).toBe(
      'cut off after 12 words; the answer is 19',
    );
    expect(findings([answer('Answer: 19', { correct: true })])).toEqual([]);
  });

  test('in rewrites: a false equation and a wrong answer, but not in rejected ones', () => {
    expect(chainFindings('Step 1: 6 * 4 = 25\nAnswer: 20', '19').map(({ message }) => message)).toEqual([
      '6 * 4 is 24, not 25',
      '20 is wrong: the answer is 19',
    ]);
    expect(chainFindings('6 * 4 - 5 = 19', '19')[0].message).toBe(
      'there is no answer line; end the text with "Answer: 19"',
    );
    expect(chainFindings('6 * 4 - 5 = 19\nAnswer: 19', '19')).toEqual([]);
    const text = 'Answer: 7';
    const decided = decisionsOf([
      {
        kind: 'rewrite',
        time: '',
        problemId: 'boxes/1',
        question: '',
        verdict: 'rejected',
        text,
        provenance: { from: 'run', seq: 9 },
      },
    ]);
    const found = (decisions = nobody) => {
      const shown = buildCase(reference, failure([answer('x')]), [rewrite(text)], decisions);
      return rewriteFindings(shown, renderCase(shown)).length;
    };
    expect([found(), found(decided)]).toEqual([1, 0]);
  });
});

describe('rewrites', () => {
  test('keep the order of Stage 3, each text once; decisions of people do not move them', () => {
    const decide = (text: string, verdict: 'proposed' | 'accepted' | 'edited' | 'rejected') => ({
      kind: 'rewrite' as const,
      time: '',
      problemId: 'boxes/1',
      question: '',
      verdict,
      text,
      provenance: { from: 'request' as const, checkpoint: 'c' },
    });
    const records = [
      rewrite('wrong. Answer: 3', { accepted: false, reason: 'wrong', reward: -2 }),
      rewrite('kept. Answer: 19'),
      rewrite('kept. Answer: 19', { accepted: false, reason: 'repeated' }),
      rewrite('bad. Answer: 19'),
    ];
    const decisions = decisionsOf([
      decide('by hand. Answer: 19', 'edited'),
      decide('offer. Answer: 19', 'proposed'),
      decide('bad. Answer: 19', 'rejected'),
    ]);
    const { rewrites } = buildCase(reference, failure([answer('x')]), records, decisions);
    expect(rewrites.map(({ text, verdict, refused }) => [text, verdict, refused])).toEqual([
      ['by hand. Answer: 19', 'edited', undefined],
      ['kept. Answer: 19', undefined, null],
      ['bad. Answer: 19', 'rejected', null],
      ['offer. Answer: 19', undefined, undefined],
      ['wrong. Answer: 3', undefined, 'wrong'],
    ]);
    expect(rewrites[0].provenance).toEqual({ from: 'request', checkpoint: 'c' });
    expect(rewrites[1].provenance).toEqual({ from: 'run', seq: 9 });
  });
});

describe('tokens', () => {
  const rollout: RolloutRecord = {
    seq: 1,
    stage: 'complete',
    step: 4,
    problemId: 'boxes/1',
    group: 0,
    sample: 2,
    prompt: 'p',
    tokens: [5, 6, 7, 0],
    tokenTexts: ['Ans', 'wer: ', '10', '<|end|>'],
    logProbs: [-0.1, Math.log(0.5), -2, -0.01],
    refLogProbs: [-0.1, -1, -2, -0.01],
    reward: -1,
    parts: { correctness: -1 },
    advantage: -0.75,
    finished: true,
    answer: '10',
    correct: false,
  };

  test('are found by their place, the end token not being text', () => {
    expect(completionText(rollout)).toBe('Answer: 10');
    expect([0, 2, 3, 9].map((at) => tokenAt(rollout, at)?.index)).toEqual([0, 0, 1, 2]);
    expect(tokenAt(rollout, 10)).toBeUndefined();
    expect(tokenLines(tokenAt(rollout, 3)!, rollout)).toEqual([
      'log-prob -0.693 (50.0 %)',
      'reference log-prob -1.000, difference 0.307',
      'advantage -0.750',
    ]);
  });

  test('a completion is an answer like any other', () => {
    expect(answerOfRollout(rollout)).toMatchObject({
      text: 'Answer: 10',
      tokens: 3,
      label: 'Stage 2, update 4, completion 3',
      place: { stage: 'complete', step: 4, sample: 2 },
    });
  });
});

describe('addresses', () => {
  test('name a case, and can be read back from a document', () => {
    const there = { run: '/a b/runs/x', problemId: 'p/../q?#', sample: 3, stage: 'complete' as const, step: 7 };
    const { path, query } = documentPath(there);
    expect(path).toBe('/x/p_.._q_.chain');
    expect(referenceAt({ path, query })).toEqual({ reference: there, kind: 'case' });
    expect(referenceAt(documentPath(there, 'rewrite'))?.kind).toBe('rewrite');
    expect(referenceAt({ path, query: '{"run":3}' })).toBeUndefined();
    expect(referenceAt({ path, query: '' })).toBeUndefined();
  });

  test('come from commands and from nodes of a tree', () => {
    expect(referenceFrom({ run: '/r', problemId: 'p', contextValue: 'case' })).toEqual({ run: '/r', problemId: 'p' });
    expect(referenceFrom(undefined)).toBeUndefined();
    expect(referenceFrom({ run: '/r' })).toBeUndefined();
  });
});

test('the outline of a document', () => {
  const text =
    '## Student: sample 1\nThinking: a\nStep 1: one\nmore\n\nStep 2: two\nAnswer: 3\n\n## Teacher: 4 tokens\n1. first\n2) second\n#### 3\n';
  expect(outlineOf(text).map(({ kind, name, detail, start, end }) => [kind, name, detail, start, end])).toEqual([
    ['section', 'Student', 'sample 1', 0, 6],
    ['thinking', 'Thinking', 'a', 1, 1],
    ['step', 'Step 1', 'one', 2, 3],
    ['step', 'Step 2', 'two', 5, 5],
    ['answer', 'Answer', '3', 6, 6],
    ['section', 'Teacher', '4 tokens', 8, 11],
    ['step', '1', 'first', 9, 9],
    ['step', '2', 'second', 10, 10],
    ['answer', '####', '3', 11, 11],
  ]);
});

test('lines and columns', () => {
  const text = 'ab\ncd\n\ne';
  expect([0, 2, 3, 6, 7].map((at) => positionIn(text, at))).toEqual([
    { line: 0, character: 0 },
    { line: 0, character: 2 },
    { line: 1, character: 0 },
    { line: 2, character: 0 },
    { line: 3, character: 0 },
  ]);
});
