/**
 * Exact reimplementations of the GSM8K answer filters of EleutherAI's lm-evaluation-harness (task gsm8k, version 3.0),
 * including their weaknesses ("12.00" is not "12", "####18" is not found), so that results can be compared with
 * published ones.
 */

/** `strict-match`: the first "#### n" of a completion, or "[invalid]". */
export function strictMatch(completion: string): string {
  return /#### (-?[0-9.,]+)/.exec(completion)?.[1] ?? '[invalid]';
}

/** `flexible-extract`: the last number of a completion, by their definition of a number, or "[invalid]". */
export function flexibleExtract(completion: string): string {
  const last = [...completion.matchAll(/(-?[$0-9.,]{2,})|(-?[0-9]+)/g)].at(-1);
  return last?.[1] ?? last?.[2] ?? '[invalid]';
}

/**
 * Their `exact_match`: equal strings after removing commas, dollar signs, everything up to "#### " and one final
 * period, ignoring case.
 */
export function exactMatch(extracted: string, solution: string): boolean {
  return normalise(extracted) === normalise(solution);
}

function normalise(text: string): string {
  const plain = text.replace(/[,$]/g, '');
  const mark = plain.lastIndexOf('#### ');
  return plain
    .slice(mark < 0 ? 0 : mark + 5)
    .replace(/\.$/, '')
    .toLowerCase();
}
