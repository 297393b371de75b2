import { hostStates } from '../protocol/address';
import type { ClientState } from './api';

const talking = hostStates;

/**
 * The states and their transitions. While a client is connected, the host determines the transitions between host
 * states.
 */
export const clientMoves: Record<ClientState, readonly ClientState[]> = {
  absent: ['starting', ...talking, 'crashed', 'lost'],
  starting: [...talking, 'absent', 'crashed', 'lost'],
  idle: [...talking, 'absent', 'crashed', 'lost'],
  running: [...talking, 'absent', 'crashed', 'lost'],
  pausing: [...talking, 'absent', 'crashed', 'lost'],
  paused: [...talking, 'absent', 'crashed', 'lost'],
  stopping: [...talking, 'absent', 'crashed', 'lost'],
  // Answering again, gone, or gone and restarted.
  lost: [...talking, 'starting', 'absent', 'crashed'],
  // Restarted, or found because another program started it.
  crashed: ['starting', 'absent', ...talking, 'lost'],
};

/** The state after a transition; one that is not in the table is a defect of the client. */
export function moveTo(from: ClientState, to: ClientState): ClientState {
  if (from !== to && !clientMoves[from].includes(to)) throw new Error(`a host client cannot go from ${from} to ${to}`);
  return to;
}
