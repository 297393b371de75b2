/**
 * The loss of GRPO and its slopes for the episodes of a pass: sent to a Tinker server, which does not have our losses.
 */
import type { Episode } from '../../engine-data/examples';
import { type GrpoLossOptions, type GrpoMetrics, tokenGradient } from '../../losses/token-gradient';

export interface EpisodesGradient {
  loss: number;
  /** dLoss / dLogProb, one array for each episode. */
  slopes: Float64Array[];
  metrics: GrpoMetrics;
}

/** `logProbs` and `refLogProbs` (read when beta > 0) are those of each episode's tokens. */
export function episodesGradient(
  episodes: readonly Episode[],
  logProbs: readonly Float32Array[],
  refLogProbs: readonly Float32Array[] | null,
  options: GrpoLossOptions,
): EpisodesGradient {
  const starts = [0];
  for (const { completion } of episodes) starts.push(starts[starts.length - 1] + completion.length);
  const flat = (rows: readonly ArrayLike<number>[]) => Float64Array.from(rows.flatMap((row) => Array.from(row)));
  const { loss, slopes, metrics } = tokenGradient(
    {
      logProbs: flat(logProbs),
      oldLogProbs: flat(episodes.map((episode) => episode.logProbs)),
      refLogProbs: refLogProbs && flat(refLogProbs),
      advantages: episodes.map(({ advantage }) => advantage),
      mask: flat(episodes.map(({ masked, completion }) => completion.map(() => Number(!masked)))),
      starts,
    },
    options,
  );
  return { loss, slopes: episodes.map((_, i) => slopes.slice(starts[i], starts[i + 1])), metrics };
}
