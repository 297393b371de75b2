/** A sampled completion. Its end token, the last token if it is finished, is not part of the text. */
interface SampledTokens {
  tokens: readonly number[];
  /** Whether the end token was sampled. */
  finished: boolean;
}

const end = (finished: boolean) => (finished ? -1 : undefined);

export const withoutEnd = ({ tokens, finished }: SampledTokens): number[] => tokens.slice(0, end(finished));

/** In tokens. */
export const completionLength = ({ tokens, finished }: SampledTokens): number => tokens.length - Number(finished);

/** Joined from its tokens, so that places in it map to tokens. */
export const completionText = ({
  tokenTexts,
  finished,
}: {
  tokenTexts: readonly string[];
  finished: boolean;
}): string => tokenTexts.slice(0, end(finished)).join('');
