import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Crash } from '../../src/client/api';
import { HostLink } from '../../src/client/link';
import { UserError } from '../../src/errors';
import { readAddress } from '../../src/protocol/host-folder';
import { openRun, readMetrics } from '../../src/runs/reading';
import { longStage, openWorkplace, until, type Workplace } from './workplace';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 }); // seconds, where the machine is not busy

let work: Workplace;
beforeAll(async () => {
  work = await openWorkplace();
});
afterEach(() => work.endHost());
afterAll(() => work?.close());

const updates = (events: { type: string }[]) =>
  events.filter(
    (event) => event.type === 'curriculum' && 'event' in event && (event.event as { type: string }).type === 'update',
  ).length;

describe('a run on the host', () => {
  it('is started once, reported to every client in order, and found again from a cursor', async () => {
    const experiment = work.experiment('short', { baselines: { sft: false } });
    const first = work.client();
    const second = work.client({ watch: true, times: { watch: 50 } });
    const started = await first.client.request('start', { experiment, stages: ['reconstruct'], seed: 3 });
    expect(started.already).toBe(false);
    expect(await first.client.request('start', { seed: 3, experiment, stages: ['reconstruct'] })).toEqual({
      run: started.run,
      already: true,
    });
    await until('the second client', () => second.client.status?.run);
    expect(second.client.status?.run?.folder).toBe(started.run);
    await until('both clients hear the end', () =>
      [first, second].every(
        ({ events, client }) => events.some(({ type }) => type === 'ended') && client.state === 'idle',
      ),
    );
    expect(first.events.map(({ seq }) => seq)).toEqual(first.events.map((_, i) => i + 1));
    expect(first.states).toEqual(['starting', 'idle', 'running', 'idle']);
    expect(first.client.status?.last).toEqual({ folder: started.run, outcome: 'finished' });
    const heard = second.events.map(({ seq }) => seq);
    expect(second.events).toEqual(first.events.filter(({ seq }) => heard.includes(seq)));
    expect(updates(first.events)).toBe(2);
    expect(openRun(started.run).record).toMatchObject({ state: 'finished', name: 'short' });

    const link = await HostLink.open(readAddress(work.distillery)!, { name: 'raw', version: '0.0.0' }, 30_000);
    const { session } = link.address;
    const rest = await link.request('events', { session, after: 3, waitMs: 0 });
    expect(rest.snapshot).toBeUndefined();
    expect(rest.events).toEqual(first.events.slice(3));
    for (const cursor of [{}, { session, after: 1e6 }, { session: 'another', after: 3 }]) {
      const gap = await link.request('events', { ...cursor, waitMs: 0 });
      expect(gap).toMatchObject({ snapshot: { state: 'idle' }, events: [], next: first.events.length });
    }
    link.close();
  });

  it('pauses after a checkpoint, answers questions, resumes, and stops; each request may be repeated', async () => {
    const experiment = work.experiment('long', longStage(100_000));
    const { client, events, states } = work.client();
    const { run } = await client.request('start', { experiment });
    await until('updates', () => updates(events) > 1);
    await expect(client.request('start', { experiment, seed: 9 })).rejects.toMatchObject({ code: 'busy', file: run });

    expect(await client.control('pause')).toEqual({ state: 'pausing', run });
    await client.control('pause');
    await until('the pause', () => client.state === 'paused');
    const step = readMetrics(run).length;
    expect(openRun(run)).toMatchObject({ record: { state: 'paused', stage: 'reconstruct', step }, interrupted: false });
    expect(openRun(run).record.checkpoints.at(-1)?.name).toBe(`reconstruct-${step}`);
    const answer = await client.request('ask', {
      checkpoint: join(work.folder, 'student'),
      question: '1 + 1?',
      maxNewTokens: 3,
    });
    expect(answer.samples).toHaveLength(1);
    expect(readMetrics(run)).toHaveLength(step);

    expect(await client.request('resume', { run })).toEqual({ run, already: true });
    await until('further updates', () => readMetrics(run).length > step + 1);
    expect(openRun(run).record.state).toBe('running');
    // Short work waits for the end of an update, not for the end of the run.
    await client.request('ask', { checkpoint: join(work.folder, 'student'), question: '1 + 1?', maxNewTokens: 3 });

    expect(await client.control('stop')).toEqual({ state: 'stopping', run });
    expect(await client.control('stop')).toMatchObject({ state: expect.stringMatching(/stopping|idle/) });
    await until('the end', () => client.state === 'idle');
    expect(await client.control('stop')).toEqual({ state: 'idle' });
    expect(await client.control('pause')).toEqual({ state: 'idle' });
    expect(openRun(run).record).toMatchObject({ state: 'stopped', step: readMetrics(run).length });
    expect(states).toEqual(['starting', 'idle', 'running', 'pausing', 'paused', 'running', 'stopping', 'idle']);
    expect(readMetrics(run).map((record) => record.step)).toEqual(readMetrics(run).map((_, i) => i + 1));
  });

  it('is cancelled without a checkpoint, and stopped while it is paused', async () => {
    const experiment = work.experiment('long', longStage(100_000));
    const { client, events } = work.client();
    const { run } = await client.request('start', { experiment });
    await until('updates', () => updates(events) > 1);
    await client.control('cancel');
    await until('the end', () => client.state === 'idle');
    expect(client.status?.last).toEqual({ folder: run, outcome: 'cancelled' });
    expect(openRun(run).record).toMatchObject({ state: 'stopped', reason: 'cancelled', checkpoints: [] });

    await client.request('resume', { run });
    await client.control('pause');
    await until('the pause', () => client.state === 'paused');
    await client.control('stop');
    await until('the end', () => client.state === 'idle');
    expect(client.status?.last).toEqual({ folder: run, outcome: 'stopped' });
  });

  it('continues without clients, is reported when its host is killed, and resumes only on request', async () => {
    const experiment = work.experiment('killed', longStage(400));
    const first = work.client();
    const { run } = await first.client.request('start', { experiment });
    first.client.dispose();
    await until('updates without a client', () => readMetrics(run).length > 1);

    const { client, states } = work.client({ restart: true, times: { restart: 10 } });
    const crashes: Crash[] = [];
    client.on('crash', (crash) => crashes.push(crash));
    expect(await client.attach()).toBe(true);
    expect(client.state).toBe('running');
    const { pid } = readAddress(work.distillery)!;
    process.kill(pid, 'SIGKILL');
    await until('the crash and the restart', () => client.state === 'idle');
    expect(crashes).toMatchObject([{ run, cause: 'unknown', restartInMs: 10 }]);
    expect(states).toEqual(['running', 'crashed', 'starting', 'idle']);
    expect(readAddress(work.distillery)!.pid).not.toBe(pid);
    expect(openRun(run)).toMatchObject({ record: { state: 'running' }, interrupted: true });

    expect(await client.request('resume', { run })).toEqual({ run, already: false });
    await until('the end', () => client.status?.last?.outcome === 'finished');
    expect(readMetrics(run).map(({ step }) => step)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
  });

  it('that cannot start reports the reason, and leaves no folder', async () => {
    const { client } = work.client();
    const before = readdirSync(join(work.distillery, 'runs')).length;
    const missing = client.request('start', { experiment: join(work.folder, 'missing.distillery.json') });
    await expect(missing).rejects.toThrow(UserError);
    await expect(missing).rejects.toMatchObject({ code: 'missing' });
    const broken = work.experiment('broken', { student: { path: 'nowhere' } });
    await expect(client.request('start', { experiment: broken })).rejects.toThrow(/nowhere/);
    await until('idle again', () => client.state === 'idle');
    expect(readdirSync(join(work.distillery, 'runs'))).toHaveLength(before);
    await expect(client.request('resume', { run: work.folder })).rejects.toMatchObject({ file: expect.any(String) });
  });
});
