import { describe, expect, it } from 'vitest';
import { fromDashboard } from '../../src/protocol/dashboard-requests';
import { verbsOf } from './controls';

describe('what can be done with a run', () => {
  it('follows from its state', () => {
    expect(verbsOf('running')).toEqual(['pause', 'stop']);
    expect(verbsOf('paused')).toEqual(['resume', 'stop']);
    for (const state of ['stopped', 'interrupted', 'failed'] as const) expect(verbsOf(state)).toEqual(['resume']);
    for (const state of ['created', 'finished', 'unreadable'] as const) expect(verbsOf(state)).toEqual([]);
  });

  it('is asked of the extension by these three words only', () => {
    const asked = (verb: string) => fromDashboard.safeParse({ type: 'control', run: '/r', verb }).success;
    expect(['pause', 'resume', 'stop', 'cancel', 'deleteRun'].map(asked)).toEqual([true, true, true, false, false]);
  });
});
