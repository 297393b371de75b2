import { useBackend } from '../../kernels/backends';
import * as model from '../../model/export';

export type { Exported, ExportFormat } from '../../model/export';

/** See model/export.ts. Adapters are merged with the embedded kernels, whatever the student was trained on. */
export async function exportStudent(...exported: Parameters<typeof model.exportStudent>): Promise<model.Exported> {
  await useBackend('embedded');
  return model.exportStudent(...exported);
}
