import type { Usage } from './types';

/** What a teacher charges, in the currency of the budget, for a million tokens. */
export interface Prices {
  input: number;
  output: number;
}

export function costOf({ prompt, completion }: Usage, { input, output }: Prices): number {
  return (prompt * input + completion * output) / 1e6;
}

/** Money that is spent, and that requests under way can still cost, against a limit. */
export class Budget {
  private spent = 0;
  private reserved = 0;
  private underWay = 0;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly limit: number,
    private readonly prices: Prices,
  ) {}

  /**
   * Sets aside what a request can cost at most; false, if that could go over the limit. Where it could only because of
   * what requests under way may still cost, they are waited for: most cost far less.
   */
  async reserve(most: Usage): Promise<boolean> {
    const cost = costOf(most, this.prices);
    while (!this.covers(cost)) {
      if (this.underWay === 0) return false;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    this.reserved += cost;
    this.underWay++;
    return true;
  }

  /** Puts what a request did cost in the place of what it could; `used` is absent where it came to nothing. */
  settle(most: Usage, used?: Usage): void {
    this.underWay--;
    this.reserved = this.underWay === 0 ? 0 : this.reserved - costOf(most, this.prices);
    if (used) this.spend(used);
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /**
   * Whether what is spent and what requests under way can still cost is more than the limit, as lost replies may make
   * it.
   */
  get overdrawn(): boolean {
    return !this.covers(0);
  }

  private covers(more: number): boolean {
    return this.spent + (this.reserved + more) <= this.limit;
  }

  spend(used: Usage): void {
    this.spent += costOf(used, this.prices);
  }
}
