/** An HTTP request and its whole answer: a connection that breaks within the answer is an error of the request. */
import { boundedBytes } from '../../download';
import { UserError } from '../../errors';

export interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** Maximum size of an answer. */
const maxBytes = 512 << 20;

/** @throws what `fetch` throws, when nothing or only a part of an answer comes; UserError for one that is too large */
export async function exchange(url: string, request: RequestInit): Promise<Answer> {
  const response = await fetch(url, request);
  const tooLong = () =>
    new UserError(`the Tinker server sent more than ${maxBytes >> 20} MB in one answer`, { code: 'backend' });
  const body = await boundedBytes(response, maxBytes, tooLong);
  return { status: response.status, headers: response.headers, body };
}

export const textOf = ({ body }: Answer): string => body.toString('utf8');
