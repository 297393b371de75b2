/**
 * Sends a gradient that we have computed: as a server's own loss, with weights or advantages chosen so that its
 * gradient is ours. Which loss is exact on a server can only be found by a probe (probe.ts), because servers of one API
 * normalize differently without documenting it.
 */
import type { Example } from '../../engine-data/examples';
import type { PassRow, TinkerLoss } from './wire';

/**
 * `cross_entropy`: -sum(weight x logProb), a plain sum. `importance_sampling`: -sum(advantage x exp(logProb -
 * logProbs)), whose derivative at the current log-probs is -advantage. `divided`: the server averages over each row's
 * weights and over rows.
 */
export interface Carrier {
  loss: TinkerLoss;
  divided: boolean;
}

/**
 * A completion as a server's row: every token but the last, with the next token as target. Prompt tokens have weight 0.
 */
export function rowOf({ prompt, completion }: Example): PassRow {
  const tokens = [...prompt, ...completion];
  const targets = tokens.slice(1);
  const weights = targets.map((_, i) => Number(i >= prompt.length - 1));
  return { tokens: tokens.slice(0, -1), targets, weights };
}

/**
 * Rows whose gradient is that of a loss with the derivatives dLoss / dLogProb at the completions' tokens. `logProbs`
 * are the current ones.
 */
export function carry(
  examples: readonly Example[],
  slopes: readonly ArrayLike<number>[],
  logProbs: readonly ArrayLike<number>[],
  carrier: Carrier,
): PassRow[] {
  return examples.map((example, i) => {
    const row = rowOf(example);
    const place = (values: ArrayLike<number>, scale: number) => {
      const out = row.targets.map(() => 0);
      for (let j = 0; j < example.completion.length; j++) out[example.prompt.length - 1 + j] = scale * values[j];
      return out;
    };
    if (carrier.loss === 'cross_entropy') return { ...row, weights: place(slopes[i], -1) };
    const scale = carrier.divided ? example.completion.length * examples.length : 1;
    return { ...row, logProbs: place(logProbs[i], 1), advantages: place(slopes[i], -scale) };
  });
}

/** The values of a row that belong to its completion. */
export const completionPart = ({ prompt, completion }: Example, values: Float32Array): Float32Array =>
  values.slice(prompt.length - 1, prompt.length - 1 + completion.length);
