/** Students of families that the embedded engine does not support, as far as their files describe them. */
import { join } from 'node:path';
import { describedParameters } from '../config/student-size';
import { UserError } from '../errors';
import { isJsonObject, readJsonObject } from './files';
import { baseFolder, loadStudentConfig } from './folder';
import { ggufAt } from './gguf/student';
import { holdsWeights, openWeights } from './weights';

export interface OtherFamily {
  /** The field of config.json that the embedded engine does not support, with its value. */
  reason: string;
  /** The longest sequence; infinite where config.json names none. */
  positions: number;
  /** The number of parameters; without weights, approximately, and null where config.json does not have the sizes. */
  parameters: number | null;
}

/**
 * Null for a student of the embedded engine's families. GGUF files are refused, as no other engine reads them.
 * @throws UserError when the student's files are missing or damaged, or nothing reads them
 */
export function otherFamily(student: string): OtherFamily | null {
  try {
    loadStudentConfig(student);
    return null;
  } catch (error) {
    const folder = baseFolder(student);
    if (!(error instanceof UserError) || error.code !== 'architecture' || ggufAt(folder) !== null) throw error;
    const [reason] = error.message.split(';');
    return { reason, positions: positionsOf(folder), parameters: parametersIn(folder) };
  }
}

/** Models of several kinds of input have the settings of their texts in `text_config`. */
function positionsOf(folder: string): number {
  const json = readJsonObject(join(folder, 'config.json'));
  const found = [json, json.text_config]
    .filter(isJsonObject)
    .flatMap(({ max_position_embeddings: usual, n_positions: gpt2, max_seq_len: mpt }) => [usual, gpt2, mpt])
    .find((positions) => Number.isSafeInteger(positions) && (positions as number) > 0);
  return (found as number | undefined) ?? Number.POSITIVE_INFINITY;
}

function parametersIn(folder: string): number | null {
  if (!holdsWeights(folder)) return describedParameters(folder);
  const weights = openWeights(folder);
  weights.close();
  const sizes = [...weights.tensors.values()].map(({ shape }) => shape.reduce((size, width) => size * width, 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}
