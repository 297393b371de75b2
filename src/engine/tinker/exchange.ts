/** An HTTP request and its whole answer: a connection that breaks within the answer is an error of the request. */
import { fetchWithin } from '../../answer-limits';

export interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** Maximum size of an answer. */
const maxBytes = 512 << 20;

/** @throws what `fetch` throws, when nothing or only a part of an answer comes; AnswerCutOff at a limit */
export async function exchange(url: string, request: RequestInit, timeoutMs: number): Promise<Answer> {
  const limits = { silenceMs: timeoutMs, totalMs: timeoutMs, bytes: maxBytes };
  const response = await fetchWithin(limits, url, request);
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body };
}

export const textOf = ({ body }: Answer): string => body.toString('utf8');
