import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../paths';
import { appendDecisions, copyDecisions, decisionsOf, type NewDecision, readDecisions } from './decisions';
import { decisionsFile } from './layout';

let run = '';
beforeEach(() => {
  run = fs.mkdtempSync(join(tmpdir(), 'decisions-'));
});
afterEach(() => fs.rmSync(run, { recursive: true, force: true }));

const about = { problemId: 'p1', question: 'How many?' };
const pick = (picked: boolean): NewDecision => ({ ...about, kind: 'pick', picked });
const verdict = (text: string, verdict: 'proposed' | 'accepted' | 'rejected'): NewDecision => ({
  ...about,
  kind: 'rewrite',
  verdict,
  text,
  reward: null,
  provenance: { from: 'request', checkpoint: 'complete-10' },
});

describe('decisions', () => {
  test('are copied into a new run, before its own', () => {
    const next = join(run, 'next');
    fs.mkdirSync(next);
    const warnings: string[] = [];
    const copy = () => copyDecisions(run, next, (text) => warnings.push(text));
    copy();
    expect(fs.existsSync(decisionsFile(next))).toBe(false); // there was nothing to take over
    appendDecisions(run, [pick(true), verdict('a', 'accepted')]);
    copy();
    expect(warnings).toEqual([]);
    appendDecisions(next, [pick(false)]);
    const { picked, rewrites } = decisionsOf(readDecisions(next));
    expect([picked.size, rewrites.get('p1')?.map(({ text }) => text)]).toEqual([0, ['a']]);
    expect(decisionsOf(readDecisions(run)).picked.size).toBe(1);
  });

  test('that cannot be read are skipped with a warning', () => {
    const next = join(run, 'next');
    fs.mkdirSync(next);
    const warnings: string[] = [];
    const copy = () => copyDecisions(run, next, (text) => warnings.push(text));
    appendDecisions(run, [pick(true)]);
    fs.appendFileSync(decisionsFile(run), 'no JSON\n{}\n');
    copy();
    expect(decisionsOf(readDecisions(next)).picked.size).toBe(1);
    fs.rmSync(decisionsFile(run));
    fs.mkdirSync(decisionsFile(run));
    copy();
    expect(warnings).toEqual([
      expect.stringMatching(/^2 decisions skipped: .*decisions\.jsonl:2: broken JSON/),
      expect.stringMatching(/^decisions skipped: .*decisions\.jsonl: this is a folder, not a file$/),
    ]);
  });

  test('are empty without a decision', () => {
    expect(decisionsOf(readDecisions(run))).toEqual(decisionsOf([]));
    expect(decisionsOf([]).picked.size).toBe(0);
  });

  test('the last one about a problem or a text counts', () => {
    appendDecisions(run, [pick(true), verdict('a', 'proposed'), verdict('b', 'proposed')]);
    appendDecisions(run, [verdict('a', 'accepted')]);
    const { picked, rewrites } = decisionsOf(readDecisions(run));
    expect([...picked]).toEqual([['p1', 'How many?']]);
    expect(rewrites.get('p1')!.map(({ text, verdict }) => [text, verdict])).toEqual([
      ['a', 'accepted'],
      ['b', 'proposed'],
    ]);
    appendDecisions(run, [pick(false)]);
    expect(decisionsOf(readDecisions(run)).picked.size).toBe(0);
  });

  test('a torn line is cut by the next decision, and a stale lock is taken over', () => {
    appendDecisions(run, [pick(true)]);
    fs.appendFileSync(decisionsFile(run), '{"time":"2026');
    const lock = `${decisionsFile(run)}.lock`;
    fs.writeFileSync(lock, '');
    const before = new Date(Date.now() - 60_000);
    fs.utimesSync(lock, before, before);
    appendDecisions(run, [pick(false)]);
    expect(readDecisions(run)).toHaveLength(2);
    expect(fs.existsSync(lock)).toBe(false);
  });

  test('a lock that is held is waited for, then named', () => {
    const lock = `${decisionsFile(run)}.lock`;
    fs.writeFileSync(lock, '');
    const later = new Date(Date.now() + 3_600_000);
    fs.utimesSync(lock, later, later); // not stale, even after a long wait on a busy machine
    expect(() => appendDecisions(run, [pick(true)])).toThrow(/another window/);
  });

  test('of several processes at once are all kept', async () => {
    const program = join(run, 'append.cjs');
    await build({
      stdin: {
        contents: `import { appendDecisions } from ${JSON.stringify(join(packageRoot(), 'src/runs/decisions.ts'))};
          const [, , run, name] = process.argv;
          for (let i = 0; i < 10; i++)
            appendDecisions(run, [{ kind: 'pick', problemId: name + i, question: 'q', picked: true }]);`,
        resolveDir: packageRoot(),
      },
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      mainFields: ['module', 'main'],
    });
    const codes = await Promise.all(
      ['a', 'b', 'c'].map(
        (name) =>
          new Promise((done) =>
            spawn(process.execPath, [program, run, name], { stdio: 'inherit' }).on('exit', (code) => done(code)),
          ),
      ),
    );
    expect(codes).toEqual([0, 0, 0]);
    expect(decisionsOf(readDecisions(run)).picked.size).toBe(30);
  });
});
