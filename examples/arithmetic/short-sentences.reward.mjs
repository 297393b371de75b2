// A reward in code (docs/rewards.md): from 0 to 1 for sentences of at most `most` words.

/** Lowest and highest value, for the checks of the reward file. */
export const range = [0, 1];

/** @type {import('distillery/rewards').RewardFunction<{ most: number }>} */
export default function shortSentences({ text }, { options }) {
  const sentences = text.split(/[.!?]\s+|\n/).filter((sentence) => sentence.trim() !== '');
  if (sentences.length === 0) return null; // does not apply to an empty completion
  const short = sentences.filter((sentence) => sentence.trim().split(/\s+/).length <= options.most);
  return short.length / sentences.length;
}
