/**
 * Collects keys and passes them on together: at once after a quiet period, then at most every `delay` milliseconds. A
 * training run that writes a hundred files a second thus causes one update a moment.
 */
export class Debouncer {
  private readonly keys = new Set<string>();
  private keyless = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly delay: number,
    private readonly flush: (keys: ReadonlySet<string>) => void,
  ) {}

  /** A change without a key. It is passed on as an empty set. */
  add(...keys: string[]): void {
    for (const key of keys) this.keys.add(key);
    this.keyless ||= keys.length === 0;
    this.timer ??= setTimeout(() => this.deliver(), Math.max(20, this.last + this.delay - performance.now()));
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private deliver(): void {
    this.timer = undefined;
    this.last = performance.now();
    const keys = new Set(this.keys);
    const { keyless } = this;
    this.keys.clear();
    this.keyless = false;
    if (keyless) this.flush(new Set());
    if (keys.size > 0) this.flush(keys);
  }
}
