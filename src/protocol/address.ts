/**
 * What a client knows about a host before it connects. Apart from the rest of the protocol, which an editor loads only
 * when there is a host.
 */
import * as z from 'zod';

/**
 * Raised by every change that an older peer would misunderstand. `hello` and `shutdown` are the same in all versions.
 */
export const protocolVersion = 1;

const count = z.number().int().nonnegative();
const positive = z.number().int().positive();

/**
 * `.distillery/host/host.json`: where the host of a folder is found. Readable by its user alone; gone when the host
 * ended by itself.
 */
export const addressSchema = z.object({
  protocol: count,
  /** Of Distillery. */
  version: z.string(),
  pid: positive,
  /** When the process started, as the system tells it: another process with the same pid has another start. */
  startTime: z.string(),
  /** The machine. */
  machine: z.string(),
  /** A name for this life of the host; events are counted within it. */
  session: z.string(),
  /** Path of the socket, or name of the pipe. */
  endpoint: z.string(),
  /** On 127.0.0.1, too, for clients on other machines, each through a tunnel of its own. */
  port: positive.max(65535).optional(),
  token: z.string(),
});
export type Address = z.infer<typeof addressSchema>;

/** What the host is at. `pausing` and `stopping` end with the update at hand. */
export const hostStates = ['idle', 'running', 'pausing', 'paused', 'stopping'] as const;
export type HostState = (typeof hostStates)[number];
