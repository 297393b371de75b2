/** The settings of answers, wherever they are asked for. */

export interface AnswerSettings {
  /** Longest answer, in tokens. */
  maxNewTokens: number;
  /** 0 means greedy. */
  temperature: number;
  seed: number;
}

/**
 * What was asked for, else the experiment's settings, else greedy. Several answers to one question are drawn with a
 * temperature, as greedy ones are all the same.
 */
export function answerSettings(
  { maxNewTokens, temperature, seed = 1, samples = 1 }: Partial<AnswerSettings> & { samples?: number },
  usual: Partial<AnswerSettings> = {},
): AnswerSettings {
  return {
    maxNewTokens: maxNewTokens ?? usual.maxNewTokens ?? 512,
    temperature: temperature ?? (samples > 1 ? 0.7 : (usual.temperature ?? 0)),
    seed,
  };
}
