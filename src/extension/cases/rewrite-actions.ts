import type { CaseRewrite } from '../../cases/rewrites';

/** Which rewrites can be accepted, edited or rejected. */
export const canBe = {
  accepted: ({ verdict, correct }: CaseRewrite) => verdict !== 'accepted' && verdict !== 'edited' && correct,
  edited: () => true,
  rejected: ({ verdict }: CaseRewrite) => verdict !== 'rejected',
};
