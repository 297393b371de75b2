/**
 * Teachers at an OpenAI-compatible endpoint (`/chat/completions`, streamed): OpenAI, DeepSeek, vLLM, Ollama,
 * llama.cpp's server. Servers support different parameters: one that is refused is omitted from then on.
 */
import type OpenAI from 'openai';
import { type Delta, piecesIn } from '../data/message-parts';
import { connect, type ReplyLimits, ReplyWatch, replyLimits } from './connection';
import { saysSomething } from './delta';
import { checkBaseUrl, isLocal } from './endpoint';
import { cutOffFault, retryAfter, TeacherFault } from './faults';
import { neutralSettings, optionalSettings, type Piece, type Teacher, type TeacherRequest, type Unsent } from './types';

export interface OpenAiSettings extends Partial<ReplyLimits> {
  /** Up to and excluding `/chat/completions`, such as `http://localhost:11434/v1`. */
  baseUrl: string;
  model: string;
  /** Sent as a bearer token; absent: no header, as local servers expect. */
  apiKey?: string;
  /** `completions`: the prompt is sent unchanged, without a chat template, as for students. Default: `chat`. */
  api?: 'chat' | 'completions';
}

/** Parameters that servers may refuse, with the reaction. */
const refusals = ['stream_options', 'max_tokens', ...optionalSettings] as const;
type KnownRefusal = (typeof refusals)[number];

type Chunk = OpenAI.ChatCompletionChunk;

export function openAiTeacher({ baseUrl, model, apiKey, api = 'chat', ...given }: OpenAiSettings): Teacher {
  const limits: ReplyLimits = { ...replyLimits(given.silenceMs), ...given };
  const url = checkBaseUrl(baseUrl);
  const refused = new Set<KnownRefusal>();
  return {
    model,
    endpoint: url.href.replace(/\/$/, ''),
    host: isLocal(url) ? `${url.host} (this machine)` : url.host,
    async *ask(request, signal) {
      const watch = new ReplyWatch(limits, signal);
      try {
        const client = await connect(url, apiKey, watch);
        const chunks = await open(client, { api, model, refused }, request, watch.signal);
        yield* piecesOf(chunks, watch, unsent(request, refused));
        watch.signal.throwIfAborted(); // the client ends an aborted stream as if it were complete
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw watch.cutOff
          ? cutOffFault(watch.cutOff, url.host, stuckServer)
          : faultOf(error, { model, host: url.host }, apiKey);
      } finally {
        watch.end();
      }
    },
  };
}

/** The streamed reply, requested without the refused parameters. */
function open(
  client: OpenAI,
  { api, model, refused }: Required<Pick<OpenAiSettings, 'api' | 'model'>> & { refused: Set<KnownRefusal> },
  request: TeacherRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<Chunk | OpenAI.Completion>> {
  const { prompt, system, maxTokens, key } = request;
  const before = system === undefined ? [] : [{ role: 'system' as const, content: system }];
  return adapting<AsyncIterable<Chunk | OpenAI.Completion>>(refused, () => {
    const drawn = Object.entries(samplingOf(request)).filter(([name]) => !refused.has(name as Unsent));
    const both = {
      model,
      stream: true as const,
      ...Object.fromEntries(drawn),
      ...(!refused.has('stream_options') && { stream_options: { include_usage: true } }),
    };
    if (api === 'completions') return client.completions.create({ ...both, prompt, max_tokens: maxTokens }, { signal });
    return client.chat.completions.create(
      {
        ...both,
        messages: [...before, { role: 'user', content: prompt }],
        ...(refused.has('max_tokens') ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }),
      },
      { signal, headers: key === undefined ? {} : { 'Idempotency-Key': key } },
    );
  });
}

/** The sampling parameters of a request. */
const samplingOf = ({ temperature, seed, neutral: set }: TeacherRequest) => ({
  temperature,
  ...(seed !== undefined && { seed }),
  ...(set && neutralSettings),
});

/** Repeats a request without unsupported parameters; `create` reads `refused`. */
async function adapting<T>(refused: Set<KnownRefusal>, create: () => Promise<T>): Promise<T> {
  for (;;) {
    const before = new Set(refused); // other requests are refused meanwhile
    try {
      return await create();
    } catch (error) {
      const refusal = refusalIn(error, before);
      if (!refusal) throw error;
      refused.add(refusal);
    }
  }
}

const unsent = (request: TeacherRequest, refused: ReadonlySet<KnownRefusal>): Unsent[] =>
  optionalSettings.filter((name) => name in samplingOf(request) && refused.has(name));

/** A value out of range must be fixed by the user: "temperature must be between 0 and 1". */
const outOfRangeMessage =
  /\b(?:between|range|(?:less|greater|smaller|larger) than|at (?:most|least)|m(?:in|ax)imum|above|below|exceeds?|too (?:large|small|high|low))\b|[<>≤≥]/i;

function refusalIn(error: unknown, refused: ReadonlySet<KnownRefusal>): KnownRefusal | undefined {
  const { status, message = '', param } = error as { status?: number; message?: string; param?: string | null };
  if (status !== 400 && status !== 422) return undefined;
  const named = (name: KnownRefusal) => param === name || new RegExp(`\\b${name}\\b`).test(message);
  const refusal = refusals.find((name) => !refused.has(name) && named(name));
  const outOfRange = outOfRangeMessage.test(message) && !/unsupported|not support|unknown|unrecognized/i.test(message);
  return refusal !== undefined && (refusal in neutralSettings || !outOfRange) ? refusal : undefined;
}

