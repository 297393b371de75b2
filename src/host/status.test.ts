import { describe, expect, it } from 'vitest';
import { type HostState, hostStates, statusSchema } from '../protocol/control';
import { type Cause, HostStatus, hostMoves } from './status';

const run = { folder: '/runs/a', name: 'a', backend: 'cpu', since: '2026-02-05T14:03:09.123Z' };
const update = (n: number) => ({
  type: 'update' as const,
  stage: 'complete' as const,
  phase: 'complete',
  update: n,
  updates: 9,
  metrics: { seq: n, time: '2026-02-05T14:03:09.123Z', stage: 'complete' as const, step: n, loss: 1 },
});

describe('status of a host', () => {
  it('follows one table, in which every request is allowed at any time', () => {
    const causes: Cause[] = ['launch', 'pause', 'continue', 'stop', 'paused', 'ended'];
    const table = hostStates.map((state) => [state, ...causes.map((cause) => hostMoves[state][cause] ?? '')]);
    expect(table).toEqual([
      ['idle', 'running', '', '', '', '', ''],
      ['running', '', 'pausing', '', 'stopping', '', 'idle'],
      ['pausing', '', '', 'running', 'stopping', 'paused', 'idle'],
      ['paused', '', '', 'running', 'stopping', '', 'idle'],
      ['stopping', '', '', '', '', '', 'idle'],
    ]);
  });

  it('never starts a run while another is in progress', () => {
    const busy = hostStates.filter((state): state is HostState => state !== 'idle');
    for (const state of busy) expect(hostMoves[state].launch).toBeUndefined();
  });

  it('keeps what a late client needs', () => {
    const standing = new HostStatus();
    standing.take({ type: 'state', state: 'running' });
    standing.take({ type: 'run', run, resumed: false });
    const phase = { type: 'phase' as const, stage: 'complete' as const, phase: 'complete', updates: 9, done: 0 };
    for (const event of [phase, update(1), update(2)]) standing.take({ type: 'curriculum', run: run.folder, event });
    standing.take({ type: 'job', id: '1', kind: 'ask', state: 'waiting' });
    const status = standing.status(2);
    expect(statusSchema.parse(status)).toMatchObject({
      state: 'running',
      run,
      progress: { phase, update: { update: 2 } },
      jobs: [{ id: '1', kind: 'ask', working: false }],
      clients: 2,
    });

    standing.take({ type: 'ended', run: run.folder, outcome: 'failed', fault: { code: 'disk', message: 'full' } });
    standing.take({ type: 'state', state: 'idle' });
    expect(standing.atWork).toBe(true); // the question still waits
    standing.take({ type: 'job', id: '1', kind: 'ask', state: 'done' });
    expect(standing.atWork).toBe(false);
    expect(standing.status(0)).toMatchObject({
      progress: {},
      jobs: [],
      last: { folder: run.folder, outcome: 'failed', fault: { code: 'disk' } },
    });
    expect(standing.run).toBeUndefined();
  });
});
