/**
 * Twins of the GSM8K answer filters of EleutherAI's lm-evaluation-harness (task gsm8k, version 3.0), letter by letter
 * and with their weaknesses ("12.00" is not "12", "####18" is not found), so that our tables can stand beside published
 * ones.
 */

/** `strict-match`: the first "#### n" of a completion, or "[invalid]". */
export function strictMatch(completion: string): string {
  return /#### (-?[0-9.,]+)/.exec(completion)?.[1] ?? '[invalid]';
}

/** `flexible-extract`: the last number of a completion, in their sense of a number, or "[invalid]". */
export function flexibleExtract(completion: string): string {
  const last = [...completion.matchAll(/(-?[$0-9.,]{2,})|(-?[0-9]+)/g)].at(-1);
  return last?.[1] ?? last?.[2] ?? '[invalid]';
}

/**
 * Their `exact_match`: equal strings after commas, dollars, all up to "#### " and one last point are taken out, case
 * ignored.
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