const stuckServer =
  'See the log of the server: it may be overloaded or stuck. For a slow one, `distillery teach` has --timeout. ' +
  'Replies received so far are kept.';

/** Maximum number of deltas in an unknown form. */
const maxUnread = 100_000;

async function* piecesOf(
  stream: AsyncIterable<Chunk | OpenAI.Completion>,
  watch: ReplyWatch,
  without: Unsent[],
): AsyncGenerator<Piece> {
  let reason: string | undefined;
  let usage: { prompt: number; completion: number } | undefined;
  let isRead = false;
  const unread: Delta[] = [];
  for await (const chunk of untilCutOff(stream, () => watch.cutOff && reason !== undefined)) {
    if (typeof chunk !== 'object' || chunk === null)
      throw new TeacherFault('the server sends no JSON objects', 'passing');
    const { prompt_tokens, completion_tokens } = chunk.usage ?? {};
    if (isCount(prompt_tokens) && isCount(completion_tokens))
      usage = { prompt: prompt_tokens, completion: completion_tokens };
    const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
    if (!choice) continue;
    const delta = ('text' in choice ? { content: choice.text } : (choice.delta ?? message(choice) ?? {})) as Delta;
    const pieces = [...piecesIn(delta)];
    isRead ||= pieces.length > 0;
    const isUnknown = !isRead && saysSomething(delta);
    if (isUnknown) unread.push(delta);
    if (isUnknown || pieces.length > 0) watch.progressed();
    if (unread.length > maxUnread) throw new TeacherFault('the server sends no text in a known form', 'request');
    yield* pieces;
    if (typeof choice.finish_reason === 'string') reason = choice.finish_reason;
  }
  // Some servers and proxies never give a reason, but mark the stream as complete.
  if (reason === undefined && !watch.done) return; // cut off; the collector of the pieces reports it
  if (reason === 'content_filter') throw new TeacherFault('the provider filtered the reply', 'request');
  // A reply in an unknown form is kept as it is, so that it is not paid for again.
  if (!isRead && unread.length > 0) yield { kind: 'text', text: JSON.stringify(unread) };
  yield { kind: 'end', finished: reason !== 'length', usage, without };
}

/** A stream whose error is its end if `isComplete`: some servers say that a reply is complete, but never end it. */
async function* untilCutOff<T>(stream: AsyncIterable<T>, isComplete: () => unknown): AsyncGenerator<T> {
  try {
    yield* stream;
  } catch (error) {
    if (!isComplete()) throw error;
  }
}

/** For a complete reply, from a server that does not stream. */
const message = (choice: object) => (choice as { message?: Delta }).message;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Converts an error of the client by its status (OpenAI's and DeepSeek's error codes agree). */
function faultOf(error: unknown, { model, host }: Pick<Teacher, 'model' | 'host'>, secret?: string): TeacherFault {
  if (error instanceof TeacherFault) return error;
  const { status, headers, message, code } = error as {
    status?: number;
    headers?: Headers;
    message?: string;
    code?: string;
  };
  // Some servers repeat a wrong key.
  const text = clipped((message ?? String(error)).replaceAll(secret || '\0', '***'));
  if (status === undefined) return connectionFault(error, host);
  if (status === 401 || status === 403)
    return new TeacherFault(`the endpoint refuses the key (${text})`, 'teacher', {
      remedy: 'Set DISTILLERY_API_KEY (or, for api.openai.com, OPENAI_API_KEY) to a key of this endpoint.',
    });
  if (status === 402 || code === 'insufficient_quota')
    return new TeacherFault(`the account has no money left (${text})`, 'teacher', {
      remedy: 'Top it up; replies received so far are kept.',
    });
  if (status === 404)
    return new TeacherFault(`the endpoint does not know this (${text})`, 'teacher', {
      remedy: `Check the base URL (it usually ends in /v1) and that it serves the model "${model}".`,
    });
  if (status === 429 || status === 408 || status === 409 || status >= 500)
    return new TeacherFault(text, 'passing', {
      retryAfterMs: retryAfter(headers),
      throttled: status === 429 || status === 503,
    });
  return new TeacherFault(text, 'request');
}

/** Why there was no reply at all; the reason is at the end of a chain of causes. */
function connectionFault(error: unknown, host: string): TeacherFault {
  if (error instanceof SyntaxError)
    return new TeacherFault('the server sends broken JSON', 'passing', { cause: error });
  let deepest = error as { message?: string; code?: string | number; cause?: unknown };
  for (let depth = 0; depth < 5 && deepest.cause instanceof Error; depth++) deepest = deepest.cause as typeof deepest;
  const reason = clipped(String(deepest.code ?? deepest.message ?? error));
  if (/unexpected redirect/i.test(deepest.message ?? ''))
    return new TeacherFault(`${host} redirects elsewhere`, 'teacher', { remedy: 'Use the URL that it redirects to.' });
  return new TeacherFault(`no reply from ${host} (${reason})`, 'passing', { cause: error });
}

const clipped = (text: string) => text.replace(/\s+/g, ' ').slice(0, 300);
