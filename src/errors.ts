/** The subject of an error: a stable word for scripts (`--json`). */
export type ErrorCode =
  // the input
  | 'input'
  | 'usage'
  | 'config'
  | 'dataset'
  | 'checkpoint'
  | 'architecture'
  | 'run'
  | 'no-run'
  | 'no-experiment'
  | 'json'
  // a place
  | 'missing'
  | 'exists'
  | 'locked'
  | 'elsewhere'
  | 'outside'
  | 'link'
  | 'disk'
  // what may be done
  | 'consent'
  | 'trust'
  | 'denied'
  // what computes
  | 'backend'
  | 'tensorflow'
  | 'engine'
  | 'python'
  | 'node'
  | 'compiler'
  | 'memory'
  | 'diverged'
  | 'slow'
  | 'stopped'
  // what answers
  | 'host'
  | 'busy'
  | 'version'
  | 'protocol'
  | 'server'
  | 'teacher'
  | 'tracker'
  | 'network'
  | 'offline'
  | 'download'
  | 'unavailable';

/**
 * An error that the user can fix: it names the place and the remedy, and is printed without a stack.
 * Any other exception is a defect of this program and keeps its stack.
 */
export class UserError extends Error {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly remedy?: string;
  readonly code: ErrorCode;

  constructor(
    message: string,
    place: { file?: string; line?: number; column?: number; remedy?: string; code?: ErrorCode; cause?: unknown } = {},
  ) {
    super(message, { cause: place.cause });
    this.name = 'UserError';
    this.file = place.file;
    this.line = place.line;
    this.column = place.column;
    this.remedy = place.remedy;
    this.code = place.code ?? 'input';
  }

  /** `file:line:column: message` and, on a line of its own, the remedy. */
  override toString(): string {
    const place = this.file ? [this.file, this.line, this.column].filter((part) => part !== undefined).join(':') : '';
    return `${place ? `${place}: ` : ''}${this.message}${this.remedy ? `\n  ${this.remedy}` : ''}`;
  }
}

/**
 * Whether an error reports exhausted memory, in the words of V8, libc++, WebAssembly, TensorFlow, CUDA or our own
 * pools.
 */
export function isOutOfMemory(error: unknown): boolean {
  const message = String((error as Error)?.message ?? error);
  return /out[ _]of[ _]memory|\bOOM\b|bad_alloc|Array buffer allocation failed|Invalid typed array length|Invalid array buffer length|WebAssembly has no \d+ bytes left|RESOURCE_EXHAUSTED/i.test(
    message,
  );
}
