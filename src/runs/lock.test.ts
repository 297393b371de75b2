import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTimeOf } from '../processes';
import { acquireLock, lockHolder } from './lock';

let run: string;
beforeEach(() => {
  run = fs.mkdtempSync(join(tmpdir(), 'distillery-lock-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(run, { recursive: true });
});

function writeLock(number: number, content: object | string): string {
  const file = join(run, 'lock', `${number}.json`);
  fs.mkdirSync(join(run, 'lock'), { recursive: true });
  fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const mine = () => ({ pid: process.pid, startTime: startTimeOf(process.pid), host: hostname(), token: 't' });

describe('acquireLock', () => {
  it('keeps others out until it is released, and says who holds it', () => {
    const lock = acquireLock(run);
    expect(lockHolder(run)?.pid).toBe(process.pid);
    expect(() => acquireLock(run)).toThrow(
      expect.objectContaining({
        code: 'locked',
        message: expect.stringContaining(`process ${process.pid} `),
        remedy: expect.stringContaining(
          `process ${process.pid} is not Distillery's, delete ${join(run, 'lock', '1.json')}`,
        ),
      }),
    );
    lock.release();
    expect(lockHolder(run)).toBeUndefined();
    acquireLock(run).release();
  });

  it('appears complete, so that no reader sees a part of it', () => {
    const link = vi.spyOn(fs, 'linkSync').mockImplementationOnce((draft, file) => {
      expect(JSON.parse(fs.readFileSync(draft, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
      expect(fs.readdirSync(join(run, 'lock'))).toEqual([expect.stringMatching(/^1\.json\.\w+\.draft$/)]);
      fs.renameSync(draft, file);
    });
    acquireLock(run).release();
    expect(link).toHaveBeenCalledOnce();
    expect(fs.readdirSync(join(run, 'lock'))).toEqual(['1.released']);
  });

  it('works on a file system without hard links', () => {
    vi.spyOn(fs, 'linkSync').mockImplementation(() => {
      throw Object.assign(new Error('not permitted'), { code: 'EPERM' });
    });
    const lock = acquireLock(run);
    expect(() => acquireLock(run)).toThrow(expect.objectContaining({ code: 'locked' }));
    expect(fs.readdirSync(join(run, 'lock'))).toEqual(['1.json']);
    lock.release();
  });

  it('takes over from a dead process', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('exit', resolve));
    writeLock(4, { ...mine(), pid: child.pid });
    expect(lockHolder(run)).toBeUndefined();
    acquireLock(run);
    expect(fs.readdirSync(join(run, 'lock'))).toEqual(['5.json']);
  });

  it('takes over from a dead process whose pid is in use again', () => {
    writeLock(1, { ...mine(), startTime: 'long ago' });
    acquireLock(run);
    expect(lockHolder(run)?.token).not.toBe('t');
  });

  it('leaves a lock of another machine alone and names its file', () => {
    const file = writeLock(1, { ...mine(), host: 'elsewhere' });
    expect(() => acquireLock(run)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('on elsewhere'),
        remedy: expect.stringContaining(file),
      }),
    );
    const long = Date.now() / 1000 - 11 * 60;
    fs.utimesSync(file, long, long);
    expect(lockHolder(run)).toBeUndefined();
    acquireLock(run).release();
  });

  it('tells the former holder that another machine has taken it over', () => {
    const lock = acquireLock(run);
    lock.check();
    const long = Date.now() / 1000 - 11 * 60;
    fs.utimesSync(writeLock(1, { ...mine(), host: 'asleep' }), long, long);
    const other = acquireLock(run);
    expect(() => lock.check()).toThrow(expect.objectContaining({ code: 'locked', file: run }));
    other.check();
    lock.release();
    expect(lockHolder(run)?.pid).toBe(process.pid);
  });

  it('takes a lock file that was torn long ago for a dead process, and one torn just now for a starting one', () => {
    const file = writeLock(1, '{"pid":');
    expect(() => acquireLock(run)).toThrow(expect.objectContaining({ code: 'locked' }));
    fs.utimesSync(file, 0, 0);
    acquireLock(run).release();
    const future = Date.now() / 1000 + 1e8; // the clock was set back since
    fs.utimesSync(writeLock(9, '{"pid":'), future, future);
    acquireLock(run);
  });

  it('of a folder that was copied meanwhile is no lock of the copy; of one that was moved, it is', () => {
    const lock = acquireLock(run);
    const [copy, moved] = [`${run}-copy`, `${run}-moved`];
    try {
      fs.cpSync(run, copy, { recursive: true });
      expect(lockHolder(copy)).toBeUndefined();
      acquireLock(copy).release();
      lock.check();
      fs.renameSync(run, moved);
      expect(() => acquireLock(moved)).toThrow(expect.objectContaining({ code: 'locked' }));
    } finally {
      fs.rmSync(copy, { recursive: true, force: true });
      if (fs.existsSync(moved)) fs.renameSync(moved, run);
    }
  });

  it('does not release a lock that another has taken', () => {
    const lock = acquireLock(run);
    const file = writeLock(1, { ...mine(), token: 'other' });
    lock.release();
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject({ token: 'other' });
    expect(lockHolder(run)?.token).toBe('other');
  });
});
