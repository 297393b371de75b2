import { UserError } from '../errors';

/** Names the student, by where it was loaded from, in the error of a student whose output is not a number. */
export async function namingStudent<T>(path: string, sampling: Promise<T>): Promise<T> {
  try {
    return await sampling;
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'diverged' || error.file !== undefined) throw error;
    const { message, code, remedy } = error;
    throw new UserError(message, { file: path, code, remedy, cause: error });
  }
}
