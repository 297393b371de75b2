/** How a host fails those who ask it. */
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
      `a host of ${newer ? 'a newer' : 'an older'} Distillery (${gap.version}, process ${pid}) works for this folder`,
      {
        code: 'version',
        remedy: newer
          ? 'Update Distillery here, or stop its work and try again.'
          : 'Wait for its work or stop it (with the Distillery that started ' +
            'it), then try again: it is replaced when it is idle.',
      },
    );
  }
}

export function hostGone(method: string): UserError {
  return new UserError(`the training host ended before it answered (${method})`, {
    code: 'host',
    remedy: 'Try again: it is started anew. A run that was interrupted can be resumed.',
  });
}

/** The promise's value when it comes in time; a UserError otherwise. */
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
  promise.catch(() => {}); // it may fail after it was given up
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
