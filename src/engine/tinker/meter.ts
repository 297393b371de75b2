/** Counts the tokens that a server charges for, and what they cost at the user's prices. */
import { UserError } from '../../errors';
import { pricesSchema, type Spent, type TokenPrices } from '../../spent';

const remedy = 'Give all of prompt, sampled and trained as prices per million tokens, and limit if you wish.';

/** From `prompt=0.4,sampled=1.2,trained=1.2,limit=20`; undefined if empty. */
export function parsePrices(text: string | undefined, variable: string): TokenPrices | undefined {
  if (!text?.trim()) return undefined;
  const entries = text.split(',').map((part) => {
    const [name, value] = part.split('=').map((word) => word.trim());
    return [name, value ? Number(value) : Number.NaN];
  });
  const read = pricesSchema.safeParse(Object.fromEntries(entries));
  if (read.success) return read.data;
  throw new UserError(`${variable} has no prices: ${text}`, { code: 'config', remedy });
}

const kinds = ['prompt', 'sampled', 'trained'] as const;
type Kind = (typeof kinds)[number];
type Tokens = Record<Kind, number>;

const none: Tokens = { prompt: 0, sampled: 0, trained: 0 };

export class Meter {
  private readonly tokens = { ...none };
  /** Used by the run in earlier sessions; its money is at the prices of that time. */
  private before: Spent = none;

  constructor(private readonly prices?: TokenPrices) {}

  count(kind: Kind, tokens: number): void {
    this.tokens[kind] += tokens;
  }

  continueFrom(before: Spent): void {
    this.before = before;
  }

  get spent(): Spent {
    const { prices, tokens, before } = this;
    const spent = sumOf(before, tokens);
    const open = before.money === undefined ? before : (before.unpriced ?? none);
    if (prices) return { ...spent, money: (before.money ?? 0) + costOf(open, prices) + costOf(tokens, prices) };
    if (before.money === undefined) return spent;
    return { ...spent, money: before.money, unpriced: sumOf(open, tokens) };
  }

  /** Called before work that costs money. @throws UserError once the limit is reached */
  check(): void {
    const limit = this.prices?.limit;
    const { money = 0 } = this.spent;
    if (limit === undefined || money < limit) return;
    throw new UserError(`the limit of ${limit} for the Tinker server is reached: ${money.toFixed(2)} spent`, {
      code: 'config',
      remedy: 'Raise the limit, then resume the run from its newest checkpoint.',
    });
  }
}

const sumOf = (a: Tokens, b: Tokens): Tokens => ({
  prompt: a.prompt + b.prompt,
  sampled: a.sampled + b.sampled,
  trained: a.trained + b.trained,
});

const costOf = (tokens: Tokens, prices: TokenPrices) =>
  kinds.reduce((sum, kind) => sum + tokens[kind] * prices[kind], 0) / 1e6;
