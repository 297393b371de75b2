import { type BackendName, useBackend } from '../backends';

/** The backends that the kernels are tested on; the first is what the others are compared with. */
export const backendNames = ['cpu', 'embedded', 'embedded-wasm'] as const satisfies BackendName[];

export async function switchTo(name: BackendName): Promise<void> {
  await useBackend(name);
}
