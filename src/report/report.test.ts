import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openRun } from '../runs/reading';
import { newRollout } from '../runs/testing/rollout';
import { createRun } from '../runs/writer';
import { reportHead, reportOf } from './report';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'report-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hostile = '<script>alert(1)</script>"\'&\u202e<img src=x onerror=alert(2)>';

function makeRun(name = 'mine') {
  const run = createRun(folder, name, {});
  const row = { accuracyInterval: [0.4, 0.6] as [number, number], n: 4, wallSeconds: 65 };
  run.summary({ stage: 'base', accuracy: 0.5, meanTokens: 80, ...row, wallSeconds: 0 });
  run.summary({ stage: 'sft', accuracy: 0.75, meanTokens: 60, ...row });
  run.summary({ stage: 'complete', accuracy: 1, meanTokens: 40, ...row });
  const answer = (id: string, correct: boolean, tokens: number) => ({
    problemId: id,
    gold: '3',
    text: '3',
    answer: '3',
    correct,
    finished: true,
    tokens,
  });
  run.evaluation(
    'sft',
    ['a', 'b'].map((id) => answer(id, id === 'a', 60)),
  );
  run.evaluation(
    'complete',
    ['a', 'b'].map((id) => answer(id, true, 40)),
  );
  for (let step = 1; step <= 3; step++) run.metrics({ stage: 'sft', step, loss: 1 / step });
  for (let step = 1; step <= 1000; step++)
    run.metrics({
      stage: 'complete',
      phase: 'complete',
      step,
      reward: step / 1000,
      loss: 1e-9,
      accuracy: 0.5,
      parts: { [hostile]: 1 },
    });
  run.failures([
    {
      problemId: hostile,
      question: `What is ${hostile}?`,
      answer: '3',
      category: 'arithmetic slip',
      samples: [{ text: 'Step 1: 1 + 1 = 3.\nAnswer: 3', answer: '3', correct: false, finished: false, tokens: 12 }],
      firstWrongStep: {
        sample: 0,
        step: 0,
        text: '1 + 1 = 3.',
        reason: `1 + 1 is 2, not 3 ${hostile}`,
        start: 0,
        end: 9,
      },
      teacherChain: 'Step 1: 1 + 2 = 3.\nAnswer: 3',
      source: 'x',
    },
    { problemId: 'other', question: 'q', answer: '1', category: 'no answer', samples: [], source: 'x' },
  ]);
  run.close({ state: 'finished' });
  return openRun(run.folder);
}

it('is one page with the table, the strongest baseline, curves and cases; nothing in it loads or runs', () => {
  const page = reportOf(makeRun(hostile), { version: '1.2.3' });
  expect(page.startsWith(reportHead)).toBe(true);
  expect(page).not.toMatch(/<script|<img|onerror=(?!alert)|javascript:|https?:|@import|url\(/i);
  expect(page).not.toContain('\u202e');
  expect(page).toContain("default-src 'none'; style-src 'unsafe-inline'");
  expect(page).toContain('Plain SFT (strongest baseline)');
  expect(page).toMatch(/against the strongest baseline, Plain SFT: \+50\.0 points .* answers 20\.0 tokens shorter/);
  expect(page).toContain('+25.0 pt');
  expect(page).toContain('−25.0 %');
  const figures = page.match(/<figcaption>[^<]*/g)!.map((one) => one.slice('<figcaption>'.length));
  expect(figures.slice(0, 3)).toEqual(['Right while sampling', 'Reward', 'Policy loss']);
  expect(figures[3]).toContain('Reward: &#60;script&#62;');
  for (const [, points] of page.matchAll(/points="([^"]*)"/g))
    expect(points.split(' ').length).toBeLessThanOrEqual(402);
  expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
  expect(page).toContain('<mark>1 + 1 = 3</mark>');
  expect(page).toContain('prefers-color-scheme: dark');
  expect(page.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^!/][^>]*\son\w+=/);
});

it('shows the named cases first, and says which there are', () => {
  const run = makeRun();
  const page = reportOf(run, { version: '1', cases: ['other'], count: 1 });
  expect(page).toContain('<strong>other</strong>');
  expect(page.match(/<details/g)).toHaveLength(1);
  expect(() => reportOf(run, { version: '1', cases: ['gone'] })).toThrow(/no case "gone"/);
});

