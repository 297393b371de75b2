/** One validation: greedy answers on the held-out slice of train. */
export interface Validation {
  /** Updates made before it, counted within the stage. */
  step: number;
  accuracy: number;
  meanTokens: number;
}

/** The best validation so far and the highest accuracy; saved in checkpoints. */
export interface SelectionState {
  best: Validation | null;
  topAccuracy: number;
}

/**
 * Records a validation and returns whether it is the new best: highest accuracy first, then fewest tokens, where
 * accuracies within `tolerance` of the highest count as equal (a few hundred rows cannot tell them apart). Never uses
 * test rows.
 */
export function select(
  selection: SelectionState,
  check: Validation,
  tolerance: number,
): { selection: SelectionState; improved: boolean } {
  const topAccuracy = Math.max(selection.topAccuracy, check.accuracy);
  const { best } = selection;
  const eligible = (one: Validation) => one.accuracy >= topAccuracy - tolerance - 1e-9;
  const shorter = (one: Validation, other: Validation) =>
    one.meanTokens < other.meanTokens || (one.meanTokens === other.meanTokens && one.accuracy > other.accuracy);
  const improved = best === null || (eligible(check) && (!eligible(best) || shorter(check, best)));
  return { selection: { best: improved ? check : best, topAccuracy }, improved };
}
