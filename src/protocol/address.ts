/**
 * What a client knows about a host before it connects. Apart from the rest of the protocol, which an editor loads only
 * when there is a host.
 */
import * as z from 'zod';

/** Incremented by every incompatible change. `hello` and `shutdown` are the same in all versions. */
export const protocolVersion = 1;

const count = z.number().int().nonnegative();
const positive = z.number().int().positive();

/**
 * `.distillery/host/host.json`: the address of a folder's host. Readable by its user only; deleted when the host ends
 * normally.
 */
export const addressSchema = z.object({
  protocol: count,
  /** Of Distillery. */
  version: z.string(),
  pid: positive,
  /** Start time of the process according to the system: distinguishes processes with the same pid. */
  startTime: z.string(),
  /** The machine. */
  machine: z.string(),
  /** Identifies this process of the host; events are counted within it. */
  session: z.string(),
  /** Path of the socket, or name of the pipe. */
  endpoint: z.string(),
  /** An additional port on 127.0.0.1, for clients on other machines through tunnels of their own. */
  port: positive.max(65535).optional(),
  token: z.string(),
});
export type Address = z.infer<typeof addressSchema>;

/** The host's state. `pausing` and `stopping` end with the current update. */
export const hostStates = ['idle', 'running', 'pausing', 'paused', 'stopping'] as const;
export type HostState = (typeof hostStates)[number];
