/** What a run has used of a server that charges by the token: counts, money, and text for people. */
import * as z from 'zod';

const count = z.number().int().nonnegative();

const tokens = {
  /** Read without a gradient: prompts of samples, and texts that are scored. */
  prompt: count,
  sampled: count,
  trained: count,
};

/**
 * Tokens by kind since the run was started; `money` if prices are known, in their currency. `unpriced` are those of
 * these tokens that `money` leaves out, as no prices were set when they were used.
 */
export const spentSchema = z.object({
  ...tokens,
  money: z.number().nonnegative().optional(),
  unpriced: z.object(tokens).optional(),
});
export type Spent = z.output<typeof spentSchema>;

const price = z.number().nonnegative();

/** Per million tokens, in any currency; `limit` in the same one. */
export const pricesSchema = z.strictObject({
  prompt: price,
  sampled: price,
  trained: price,
  limit: z.number().positive().optional(),
});
export type TokenPrices = z.output<typeof pricesSchema>;

const short = (tokens: number) => (tokens < 1e6 ? `${(tokens / 1e3).toFixed(1)}k` : `${(tokens / 1e6).toFixed(1)}M`);

/** `12.3k prompt, 4.5k sampled, 20.1k trained tokens, 1.24 spent`. */
export function spentText(spent: Spent): string {
  const { prompt, sampled, trained } = spent;
  const used = `${short(prompt)} prompt, ${short(sampled)} sampled, ${short(trained)} trained tokens`;
  return spent.money === undefined ? used : `${used}, ${moneyText(spent.money, spent)}`;
}

const moneyText = (money: number, { unpriced }: Spent) => `${unpriced ? 'at least ' : ''}${money.toFixed(2)} spent`;

/** A phase of updates: what was spent when it began or was first seen, and its updates since then and to come. */
export interface Share {
  before: Spent | undefined;
  done: number;
  left: number;
}

/** `1.24 spent, about 3.10 more in this phase`; without prices `36.9k tokens`. */
export function spendingText(spent: Spent, { before, done, left }: Share): string {
  const { prompt, sampled, trained, money } = spent;
  if (money === undefined) return `${short(prompt + sampled + trained)} tokens`;
  const said = moneyText(money, spent);
  if (before?.money === undefined || spent.unpriced || done <= 0 || left === 0) return said;
  return `${said}, about ${(((money - before.money) / done) * left).toFixed(2)} more in this phase`;
}
