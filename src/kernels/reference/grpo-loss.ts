import { scalar, tensor1d } from '@tensorflow/tfjs-core';
import { type GrpoLossOptions, tokenGradient } from '../../losses/token-gradient';
import type { Reference, References } from './kernel';

/** -> [loss [], dLogProbs [n], metrics [8]], by the definitions of src/losses. */
const grpoLoss: Reference<GrpoLossOptions> = (inputs, options) => {
  const { logProbs, oldLogProbs, refLogProbs, advantages, mask, starts } = inputs;
  if (options.beta !== 0 && !refLogProbs) throw new Error('A KL term needs the log-probabilities of the reference');
  const { loss, slopes, metrics } = tokenGradient(
    {
      logProbs: logProbs.dataSync(),
      oldLogProbs: oldLogProbs.dataSync(),
      refLogProbs: refLogProbs?.dataSync(),
      advantages: advantages.dataSync(),
      mask: mask.dataSync(),
      starts: starts.dataSync(),
    },
    options,
  );
  const { tokens, kl, clippedLow, clippedHigh, ratio } = metrics;
  const sums = tensor1d([tokens, kl, clippedLow, clippedHigh, ratio, 0, 0, 0]);
  return [scalar(loss), tensor1d(Float32Array.from(slopes)), sums];
};

export const grpoLossReferences: References = { GrpoLoss: grpoLoss };
