/** The mark for right and wrong completions; undefined if not judged. */
export function verdictOf(
  correct: boolean | null,
): { said: 'right' | 'wrong'; mark: string; class: string } | undefined {
  if (correct === null) return undefined;
  return correct ? { said: 'right', mark: '✓', class: 'good' } : { said: 'wrong', mark: '✗', class: 'bad' };
}
