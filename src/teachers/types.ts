/** The interface of every teacher, wherever it runs: given a question, it streams its chain of thought. */

export interface Teacher {
  /** The model's name on its server. */
  model: string;
  /**
   * Where questions are sent, without secrets: the base URL of an endpoint, a file, `vscode`. Part of the cache key.
   */
  endpoint: string;
  /** Where questions are sent, for people: a host name, `this machine`, `VS Code`. Saved as provenance. */
  host: string;
  /**
   * Streams one reply. Ends with one `end` piece; a stream without it was cut off. Throws `TeacherFault`s, which tell
   * whether retrying may help, or the signal's reason.
   */
  ask(request: TeacherRequest, signal: AbortSignal): AsyncIterable<Piece>;
  /** Frees the teacher's resources. */
  dispose?(): void | Promise<void>;
}

export interface TeacherRequest {
  /** The text of the one user message. */
  prompt: string;
  /** A preceding system message, if the server uses chat. */
  system?: string;
  temperature: number;
  /** Longest reply in the teacher's tokens, including its thinking. */
  maxTokens: number;
  /** Seed of this sample; absent: chosen by the server. */
  seed?: number;
  /** Only temperature and seed shape the sampling: other defaults of the server or the model's files are overridden. */
  neutral?: boolean;
  /** Equal for the same question and sample: a gateway with idempotency keys bills a repeated request once. */
  key?: string;
}

export type Piece =
  /** Thinking that the server separates (`reasoning_content`). */
  | { kind: 'thought'; text: string }
  | { kind: 'text'; text: string }
  /** `without`: what the server does not take, so that it was not sent. */
  | { kind: 'end'; finished: boolean; usage?: Usage; without?: Unsent[] };

/**
 * Neutral values of sampling settings. vLLM takes defaults from generation_config.json, llama.cpp's server has its own
 * (top_k 40, top_p 0.95, min_p 0.05), llama-cpp-python a repeat_penalty.
 */
export const neutralSettings = {
  top_p: 1,
  top_k: 0,
  min_p: 0,
  presence_penalty: 0,
  frequency_penalty: 0,
  repetition_penalty: 1,
  repeat_penalty: 1,
} as const;

/** Sampling settings that a server may not support. */
export const optionalSettings = [
  'temperature',
  'seed',
  ...(Object.keys(neutralSettings) as (keyof typeof neutralSettings)[]),
] as const;
export type Unsent = (typeof optionalSettings)[number];

/** Tokens as counted by the server for its bill; `completion` includes the thinking. */
export interface Usage {
  prompt: number;
  completion: number;
}

/** A whole reply. */
export interface Reply {
  /** The thinking without `<think>` tags; empty if there is none. */
  thought: string;
  /** The text after the thinking: the solution with its answer. */
  text: string;
  /** False if the token budget cut it off. */
  finished: boolean;
  usage: Usage;
  /** True if the server did not report tokens and they are estimated from the lengths of the texts. */
  estimated?: boolean;
  /** Settings that the server does not support; it used its own defaults. */
  without?: Unsent[];
}
