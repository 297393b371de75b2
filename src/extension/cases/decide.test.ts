import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decisionsOf, readDecisions } from '../../runs/decisions';
import type { RewriteRecord } from '../../runs/records';
import { buildCase } from './case';
import { decide, pick, propose, saveEdited } from './decide';

let run = '';
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'decide-'));
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

const rewrite = (text: string, seq: number): RewriteRecord => ({
  seq,
  problemId: 'p',
  question: 'Q?',
  answer: '19',
  text,
  tokens: 8,
  reward: 1,
  accepted: true,
  provenance: { stage: 'rewrite', step: 5, group: 0, sample: 0 },
});
const records = [rewrite('24 - 5 = 19\nAnswer: 19', 4), rewrite('Hm.\nAnswer: 18', 5)];
const now = () => {
  const failure = { question: 'Q?', answer: '19', samples: [], teacherChain: 'Step 1: 24 - 5 = 19\nAnswer: 19' };
  return buildCase({ run, problemId: 'p' }, failure, records, decisionsOf(readDecisions(run)));
};
const verdicts = () => (decisionsOf(readDecisions(run)).rewrites.get('p') ?? []).map((one) => [one.text, one.verdict]);

describe('decisions about a case', () => {
  test('name the text, where it came from, and the question it was for', () => {
    const [good, bad] = now().rewrites;
    decide(now(), good, 'accepted');
    decide(now(), bad, 'rejected');
    expect(readDecisions(run)[0]).toMatchObject({
      kind: 'rewrite',
      problemId: 'p',
      question: 'Q?',
      verdict: 'accepted',
      tokens: 8,
      provenance: { from: 'run', seq: 4 },
    });
    expect(now().rewrites.map(({ verdict }) => verdict)).toEqual(['accepted', 'rejected']);
  });

  test('never accept a wrong answer, an empty text or none', () => {
    const bad = now().rewrites.find(({ correct }) => !correct)!;
    expect(() => decide(now(), bad, 'accepted')).toThrow(/does not end in the right answer/);
    expect(() => saveEdited(now(), ' \n')).toThrow(/is empty/);
    expect(() => saveEdited(now(), 'So it is 19.')).toThrow(/does not end in the right answer/);
    expect(verdicts()).toEqual([]);
  });

  test("only the last version of a person's text is taught", () => {
    saveEdited(now(), '24-5=19\r\nAnswer: 19\r\n');
    saveEdited(now(), '19\nAnswer: 19');
    expect(verdicts()).toEqual([
      ['24-5=19\nAnswer: 19', 'rejected'],
      ['19\nAnswer: 19', 'edited'],
    ]);
    expect(readDecisions(run).at(-1)).toMatchObject({
      provenance: { from: 'person', original: '24-5=19\nAnswer: 19' },
    });
    const [top] = now().rewrites;
    saveEdited(now(), `${top.text}\n`);
    expect(verdicts()[1]).toEqual([top.text, 'accepted']);
  });

  test('proposals wait for a decision, and picks can be undone', () => {
    const provenance = { from: 'request' as const, checkpoint: '/c' };
    propose(now(), [{ text: 'Answer: 19', tokens: 3, reward: 0.5, parts: { brevity: 0.5 }, provenance }]);
    const offered = now().rewrites.find(({ text }) => text === 'Answer: 19')!;
    expect(offered).toMatchObject({ verdict: undefined, tokens: 3, parts: { brevity: 0.5 }, correct: true });
    pick(run, [{ problemId: 'p', question: 'Q?' }], true);
    expect(now().picked).toBe(true);
    pick(run, [{ problemId: 'p', question: 'Q?' }], false);
    expect(now().picked).toBe(false);
  });
});
