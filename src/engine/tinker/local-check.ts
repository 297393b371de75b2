/** Checks that a downloaded adapter gives the same log-probs here as on the server. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Example } from '../../engine-data/examples';
import { UserError } from '../../errors';
import { useBackend } from '../../kernels/backends';
import { fingerprint } from '../../model/fingerprint';
import { loadModel } from '../../model/hf-folder';
import { readAdapter } from '../../model/lora-files';
import { mean } from '../../statistics';
import { baseFolder } from '../../student-files/folder';
import { isAvailableHere } from '../embedded/embeddable';
import { EmbeddedStudent } from '../embedded/student';

/**
 * Four rows suffice: an adapter of which PEFT loads only a half is off by nats at every token (docs/cluster.md).
 * Their ids are in every vocabulary.
 */
const rowsToCompare: readonly Example[] = Array.from({ length: 4 }, (_, row) => {
  const ids = Array.from({ length: 16 }, (_, i) => 5 + ((7 * i + 13 * row) % 90));
  return { prompt: ids.slice(0, 4), completion: ids.slice(4) };
});

/** Mean difference in nats per token; half precision explains less. */
const tolerance = 0.05;
/** Maximum size of a base's weights; a bigger base is not loaded for four rows. */
const mostBytes = 4e9;

/**
 * Compares log-probs of `rowsToCompare` under the adapter in `folder` with the server's, which `ask` returns. Skipped
 * if they cannot be computed here: the base's weights are missing, too big, or of a family that the embedded engine
 * does not support.
 * @throws UserError when they differ
 */
export async function checkLocally(
  folder: string,
  ask: (rows: readonly Example[]) => Promise<Float32Array[]>,
): Promise<void> {
  if (!isAvailableHere(folder)) return;
  const base = baseFolder(folder);
  if (weightBytes(base) > mostBytes) return;
  const expected = await ask(rowsToCompare);
  await useBackend('embedded');
  const model = loadModel(base);
  const student = new EmbeddedStudent(model, folder, () => {});
  try {
    model.adapter = readAdapter(folder, model.config, { path: base, fingerprint: fingerprint(model.parameters) });
    const found = await student.logProbs(rowsToCompare, { microBatchTokens: 1024 });
    const apart = found.flatMap(({ logProbs }, row) => Array.from(logProbs, (value, i) => value - expected[row][i]));
    const difference = mean(apart.map(Math.abs));
    if (difference <= tolerance) return;
    throw new UserError(`it computes differently here: log-probs differ by ${difference.toFixed(2)} nats`, {
      code: 'checkpoint',
      remedy: 'The weights on the server are intact: use them there.',
    });
  } finally {
    await student.dispose();
  }
}

function weightBytes(folder: string): number {
  const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
  return files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
