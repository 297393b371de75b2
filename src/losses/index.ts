/** The policy losses, by TRL's names: for the experiment's schema, its findings, and every engine. */
import * as cispo from './cispo';
import * as clip from './clip';
import type { Loss, Surrogate } from './loss';
import * as sapo from './sapo';

const families = { clip, cispo, sapo };

export type SurrogateName = keyof typeof families;
type OfAny<F> = F extends { losses: infer L } ? keyof L : never;
export type LossType = OfAny<(typeof families)[SurrogateName]>;

const entries = Object.entries(families) as [SurrogateName, { surrogate: Surrogate; losses: Record<string, Loss> }][];

export const surrogates = Object.fromEntries(entries.map(([name, { surrogate }]) => [name, surrogate])) as Record<
  SurrogateName,
  Surrogate
>;
export const surrogateNames = entries.map(([name]) => name);

/** Every loss, with its surrogate. */
export const losses = Object.fromEntries(
  entries.flatMap(([surrogate, family]) =>
    Object.entries(family.losses).map(([name, loss]) => [name, { ...loss, surrogate }]),
  ),
) as Record<LossType, Loss & { surrogate: SurrogateName }>;
export const lossNames = Object.keys(losses) as LossType[];
