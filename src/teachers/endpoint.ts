import { UserError } from '../errors';

/** Validates a base URL that may be shown and saved: http or https, and without secrets. */
export function checkBaseUrl(text: string): URL {
  const refuse = (message: string, remedy: string) => new UserError(message, { code: 'usage', remedy });
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw refuse(`"${text.slice(0, 200)}" is not a base URL`, 'Write one such as http://localhost:11434/v1.');
  if (url.username || url.password || url.search || url.hash)
    throw refuse(
      'the base URL contains a name, a password or parameters, which would be saved with the chains',
      'Remove them; keys come from DISTILLERY_API_KEY or OPENAI_API_KEY.',
    );
  url.pathname = url.pathname.replace(/\/chat\/completions\/?$|\/+$/g, '');
  return url;
}

export function isLocal(url: URL): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
}

export interface Key {
  key: string;
  /** The variable that it comes from, for people. */
  from: string;
}

/**
 * The key for an endpoint: `DISTILLERY_API_KEY`, or `OPENAI_API_KEY` if the endpoint is OpenAI's. OpenAI's key is never
 * sent elsewhere: it is set on many machines, and an endpoint is just a setting.
 */
export function keyFor(url: URL, environment: NodeJS.ProcessEnv): Key | undefined {
  const { DISTILLERY_API_KEY: own, OPENAI_API_KEY: openAi } = environment;
  if (own) return { key: own, from: 'DISTILLERY_API_KEY' };
  const isOpenAi = url.protocol === 'https:' && /(^|\.)openai\.com$/.test(url.hostname);
  return openAi && isOpenAi ? { key: openAi, from: 'OPENAI_API_KEY' } : undefined;
}
