import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendLines } from '../../runs/jsonl';
import { rolloutsFile } from '../../runs/layout';
import { type RolloutRecord, rolloutRecordSchema } from '../../runs/records';
import { newRollout } from '../../runs/testing/rollout';
import type { StageName } from '../../stages';
import { ProblemIndex } from './problem-index';

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'rollouts-'));
});
afterEach(() => rmSync(run, { recursive: true }));

const record = (stage: StageName, step: number, problemId: string, sample: number): RolloutRecord => ({
  seq: sample + 1,
  stage,
  step,
  // The prompt is so long that lines cross the chunks in which files are read.
  ...newRollout({ problemId, sample, prompt: 'é'.repeat(200_000), logProbs: [-0.5, Number.NaN] }),
});

function write(stage: StageName, step: number, ...problems: string[]) {
  const file = rolloutsFile(run, stage, step);
  mkdirSync(dirname(file), { recursive: true });
  appendLines(
    run,
    file,
    problems.map((problem, i) => record(stage, step, problem, i)),
  );
  return file;
}

const filesOf = (index: ProblemIndex, problem: string) =>
  index.sources(problem).map(({ file }) => file.slice(run.length + 1).replaceAll('\\', '/'));

describe('ProblemIndex', () => {
  it('finds a problem through training, and reads its completions alone', async () => {
    write('rewrite', 1, 'a', 'a');
    const file = write('complete', 10, 'b', 'a', 'b', 'a');
    write('complete', 9, 'ü "q"', 'a');
    const index = new ProblemIndex(run);
    expect(await index.refresh()).toBe(true);
    expect(filesOf(index, 'a')).toEqual([
      'rollouts/complete/9.jsonl',
      'rollouts/complete/10.jsonl',
      'rollouts/rewrite/1.jsonl',
    ]);
    expect(index.allProblems()).toEqual(['ü "q"', 'a', 'b']);
    expect(index.problems(file)).toEqual(['b', 'a']);
    const read = await index.read(file, 'a', rolloutRecordSchema);
    expect(read.map(({ record, line }) => [record.sample, line])).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(read[0].record.logProbs![1]).toBeNaN();
  });

  it('finds records that are appended, and skips an incomplete line', async () => {
    const file = write('complete', 1, 'a');
    const index = new ProblemIndex(run);
    await index.refresh();
    expect(await index.refresh()).toBe(false);
    appendFileSync(file, '{"seq":9,"stage":"complete","step":1,"problemId":"torn');
    write('complete', 2, 'a');
    expect(await index.refresh()).toBe(true);
    expect(index.allProblems()).toEqual(['a']);
    expect(index.sources('a')).toHaveLength(2);
    rmSync(file);
    await index.refresh();
    expect(index.sources('a')).toHaveLength(1);
  });

  it('names the file and line of a broken record', async () => {
    const file = write('complete', 1, 'a');
    appendFileSync(file, '{"seq":9,"problemId":"a","sample":"x"}\n');
    const index = new ProblemIndex(run);
    await index.refresh();
    await expect(index.read(file, 'a', rolloutRecordSchema)).rejects.toMatchObject({ file, line: 2, code: 'run' });
  });
});
