import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunProgress } from '../shared/progress';
import { shortTime } from '../shared/words';
import {
  failure,
  stageRow,
  time,
  writeEvaluation,
  writeFailures,
  writeRun,
  writeSummary,
} from '../testing/run-folders';
import { md } from '../vscode/markdown';
import type { ExperimentFile } from '../workspace/experiment-file';
import { RunCache } from '../workspace/run-cache';
import { itemOf, type RunsItem, runIdTitle } from './items';
import { experimentNodes, type NodeOf, parentOf, partNodes, type RunsNode, runNodes, stageNodes } from './nodes';
import { tooltipOf } from './tooltips';

let root: string;
let runs: string;
let cache: RunCache;
let experiments: ExperimentFile[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'distillery-tree-'));
  runs = join(root, '.distillery', 'runs');
  mkdirSync(runs, { recursive: true });
  cache = new RunCache();
  experiments = [experiment('sums')];
});
afterEach(() => rmSync(root, { recursive: true }));

const experiment = (name: string): ExperimentFile => ({
  file: join(root, `${name}.distillery.json`),
  name,
  runs,
  stages: ['reconstruct', 'complete', 'rewrite'],
  quick: true,
});
/** Time zones aside. */
const begun = shortTime(time, Date.parse(time));
const source = () => ({ cache, list: () => cache.list([runs]), experiments: () => experiments });
const item = (node: RunsNode, progress?: RunProgress): RunsItem =>
  itemOf(node, { cache, progress: () => progress, newest: false, trusted: true, now: Date.parse(time) + 3 * 60_000 });
const checkpoint = (name: string) => {
  const [stage, step] = name.split('-') as ['complete', string];
  return { name, stage, step: Number(step), seq: 1 };
};

/** The tree as indented lines of label and description. */
function outline(progress?: RunProgress): string[] {
  const lines: string[] = [];
  const walk = (nodes: RunsNode[], depth: number) => {
    for (const node of nodes) {
      const { label, description } = item(node, progress);
      const shown = label.replace(begun, 'Feb 5 14:03');
      lines.push(`${'  '.repeat(depth)}${[shown, description].filter(Boolean).join(' | ')}`);
      if (node.kind === 'experiment') walk(runNodes(source(), node), depth + 1);
      if (node.kind === 'run') walk(stageNodes(source(), cache.find(node.run)), depth + 1);
      if (node.kind === 'stage') walk(partNodes(source(), cache.find(node.run), node.stage), depth + 1);
    }
  };
  walk(experimentNodes(source()), 0);
  return lines;
}

function finishedRun(id = '20260205-140309-sums'): string {
  const checkpoints = ['reconstruct-20', 'complete-5', 'complete-10', 'rewrite-3'].map(checkpoint);
  const run = writeRun(runs, id, { stage: 'rewrite', step: 3, checkpoints });
  for (const { name } of checkpoints.slice(1)) mkdirSync(join(run, 'checkpoints', name), { recursive: true });
  writeSummary(run, [
    stageRow('base'),
    stageRow('reconstruct', { checkpoint: 'reconstruct-20' }),
    stageRow('complete', { accuracy: 0.721, meanTokens: 159.8, checkpoint: 'complete-10' }),
    stageRow('rewrite', { accuracy: 0.69, meanTokens: 120, checkpoint: 'rewrite-3' }),
  ]);
  const answer = { text: '5', answer: '5', finished: true, tokens: 10, gold: '5' };
  writeEvaluation(run, 'complete-10', [
    { ...answer, problemId: 'a', correct: true },
    { ...answer, problemId: 'b', correct: false, tokens: 30 },
  ]);
  writeEvaluation(run, 'mine', [{ ...answer, problemId: 'a', correct: true }]);
  writeFailures(run, [failure(1), failure(2)]);
  return run;
}

