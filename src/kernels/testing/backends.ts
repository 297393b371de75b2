import { type BackendName, useBackend } from '../backends';
import { readInstalled, tensorFlowFolder } from '../tensorflow/installed';

/**
 * The backends under test; the others are compared with the first. TensorFlow is included if DISTILLERY_TENSORFLOW
 * names a setup (`npm run test:tensorflow`).
 */
export const backendNames: readonly BackendName[] = [
  ...(['cpu', 'embedded', 'embedded-wasm'] as const),
  ...(tensorFlowIsSetUp() ? (['tensorflow'] as const) : []),
];

export function tensorFlowIsSetUp(): boolean {
  return Boolean(process.env.DISTILLERY_TENSORFLOW) && readInstalled(tensorFlowFolder()) !== null;
}

/** The backend for tests of whole programs: TensorFlow if that is under test, else the embedded one. */
export const testedBackend: BackendName = tensorFlowIsSetUp() ? 'tensorflow' : 'embedded';

export async function switchTo(name: BackendName): Promise<void> {
  await useBackend(name);
}
