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

  constructor(
    private readonly limit: number,
    private readonly prices: Prices,
  ) {}

  /** Sets aside what a request can cost at most; false, if that could go over the limit. */
  reserve(most: Usage): boolean {
    const cost = costOf(most, this.prices);
    if (this.spent + this.reserved + cost > this.limit) return false;
    this.reserved += cost;
    return true;
  }

  /** Puts what a request did cost in the place of what it could; `used` is absent where it came to nothing. */
  settle(most: Usage, used?: Usage): void {
    this.reserved -= costOf(most, this.prices);
    if (used) this.spend(used);
  }

  spend(used: Usage): void {
    this.spent += costOf(used, this.prices);
  }
}
