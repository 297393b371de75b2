/** What every teacher is, wherever it runs: asked a question, it says its chain of thought piece by piece. */

export interface Teacher {
  /** The model as its server calls it. */
  model: string;
  /**
   * Where questions go, without secrets: the base URL of an endpoint, a file, `vscode`. Part of the key of the cache.
   */
  endpoint: string;
  /** Where questions go, for people: a host name, `this machine`, `VS Code`. Kept as provenance. */
  host: string;
  /**
   * One reply as it is written. Ends with one `end` piece; a stream without it was cut off. Throws `TeacherFault`s,
   * which say whether asking again may help, or the signal's reason.
   */
  ask(request: TeacherRequest, signal: AbortSignal): AsyncIterable<Piece>;
  /** Frees what the teacher holds. */
  dispose?(): void | Promise<void>;
}

export interface TeacherRequest {
  /** The text of the one user message. */
  prompt: string;
  /** A system message before it, where the server chats. */
  system?: string;
  temperature: number;
  /** Longest reply in the teacher's tokens, its thinking included. */
  maxTokens: number;
  /** Of this sample; absent: the server draws as it likes. */
  seed?: number;
  /**
   * Temperature and seed alone shape the sampling: what else the server or the model's files set by default is set
   * aside.
   */
  neutral?: boolean;
  /**
   * The same for the same question and sample: a gateway that honours idempotency keys bills a repeated request once.
   */
  key?: string;
}

export type Piece =
  /** Thinking that the server sets apart (`reasoning_content`). */
  | { kind: 'thought'; text: string }
  | { kind: 'text'; text: string }
  /** `without`: what the server does not take, so that it was not sent. */
  | { kind: 'end'; finished: boolean; usage?: Usage; without?: Unsent[] };

/**
 * Values by which settings of the sampling do nothing. vLLM takes defaults from generation_config.json, llama.cpp's
 * server has its own (top_k 40, top_p 0.95, min_p 0.05), llama-cpp-python a repeat_penalty.
 */
export const neutral = {
  top_p: 1,
  top_k: 0,
  min_p: 0,
  presence_penalty: 0,
  frequency_penalty: 0,
  repetition_penalty: 1,
  repeat_penalty: 1,
} as const;

/** Settings of the sampling that a server may not take. */
export const refusable = ['temperature', 'seed', ...(Object.keys(neutral) as (keyof typeof neutral)[])] as const;
export type Unsent = (typeof refusable)[number];

/** Tokens as the server counts them for its bill; `completion` holds the thinking too. */
export interface Usage {
  prompt: number;
  completion: number;
}

/** A whole reply. */
export interface Reply {
  /** The thinking, `<think>` marks dropped; empty if there is none. */
  thought: string;
  /** What is said after the thinking: the solution with its answer. */
  text: string;
  /** False where the token budget cut it off. */
  finished: boolean;
  usage: Usage;
  /** True where the server did not say and the tokens are guessed from the length of the texts. */
  estimated?: boolean;
  /** Settings that the server does not take: its own defaults counted. */
  without?: Unsent[];
}
