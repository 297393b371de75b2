import { getKernel, registerKernel } from '@tensorflow/tfjs-core';
import { adamWReferences } from './adam-w';
import { adaptedLinearReferences } from './adapted-linear';
import { attendReferences } from './attend';
import { attendSharedReferences } from './attend-shared';
import { copySlotsReferences } from './copy-slots';
import { decodeStepReferences } from './decode-step';
import { embedReferences } from './embed';
import { gluReferences } from './glu';
import { grpoLossReferences } from './grpo-loss';
import { kernelFunc, type References } from './kernel';
import { packWeightReferences } from './pack-weight';
import { rmsNormReferences } from './rms-norm';
import { rotateReferences } from './rotate';
import { sampleTokenReferences } from './sample-token';
import { seededDropoutReferences } from './seeded-dropout';
import { sumSquaresReferences } from './sum-squares';
import { tokenLogProbsReferences } from './token-log-probs';

/** Every kernel of interface.ts, composed of tfjs operations. */
export const references: References = {
  ...embedReferences,
  ...rmsNormReferences,
  ...rotateReferences,
  ...gluReferences,
  ...seededDropoutReferences,
  ...adaptedLinearReferences,
  ...attendReferences,
  ...attendSharedReferences,
  ...tokenLogProbsReferences,
  ...sampleTokenReferences,
  ...grpoLossReferences,
  ...packWeightReferences,
  ...decodeStepReferences,
  ...copySlotsReferences,
  ...adamWReferences,
  ...sumSquaresReferences,
};

/** Registers the references with a backend, except for kernels that it already has (its accelerated ones). */
export function registerReferenceKernels(backendName: string): void {
  for (const [kernelName, reference] of Object.entries(references)) {
    if (getKernel(kernelName, backendName)) continue;
    registerKernel({ kernelName, backendName, kernelFunc: kernelFunc(reference) });
  }
}
