import { type CaseRewrite, isAccepted } from '../../cases/rewrites';

/** Which rewrites can be accepted, edited or rejected. */
export const canBe = {
  accepted: (rewrite: CaseRewrite) => !isAccepted(rewrite) && rewrite.correct,
  edited: () => true,
  rejected: ({ verdict }: CaseRewrite) => verdict !== 'rejected',
};
