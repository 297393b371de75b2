import { type BackendName, useBackend } from '../backends';
import { readInstalled, tensorFlowFolder } from '../tensorflow/installed';

/**
 * The backends that the kernels are tested on; the first is what the others are compared with. TensorFlow is one of
 * them where DISTILLERY_TENSORFLOW names a set-up (`npm run test:tensorflow`).
 */
export const backendNames: readonly BackendName[] = [
  ...(['cpu', 'embedded', 'embedded-wasm'] as const),
  ...(tensorFlowIsSetUp() ? (['tensorflow'] as const) : []),
];

export function tensorFlowIsSetUp(): boolean {
  return Boolean(process.env.DISTILLERY_TENSORFLOW) && readInstalled(tensorFlowFolder()) !== null;
}

/** Where whole programs are tested: TensorFlow when it is what is being tested, else the embedded one. */
export const testedBackend: BackendName = tensorFlowIsSetUp() ? 'tensorflow' : 'embedded';

export async function switchTo(name: BackendName): Promise<void> {
  await useBackend(name);
}
