/** Errors of requests to a host. */
import { UserError } from '../errors';
import { protocolVersion } from '../protocol/address';

/** The host speaks another version of the protocol. */
export class VersionGap extends UserError {
  constructor(
    readonly gap: { protocol: number; version: string; idle: boolean },
    pid: number,
  ) {
    const newer = gap.protocol > protocolVersion;
    super(
      `a host of ${newer ? 'a newer' : 'an older'} Distillery (${gap.version}, process ${pid}) serves this folder`,
      {
        code: 'version',
        remedy: newer
          ? 'Update Distillery here, or stop the work of that host and try again.'
          : 'Wait until its work is done, or stop it (with the Distillery that ' +
            'started it), then try again: an idle host is replaced.',
      },
    );
  }
}

export function hostEndedError(method: string): UserError {
  return new UserError(`the training host ended before it answered (${method})`, {
    code: 'host',
    remedy: 'Try again: it will be restarted. An interrupted run can be resumed.',
  });
}

/** The promise's value if it settles in time; otherwise rejects with a UserError. */
export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new UserError(`the training host does not answer (${what}, ${ms / 1000} s)`, {
            code: 'host',
            remedy: 'The machine may be very busy: wait, or end the host and resume its run.',
          }),
        ),
      ms,
    );
  });
  promise.catch(() => {}); // it may fail after the timeout
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
