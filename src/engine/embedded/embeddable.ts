/** Which students on disk the embedded engine computes. */
import { holdsAdapter } from '../../student-files/adapter-base';
import { baseFolder, loadStudentConfig } from '../../student-files/folder';
import { holdsWeights } from '../../student-files/weights';

/** Whether the embedded engine computes students of this architecture. */
export function isEmbeddable(student: string): boolean {
  try {
    loadStudentConfig(student);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether an adapter that a server trained can be computed here: it was brought home, and its base lies here with its
 * weights.
 */
export const isAtHome = (student: string): boolean =>
  holdsAdapter(student) && isEmbeddable(student) && holdsWeights(baseFolder(student));