it('of a run without failures shows the best and the worst completion of its last update', () => {
  const run = createRun(folder, 'rollouts', {});
  const rollout = (sample: number, reward: number | null, text: string) =>
    newRollout({ sample, question: '1 + 1?', tokens: [1, 2], tokenTexts: [text, ''], reward, correct: null });
  run.rollouts('grpo', 4, [rollout(0, 0, 'bad'), rollout(1, 1, 'good'), rollout(2, null, 'none')]);
  run.metrics({ stage: 'grpo', step: 4, reward: 0.5 });
  run.close({ state: 'finished' });
  const page = reportOf(openRun(run.folder), { version: '1' });
  expect(page).toMatch(
    /Best completion \(reward 1\.00, 1 tokens\)[\s\S]*good[\s\S]*Worst completion \(reward none[\s\S]*none/,
  );
  expect(page).not.toContain('bad</pre>');
  expect(page).not.toContain('✗');
  expect(page).toContain('No student has been tested.');
});

it('shows what can be read of damaged records, and names the rest', () => {
  const run = openRun(makeRun().folder);
  appendFileSync(join(run.folder, 'metrics.jsonl'), '{"seq": 1, broken\n');
  appendFileSync(join(run.folder, 'failures.jsonl'), '\0\0\0\n');
  const page = reportOf(run, { version: '1' });
  expect(page).toContain('<h2>What could not be read</h2>');
  expect(page).toMatch(/<li>metrics\.jsonl:1004: broken JSON/);
  expect(page).toMatch(/<li>failures\.jsonl:\d+: /);
  expect(page).toContain('<h2>Results</h2>');
  expect(reportOf(openRun(makeRun('whole').folder), { version: '1' })).not.toContain('could not be read');
});

it('of an empty run shows what exists', () => {
  const run = createRun(folder, 'empty', {});
  run.close({ state: 'stopped' });
  const page = reportOf(openRun(run.folder), { version: '1' });
  expect(page).toContain('No student has been tested.');
  expect(page).not.toContain('<h2>Curves');
});

it('says which stage left the student as it was', () => {
  const run = createRun(folder, 'kept', {});
  const row = {
    accuracyInterval: [0.4, 0.6] as [number, number],
    n: 4,
    wallSeconds: 65,
    accuracy: 0.5,
    meanTokens: 80,
  };
  run.summary({ stage: 'base', ...row });
  run.summary({ stage: 'complete', ...row, meanTokens: 40, checkpoint: 'complete-5' });
  run.summary({ stage: 'rewrite', ...row, meanTokens: 40, checkpoint: 'rewrite-11' });
  const check = { accuracy: 0.5, meanTokens: 40, best: true };
  run.validation({ stage: 'complete', phase: 'complete', step: 0, ...check });
  run.validation({ stage: 'complete', phase: 'complete', step: 5, ...check });
  run.validation({ stage: 'rewrite', phase: 'rewrite', step: 10, ...check });
  run.validation({ stage: 'rewrite', phase: 'internalise', step: 11, ...check });
  run.validation({ stage: 'rewrite', phase: 'internalise', step: 21, ...check, best: false });
  expect(reportOf(openRun(run.folder), { version: '1' })).toContain('<p>Stage 3 (Rewrite) left the student as it was');
});

it('lists the settings, with short paths, or says that they cannot be read', () => {
  const run = createRun(folder, 'configured', {});
  const data = {
    train: { format: 'arithmetic', seed: 1, count: 9 },
    test: { format: 'arithmetic', seed: 2, count: 9 },
  };
  const experiment = { name: 'mine', student: { path: '/home/anna/models/tiny' }, data };
  const write = (config: object) => writeFileSync(join(run.folder, 'config.json'), JSON.stringify(config));
  write({ experiment, environment: { backend: { description: 'native kernels' } } });
  const page = reportOf(openRun(run.folder), { version: '1' });
  expect(page).toContain('<dt>student</dt><dd>models/tiny');
  expect(page).toContain('<dd>native kernels</dd>');
  expect(page).not.toContain('anna');
  write({ experiment: { ...experiment, stages: 3 } });
  expect(reportOf(openRun(run.folder), { version: '1' })).toContain('<li>config.json: not a valid record');
});