describe('the Runs tree', () => {
  it('shows a finished run: what each stage reached, against the base, with checkpoints, answers and failures', () => {
    finishedRun();
    expect(outline()).toEqual([
      'sums',
      '  Feb 5 14:03 | 69.0 % · 120 tok (−1.4 points, −39 %) · 3 min ago',
      '    Base student | 70.4 % · 198 tok',
      '    Stage 1 (Reconstruct) | 70.4 % · 198 tok (+0.0 points, +0 %)',
      '      reconstruct-20 | folder deleted',
      '    Stage 2 (Complete) | 72.1 % · 160 tok (+1.7 points, −19 %)',
      '      complete-5',
      '      complete-10 | chosen · 72.1 % · 160 tok',
      '      Answers of complete-10 | 1 of 2 right · 20 tok',
      '    Stage 3 (Rewrite) | 69.0 % · 120 tok (−1.4 points, −39 %)',
      '      rewrite-3 | chosen · 69.0 % · 120 tok',
      '      Failures | 2 problems',
      '    Answers of mine | 1 of 1 right · 10 tok',
    ]);
  });

  it('calls the start of a run by the checkpoint that it began at', () => {
    const run = finishedRun();
    const path = join(runs, '20260204-120000-sums', 'checkpoints', 'complete-220');
    writeFileSync(join(run, 'config.json'), JSON.stringify({ experiment: { student: { path } } }));
    writeEvaluation(run, 'base', []);
    expect(outline().slice(2, 4)).toEqual([
      '    Start: complete-220 | 70.4 % · 198 tok · of 20260204-120000-sums',
      '      Answers of complete-220 | 0 of 0 right · – tok',
    ]);
    const [stage] = stageNodes(source(), cache.find(run));
    const [shown] = runNodes(source(), experimentNodes(source())[0] as NodeOf<'experiment'>);
    for (const node of [stage, shown])
      expect(tooltipOf(node, cache)?.text).toContain(md`${'Start: 20260204-120000-sums complete-220'}`.text);
  });

  it('shows experiments that were never run, and runs whose experiment is gone', () => {
    experiments = [experiment('fresh')];
    writeRun(runs, '20260205-140309-sums', { state: 'stopped', stage: 'complete', step: 12 });
    expect(outline()).toEqual([
      'sums | experiment file deleted',
      '  Feb 5 14:03 | stopped · Stage 2 update 12 · 3 min ago',
      '    Stage 2 (Complete) | not tested',
      'fresh',
      '  No runs yet | Run Quickly',
    ]);
  });

  it('follows a run in progress', () => {
    const run = writeRun(runs, '20260205-140309-sums', { state: 'running', stage: 'complete' });
    mkdirSync(join(run, 'lock'));
    writeFileSync(
      join(run, 'lock', '1.json'),
      JSON.stringify({ pid: 1, startTime: '', host: 'another-machine', token: 't' }),
    );
    const progress: RunProgress = {
      stage: 'complete',
      phase: 'complete',
      update: 45,
      updates: 110,
      accuracy: 0.72,
      tokens: 160.4,
      left: 200,
    };
    expect(outline(progress)).toEqual([
      'sums',
      '  Feb 5 14:03 | 72 % · 160 tok · Stage 2 45/110 · 3 min left',
      '    Stage 2 (Complete) | 72 % · 160 tok · 45/110 · 3 min left',
    ]);
    const [node] = runNodes(source(), experimentNodes(source())[0]);
    expect(item(node, progress)).toMatchObject({ contextValue: 'run.running', icon: { id: 'loading~spin' } });
    rmSync(join(run, 'lock'), { recursive: true });
    expect(item(node)).toMatchObject({
      contextValue: 'run.interrupted',
      description: expect.stringMatching(/^interrupted · /),
    });
  });

  it('shows unreadable runs with the reason, beside the others', () => {
    finishedRun('20260301-000000-sums');
    writeFileSync(join(writeRun(runs, '20260302-000000-sums'), 'run.json'), '{"format": 99}');
    writeFileSync(join(writeRun(runs, '20260303-000000-sums-2'), 'run.json'), '{');
    writeFileSync(join(writeRun(runs, '20260304-000000-sums'), 'summary.json'), '[1]');
    const bad = writeRun(runs, '20260305-000000-sums', { checkpoints: [checkpoint('complete-10')] });
    writeEvaluation(bad, 'complete-10', []);
    writeFileSync(join(bad, 'evaluations', 'complete-10.jsonl'), 'no JSON\n');
    const lines = outline();
    expect(lines.slice(0, 11)).toEqual([
      'sums',
      expect.stringMatching(/^ {2}\w+ \d+ \d\d:\d\d \| 3 min ago$/),
      '    Stage 2 (Complete) | not tested',
      '      complete-10 | folder deleted',
      expect.stringMatching(/^ {6}Answers of complete-10 \| 0 of 0 right .* line 1 cannot be read: broken JSON/),
      expect.stringMatching(/ \| 3 min ago$/),
      expect.stringMatching(/^ {4}not a valid record/),
      expect.stringMatching(/\(2\) \| broken JSON/),
      expect.stringMatching(/^ {4}broken JSON/),
      expect.stringMatching(
        /^ {2}\w+ \d+ \d\d:\d\d \| the run was written by a newer version \(format 99, this one reads 1\)$/,
      ),
      '    the run was written by a newer version (format 99, this one reads 1) | Update Distillery.',
    ]);
    expect(lines).toContain('      Failures | 2 problems');
    rmSync(join(bad, 'evaluations', 'complete-10.jsonl'));
    mkdirSync(join(bad, 'evaluations', 'complete-10.jsonl'));
    expect(outline()).toContain('      Answers of complete-10 | cannot be read: this is a folder, not a file');
  });

  it('knows the node above each, so that a run can be revealed', () => {
    finishedRun();
    const [top] = experimentNodes(source());
    const [run] = runNodes(source(), top) as NodeOf<'run'>[];
    expect(parentOf(source(), run)).toEqual(top);
    const stages = stageNodes(source(), cache.find(run.run));
    expect(parentOf(source(), stages[0])).toEqual(run);
    const parts = partNodes(source(), cache.find(run.run), 'rewrite');
    for (const part of parts)
      expect(parentOf(source(), part)).toEqual(stages.find((one) => one.kind === 'stage' && one.stage === 'rewrite'));
  });

  it('shows the newest runs first, and older ones when asked', () => {
    for (let i = 0; i < 12; i++) writeRun(runs, `20260101-${100000 + i}-sums`);
    const [top] = experimentNodes(source());
    const nodes = runNodes(source(), top, 10);
    expect(nodes).toHaveLength(11);
    expect(item(nodes[10]).label).toBe('Show 2 older runs');
    expect(parentOf(source(), nodes[10])).toEqual(top);
    expect(runNodes(source(), top, 12)).toHaveLength(12);
  });

  it('of 1,000 runs is drawn in 200 ms', () => {
    for (let i = 0; i < 1000; i++) writeSummary(writeRun(runs, `20260101-${100000 + i}-sums`), [stageRow('base')]);
    const before = process.cpuUsage();
    const [top] = experimentNodes(source());
    const items = runNodes(source(), top, 100).map((node) => item(node));
    const { user, system } = process.cpuUsage(before);
    expect(items).toHaveLength(101);
    // Ten times as much is allowed, for busy machines.
    expect((user + system) / 1000).toBeLessThan(2000);
  });
});

describe('texts', () => {
  it('name runs by their time, in this place of the world', () => {
    const now = Date.parse(time);
    expect(runIdTitle('20260205-140309-my-sums', now)).toBe(begun);
    expect(runIdTitle('20260205-140309-my-sums-2', now)).toBe(`${begun} (2)`);
    expect(runIdTitle('20200205-140309-sums', now)).toMatch(/^2020 Feb 5/);
    expect(runIdTitle('imported', now)).toBe('imported');
    expect(runIdTitle('20260928-000999-sums', now)).toBe('20260928-000999-sums'); // no such time
  });

  it('show names from files as they are: no links, no formatting', () => {
    const run = writeRun(runs, '20260205-140309-sums', {
      name: '[x](command:evil) **b** <img>',
      reason: '`$(bug)`\u202e',
    });
    const text = tooltipOf({ id: '', kind: 'run', run }, cache)!.text;
    expect(text).not.toMatch(/\]\(|<img|\$\(bug|\u202e/);
    expect(text).toContain('U&#43;202E');
  });
});
