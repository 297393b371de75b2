import { describe, expect, it } from 'vitest';
import { hostStates } from '../protocol/control';
import type { ClientState } from './api';
import { clientMoves, moveTo } from './states';

const all = Object.keys(clientMoves) as ClientState[];

describe('the states of a client', () => {
  it('follow the host wherever it goes', () => {
    for (const from of all) for (const to of hostStates) expect(moveTo(from, to)).toBe(to);
  });

  it('leave every state by an end, a crash or silence', () => {
    for (const from of hostStates)
      for (const to of ['absent', 'crashed', 'lost'] as const) expect(moveTo(from, to)).toBe(to);
  });

  it('start a host only where none is', () => {
    expect(all.filter((from) => clientMoves[from].includes('starting'))).toEqual(['absent', 'lost', 'crashed']);
    expect(() => moveTo('running', 'starting')).toThrow('from running to starting');
  });

  it('may be said twice', () => {
    for (const state of all) expect(moveTo(state, state)).toBe(state);
  });
});
