/** Requests to the Hub: with retries, safe handling of the token, and clear errors. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerCutOff, type AnswerLimits, fetchWithin, release } from '../answer-limits';
import { type ErrorCode, UserError } from '../errors';

export interface Hub {
  /** Without a trailing slash. */
  url: string;
  token?: string;
  /** Milliseconds before the first retry; each later one waits twice as long. */
  retryDelayMs: number;
  /** Milliseconds without a byte after which an attempt is abandoned (default: a minute). */
  silenceMs?: number;
  signal?: AbortSignal;
}

const maxAttempts = 5;
/** Retries without any answer: fewer, so that an offline user does not wait long. */
const maxAttemptsOffline = 3;
const maxRedirects = 5;

/**
 * The Hub given by the environment: HF_ENDPOINT, and HF_TOKEN unless another `token` is passed. @throws UserError when
 * the network is disabled (HF_HUB_OFFLINE) or the address is invalid
 */
export function hubOf(environment: Record<string, string | undefined>, token = environment.HF_TOKEN): Hub {
  if (/^(1|on|yes|true)$/i.test(environment.HF_HUB_OFFLINE ?? ''))
    throw new UserError('HF_HUB_OFFLINE is set, so nothing can be downloaded', {
      code: 'offline',
      remedy: 'Unset it, or use the folder of a student.',
    });
  const url = (environment.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol) || new URL(url).username !== '')
    throw new UserError('HF_ENDPOINT is not the address of a server', {
      code: 'config',
      remedy: 'Set it to an address such as https://huggingface.co, or unset it.',
    });
  if (token && !/^hf_\w+$/.test(token.trim()))
    throw new UserError('HF_TOKEN is not a token of the Hugging Face Hub', {
      code: 'config',
      remedy: 'Tokens begin with hf_; make one at https://huggingface.co/settings/tokens.',
    });
  return { url, retryDelayMs: 1000, ...(token && { token: token.trim() }) };
}

/** Transient errors, worth another attempt. */
const isBusy = (status: number) => status === 408 || status === 429 || status >= 500;

/**
 * Like fetch within limits, with retries while the server is busy or the connection is down. The token is sent to the
 * Hub's own origin only: redirects to file storage do not carry it, and none may lead from https to http.
 */
export async function request(
  hub: Hub,
  address: string | URL,
  headers: Record<string, string> = {},
  limits: Omit<AnswerLimits, 'silenceMs'> = {},
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    let answer: Response | undefined;
    try {
      answer = await follow(hub, new URL(address), headers, limits);
      if (!isBusy(answer.status) || attempt === maxAttempts) return answer;
    } catch (error) {
      hub.signal?.throwIfAborted();
      if (error instanceof UserError || attempt === maxAttemptsOffline) throw unreachable(hub, error);
    }
    if (answer) await release(answer);
    const asked = Number(answer?.headers.get('retry-after'));
    await sleep(asked > 0 ? Math.min(asked * 1000, 60_000) : hub.retryDelayMs * 2 ** (attempt - 1), null, {
      signal: hub.signal,
    });
  }
}

async function follow(
  hub: Hub,
  first: URL,
  headers: Record<string, string>,
  limits: Omit<AnswerLimits, 'silenceMs'>,
): Promise<Response> {
  const home = new URL(hub.url);
  let url = first;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const authorization: Record<string, string> =
      hub.token && url.origin === home.origin ? { authorization: `Bearer ${hub.token}` } : {};
    const answer = await fetchWithin({ silenceMs: hub.silenceMs ?? 60_000, ...limits }, url, {
      headers: { ...headers, ...authorization, 'user-agent': 'distillery' },
      redirect: 'manual',
      signal: hub.signal,
    });
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status >= 400 || location === null) return answer;
    await release(answer);
    const next = new URL(location, url);
    if (next.protocol !== 'https:' && next.protocol !== home.protocol)
      throw new UserError(`${url.host} redirects to ${next.protocol}//${next.host}, which is not safe`, {
        code: 'network',
        remedy: 'Check HF_ENDPOINT and the proxy.',
      });
    url = next;
  }
  throw new UserError(`${first.host} redirects in a circle`, { code: 'network', remedy: 'Check HF_ENDPOINT.' });
}

/** Converts a connection error to a UserError; others are rethrown. */
export function unreachable(hub: Hub, error: unknown): unknown {
  if (error instanceof UserError) return error;
  if (error instanceof AnswerCutOff)
    return new UserError(`the request to ${new URL(hub.url).host} was abandoned: ${error.message}`, {
      code: 'network',
      remedy: 'Check HF_ENDPOINT and the network; the downloaded part is kept, and the next attempt resumes.',
      cause: error,
    });
  const cause = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  const reason = cause.code ?? cause.message;
  return new UserError(`${new URL(hub.url).host} cannot be reached (${reason})`, {
    code: 'network',
    remedy:
      'Check the network, and HTTPS_PROXY with NODE_USE_ENV_PROXY=1; ' +
      'the downloaded part is kept, and the next attempt resumes.',
    cause: error,
  });
}

/** @throws UserError for a response that refuses `what` */
export function refuseStatus(hub: Hub, status: number, what: string): never {
  const host = new URL(hub.url).host;
  const fault = (message: string, code: ErrorCode, remedy: string) => {
    throw new UserError(message, { code, remedy });
  };
  if (status === 401 || status === 403)
    return fault(
      hub.token
        ? `this token has no access to ${what} on ${host}`
        : `${host} does not give access to ${what} without a token`,
      'denied',
      hub.token
        ? `Accept its license on ${hub.url}, or use a token with access.`
        : `The name may be wrong. For a gated model accept its license on ${hub.url} and set HF_TOKEN.`,
    );
  if (status === 404)
    return fault(`${host} has no ${what}`, 'missing', 'Check the name: owner/name, and @revision if there is one.');
  if (isBusy(status)) return fault(`${host} is busy (status ${status})`, 'network', 'Try again later.');
  return fault(`${host} answers with status ${status} to a request for ${what}`, 'network', 'Check HF_ENDPOINT.');
}
