import { type CaseRewrite, isApproved } from '../../cases/rewrites';

/** Which rewrites can be accepted, edited or rejected. */
export const canBe = {
  accepted: (rewrite: CaseRewrite) => !isApproved(rewrite) && rewrite.correct,
  edited: () => true,
  rejected: ({ verdict }: CaseRewrite) => verdict !== 'rejected',
};
