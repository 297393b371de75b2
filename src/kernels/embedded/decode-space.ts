/** Tokens per pass through the layers, which bounds the temporary space of a prefill. */
const chunkTokens = 512;

interface Widths {
  hidden: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  inner: number;
}

/** How many of these new tokens a pass takes, and the floats of temporary space for it (kernels/decode.h). */
export function decodeSpace({ hidden, heads, kvHeads, headDim, inner }: Widths, tokens: number, rows: number) {
  const chunk = Math.min(tokens, chunkTokens);
  const eachToken = 2 * (hidden + (heads + kvHeads) * headDim + inner + 1);
  return { chunk, floats: chunk * eachToken + 2 * rows * hidden };
}
