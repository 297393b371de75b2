/**
 * Chat templates of Hugging Face's tokenizers: Jinja texts that come with a model and format messages as in its
 * training (transformers, "Chat templates"). They are untrusted programs: rendered with limits on time, steps, the size
 * of each value and of all values together, without access to clock, files or network.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { Allowance, withinTime } from '../bounded';
import { UserError } from '../errors';
import { isJsonObject, type JsonObject } from './files';

export interface ChatTemplate {
  source: string;
  /** `bos_token` and others, by their names in templates. */
  specialTokens: Record<string, string>;
  /** For messages. */
  file: string;
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** The template in a tokenizer_config.json (the `default` one if there are several); null if it has none. */
export function chatTemplateOf(config: JsonObject, file: string): ChatTemplate | null {
  const { chat_template: given } = config;
  const named = Array.isArray(given) ? given.find((one) => isJsonObject(one) && one.name === 'default') : undefined;
  const source = isJsonObject(named) ? named.template : given;
  if (typeof source !== 'string') return null;
  const specialTokens: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    const content = isJsonObject(value) ? value.content : value;
    if (name.endsWith('_token') && typeof content === 'string') specialTokens[name] = content;
  }
  return { source, specialTokens, file };
}

/** Published templates have up to about 10,000 characters. */
const maxSource = 1 << 18;
/** A prompt takes a few hundred. */
const maxSteps = 20_000;
/** Limit on the total size of a prompt's values, in values of maximum size. */
const maxValues = 64;
/** The lexer scans white space again from each position. Published templates have runs of about ten. */
const longSpace = /\s{250}/;
/** For parsing a template, and for rendering it. A prompt takes a few milliseconds. */
const maxMs = 3000;
/** What all prompts together may take beyond `usualMs` for each. */
const allowedMs = 5000;
const usualMs = 50;

/**
 * Formats messages for the model: the result of `apply_chat_template(messages, tokenize=False)` in transformers.
 * With `generationPrompt` the text ends where the assistant's next turn begins. @throws UserError when the template
 * cannot be used
 */
export function renderChat(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  generationPrompt: boolean,
): string {
  try {
    const longest = messages.reduce((length, { content }) => length + content.length, template.source.length);
    const environment = new Environment();
    const globals = { true: true, false: false, none: null, True: true, False: false, None: null };
    const functions = { raise_exception: refuse, range, strftime_now: formatDay };
    const variables = { ...template.specialTokens, messages, add_generation_prompt: generationPrompt };
    for (const [name, value] of Object.entries({ ...globals, ...functions, ...variables }))
      environment.set(name, value);
    const { program, allowance } = parsed(template.source);
    const render = () => new BoundedInterpreter(environment, 2 * longest + (1 << 16)).run(program).value;
    const result = allowance.spend(usualMs, () => withinTime(maxMs, render));
    if (typeof result !== 'string') throw new Error('it gives no text');
    return result;
  } catch (error) {
    throw new UserError(`The chat template cannot be used: ${(error as Error).message}`, {
      file: template.file,
      remedy: 'Set "prompt": "plain" for the student, or fix chat_template in tokenizer_config.json.',
      code: 'checkpoint',
      cause: error,
    });
  }
}

type TemplateValue = ReturnType<Interpreter['run']>;

/** Counts steps and measures their results, so that neither loops nor repeatedly doubled texts or lists run away. */
class BoundedInterpreter extends Interpreter {
  private steps = 0;
  private written = 0;

  constructor(
    environment: Environment,
    private readonly maxLength: number,
  ) {
    super(environment);
  }

  override evaluate(...args: Parameters<Interpreter['evaluate']>): TemplateValue {
    if (++this.steps > maxSteps) throw new Error(`it takes more than ${maxSteps} steps`);
    const [{ type, body }] = args as unknown as [{ type: string; body: unknown[] }];
    if (type === 'For' && body.length === 0) body.push({ type: 'Comment', value: '' }); // so that each iteration is a
    // step
    const result = super.evaluate(...args);
    const { value } = result;
    const length = typeof value === 'string' || Array.isArray(value) ? value.length : 0;
    if (length > this.maxLength) throw new Error(`it makes a value of ${length} parts or characters`);
    this.written += length;
    if (this.written > maxValues * this.maxLength) throw new Error('it makes too many long values');
    return result;
  }
}

interface ParsedTemplate {
  source: string;
  program: ReturnType<typeof parse>;
  allowance: Allowance;
}

let latest: ParsedTemplate | undefined;

/** A template is used for thousands of prompts, so the last one is kept parsed. */
function parsed(source: string): ParsedTemplate {
  if (source.length > maxSource) throw new Error(`it has ${source.length} characters; the maximum is ${maxSource}`);
  if (longSpace.test(source)) throw new Error('it has 250 spaces or line ends in a row');
  // transformers' settings of Jinja
  const read = () => parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
  if (latest?.source !== source)
    latest = { source, program: withinTime(maxMs, read), allowance: new Allowance(allowedMs) };
  return latest;
}

function refuse(message: unknown): never {
  throw new Error(`it says: ${String(message).slice(0, 200)}`);
}

/** Python's range; the interpreter passes only numbers. */
function range(first: number, end?: number, step = 1): number[] {
  const [from, to] = end === undefined ? [0, first] : [first, end];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length <= maxSteps)) throw new Error(`it counts to ${length}`);
  return Array.from({ length }, (_, i) => from + i * step);
}

/** By strftime's letters. */
const partsOfDay = Object.fromEntries(
  'd=26 -d=26 e=26 j=208 m=07 -m=7 b=Jul B=July y=24 Y=2024 a=Fri A=Friday F=2024-07-26 H=00 I=12 M=00 S=00 p=AM %=%'
    .split(' ')
    .map((part) => part.split('=') as [string, string]),
);

/**
 * Some templates put the date into the prompt. A student must see the same text in training and in later tests, so the
 * date is the one that Llama 3.2's template uses without a clock.
 */
function formatDay(format: string): string {
  return String(format).replace(/%(-?.)/g, (_, letter: string) => {
    if (!Object.hasOwn(partsOfDay, letter)) throw new Error(`it asks for %${letter} of the date`);
    return partsOfDay[letter];
  });
}
