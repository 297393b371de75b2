import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../paths';
import { isProcess } from '../../processes';
import { EngineConnection, type Timeouts } from './connection';

const program = join(packageRoot(), 'test', 'engines', 'fake-engine.mjs');
const patience: Timeouts = { start: 60_000, silence: 30_000, end: 10_000 };
const impatient: Timeouts = { start: 60_000, silence: 2000, end: 10_000 };
const opened: EngineConnection[] = [];

async function open(faults: string[] = [], limits = patience) {
  const command = { line: [process.execPath, program, ...faults], origin: 'a test' };
  const { connection, hello } = await EngineConnection.open(command, 'test', limits);
  opened.push(connection);
  return { connection, hello };
}

afterEach(() => {
  for (const connection of opened.splice(0)) connection.kill();
});

const examples = { prompts: [[1, 2], [3]], completions: [[4], [5, 6]] };
const logProbs = { id: 'none', examples, temperature: 1, microBatchTokens: 100 };

describe('a conversation with an engine', () => {
  it('sends one request after the other, and ends', async () => {
    const { connection, hello } = await open(['banner']);
    expect(hello).toMatchObject({ engine: 'fake-engine', device: 'cpu', adapters: true });
    const answers = await Promise.all([
      connection.request('logProbs', logProbs),
      connection.request('logProbs', logProbs),
    ]);
    expect(answers[1]).toEqual({
      logProbs: [Float32Array.of(-0.5), Float32Array.of(-0.5, -0.5)],
      entropy: [Float32Array.of(1.25), Float32Array.of(1.25, 1.25)],
    });
    await connection.close();
    expect(connection.pid).toBeUndefined();
    await expect(connection.request('logProbs', logProbs)).rejects.toThrow('it ended with exit code 0');
  });

  it('reports progress, and releases a cancelled request', async () => {
    const { connection } = await open(['slow@logProbs']);
    const stop = new AbortController();
    const seen: number[] = [];
    const asked = connection.request('logProbs', logProbs, {
      signal: stop.signal,
      progress: ({ done }) => {
        seen.push(done);
        if (done === 2) stop.abort(new Error('enough'));
      },
    });
    await expect(asked).rejects.toThrow('enough');
    expect(seen.slice(0, 3)).toEqual([0, 1, 2]);
    expect(seen.length).toBeLessThan(30);
    expect((await connection.request('logProbs', logProbs)).entropy).toHaveLength(2);
  });

  it("passes on an engine's error with its remedy, and continues", async () => {
    const { connection } = await open(['memory@logProbs']);
    await expect(connection.request('logProbs', logProbs)).rejects.toMatchObject({
      name: 'UserError',
      code: 'memory',
      message: 'the device has 0 bytes left',
      remedy: 'Lower microBatchTokens.',
    });
    expect((await connection.request('logProbs', logProbs)).entropy).toHaveLength(2);
    await expect(connection.request('loss', { ...logProbs, id: 'unknown' })).rejects.toMatchObject({ code: 'engine' });
  });

  it.each([
    ['exit@logProbs', 'it ended with exit code 3'],
    ['garbage@logProbs', 'it wrote something that is not a message: "Traceback'],
    ['torn@logProbs', 'it ended with exit code 0'],
    ['wrong@logProbs', 'its answer to logProbs is invalid (logProbs'],
  ])('%s: the engine is lost, and its process ended', async (fault, why) => {
    const { connection } = await open([fault]);
    await expect(connection.request('logProbs', logProbs)).rejects.toMatchObject({
      name: 'EngineLost',
      code: 'engine',
      message: expect.stringContaining(why),
    });
    await connection.close();
    expect(connection.pid).toBeUndefined();
    await expect(connection.request('logProbs', logProbs)).rejects.toMatchObject({ name: 'EngineLost' });
  });

  it('keeps the end of the log', async () => {
    const { connection } = await open(['exit@logProbs']);
    await expect(connection.request('logProbs', logProbs)).rejects.toMatchObject({
      remedy: 'Its last output: the last words before logProbs',
    });
  });

  it('suggests memory as the cause when the system has killed it', async () => {
    const { connection } = await open();
    process.kill(connection.pid!, 'SIGKILL');
    await expect(connection.request('logProbs', logProbs)).rejects.toMatchObject({
      message: 'the engine is lost: it was ended by SIGKILL',
      remedy: expect.stringContaining('lower microBatchTokens'),
    });
  });

  it('gives up on a silent engine, but not on a slow one', async () => {
    const slow = await open(['slow@logProbs'], impatient);
    expect((await slow.connection.request('logProbs', logProbs)).entropy).toHaveLength(2);
    const { connection } = await open(['silence@logProbs'], impatient);
    await expect(connection.request('logProbs', logProbs)).rejects.toThrow(/it was silent for [\d.]+ s \(logProbs\)/);
    await connection.close();
    expect(connection.pid).toBeUndefined();
  });

  it('ends the child processes of an engine that is gone', async () => {
    const { connection } = await open(['leave@logProbs']);
    const error = await connection.request('logProbs', logProbs).catch((error) => error);
    const left = Number(/left (\d+)/.exec(error.remedy)?.[1]);
    expect(left).toBeGreaterThan(0);
    while (isProcess(left)) await sleep(20);
  });

  it('reports why an engine is not available', async () => {
    const none = { line: ['/nowhere/python'], origin: 'a test' };
    await expect(EngineConnection.open(none, 'test')).rejects.toThrow('there is no program /nowhere/python');
    const line = ['/bin/echo', 'Permission denied (publickey).'];
    const other = { line, origin: 'a test', remedy: 'Check the command.' };
    await expect(EngineConnection.open(other, 'test')).rejects.toMatchObject({
      message: 'the engine is lost: it ended with exit code 0',
      remedy: 'Check the command. Its last output: Permission denied (publickey).',
    });
    const noise = { line: ['yes', 'Welcome'], origin: 'a test' };
    await expect(EngineConnection.open(noise, 'test')).rejects.toMatchObject({
      message: expect.stringContaining('it wrote something that is not a message'),
      remedy: expect.stringContaining('Its last output: Welcome'),
    });
    await expect(open(['wrong@hello'])).rejects.toMatchObject({ remedy: expect.stringContaining('docs/engine.md') });
    await expect(open(['protocol=2'])).rejects.toMatchObject({
      code: 'version',
      message: 'fake-engine 0 (a test) speaks version 2 of the engine protocol, but this Distillery speaks version 1',
    });
  });
});
