import type { Usage } from './types';

/** Prices of a teacher per million tokens, in the currency of the budget. */
export interface Prices {
  input: number;
  output: number;
}

export function costOf({ prompt, completion }: Usage, { input, output }: Prices): number {
  return (prompt * input + completion * output) / 1e6;
}

/** Money spent, and the possible cost of requests in progress, against a limit. */
export class SpendingLimit {
  private spent = 0;
  private reserved = 0;
  private underWay = 0;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly limit: number,
    private readonly prices: Prices,
  ) {}

  /**
   * Reserves the maximum cost of a request; false if it could exceed the limit. If that is only because of the possible
   * cost of requests in progress, waits for them, as most cost far less.
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

  /** Replaces the reservation of a request by its actual cost; `used` is absent if it failed. */
  settle(most: Usage, used?: Usage): void {
    this.underWay--;
    this.reserved = this.underWay === 0 ? 0 : this.reserved - costOf(most, this.prices);
    if (used) this.spend(used);
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** Whether money spent and reserved exceeds the limit, as lost replies may cause. */
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
