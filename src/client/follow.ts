import type { HostEvent, Status } from '../protocol/control';
import { advance, idleStatus } from '../protocol/status';
import type { HostLink } from './link';

/** The client's position in the host's events. */
export interface EventCursor {
  session: string;
  after: number;
}

export interface Follower {
  cursor: EventCursor | undefined;
  status: Status | undefined;
  /** A snapshot arrived: events were missed, or none were known. */
  onSnapshot: (status: Status) => void;
  /** `status` has been updated. */
  onEvent: (event: HostEvent) => void;
  onAnswer: () => void;
  /** The host has not answered for too long. */
  onSilence: () => void;
}

/** Reads a host's events, which also serve as its heartbeat, until the link closes. */
export async function followHost(
  link: HostLink,
  follower: Follower,
  times: { beat: number; maxSilence: number },
): Promise<void> {
  let over = false;
  void link.closed.then(() => {
    over = true;
  });
  while (!over) {
    const silence = setTimeout(() => follower.onSilence(), times.beat + times.maxSilence);
    try {
      const { session, snapshot, events, next } = await link.request('events', {
        ...follower.cursor,
        waitMs: times.beat,
      });
      follower.onAnswer();
      if (snapshot) {
        follower.status = snapshot;
        follower.onSnapshot(snapshot);
      }
      for (const event of events) {
        follower.status = advance(follower.status ?? idleStatus, event);
        follower.cursor = { session, after: event.seq };
        follower.onEvent(event);
      }
      follower.cursor = { session, after: next };
    } catch {
      // Probably the host is gone. Otherwise it sent something invalid, which a snapshot skips.
      follower.cursor = undefined;
      await Promise.race([link.closed, new Promise((resolve) => setTimeout(resolve, 1000))]);
    } finally {
      clearTimeout(silence);
    }
  }
}
