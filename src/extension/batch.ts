/**
 * Gathers keys and hands them over together: at once when all is quiet, then at most every `delay` milliseconds, so
 * that a training run that writes a hundred files a second is one change a moment.
 */
export class Batch {
  private readonly keys = new Set<string>();
  private keyless = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly delay: number,
    private readonly flush: (keys: ReadonlySet<string>) => void,
  ) {}

  /** Without keys: something changed that has none, which is handed over as an empty set of its own. */
  add(...keys: string[]): void {
    for (const key of keys) this.keys.add(key);
    this.keyless ||= keys.length === 0;
    this.timer ??= setTimeout(() => this.deliver(), Math.max(20, this.last + this.delay - Date.now()));
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private deliver(): void {
    this.timer = undefined;
    this.last = Date.now();
    const keys = new Set(this.keys);
    const { keyless } = this;
    this.keys.clear();
    this.keyless = false;
    if (keyless) this.flush(new Set());
    if (keys.size > 0) this.flush(keys);
  }
}
