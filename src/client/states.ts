import { hostStates } from '../protocol/address';
import type { ClientState } from './api';

const talking = hostStates;

/**
 * Every state and where it may lead. While a client talks to a host, the host's states follow each other as the host
 * says.
 */
export const clientMoves: Record<ClientState, readonly ClientState[]> = {
  absent: ['starting', ...talking, 'crashed', 'lost'],
  starting: [...talking, 'absent', 'crashed', 'lost'],
  idle: [...talking, 'absent', 'crashed', 'lost'],
  running: [...talking, 'absent', 'crashed', 'lost'],
  pausing: [...talking, 'absent', 'crashed', 'lost'],
  paused: [...talking, 'absent', 'crashed', 'lost'],
  stopping: [...talking, 'absent', 'crashed', 'lost'],
  // Heard again, or gone after all, or gone and started anew.
  lost: [...talking, 'starting', 'absent', 'crashed'],
  // Started anew, or found because somebody else started it.
  crashed: ['starting', 'absent', ...talking, 'lost'],
};

/** The state after a move; a move that the table does not have is a defect of the client. */
export function moveTo(from: ClientState, to: ClientState): ClientState {
  if (from !== to && !clientMoves[from].includes(to)) throw new Error(`a host client cannot go from ${from} to ${to}`);
  return to;
}
