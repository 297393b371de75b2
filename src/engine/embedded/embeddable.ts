/** Which students the embedded engine supports. */
import { holdsAdapter } from '../../student-files/adapter-base';
import { baseFolder, loadStudentConfig } from '../../student-files/folder';
import { holdsWeights } from '../../student-files/weights';

/** Whether the embedded engine supports this architecture. */
export function isEmbeddable(student: string): boolean {
  try {
    loadStudentConfig(student);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether an adapter trained on a server can be used here: it was downloaded, and its base is here with its weights.
 */
export const isAvailableHere = (student: string): boolean =>
  holdsAdapter(student) && isEmbeddable(student) && holdsWeights(baseFolder(student));
