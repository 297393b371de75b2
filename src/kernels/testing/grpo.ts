import { scalar, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { GrpoLossOptions } from '../../losses/token-gradient';
import { grpoLoss } from '../interface';
import { tapeGradients } from './gradient';
import type { PlainGrpoInputs } from './plain-grpo';

export const plainOptions: GrpoLossOptions = {
  surrogate: 'clip',
  aggregation: 'token',
  importance: 'token',
  clipLow: 0.2,
  clipHigh: 0.2,
  sapoPositive: 1,
  sapoNegative: 1.05,
  beta: 0,
  kl: 'k3',
  normalizer: 1,
};

/** Runs grpoLoss and its gradient for logProbs on plain arrays. */
export function runGrpoLoss(inputs: PlainGrpoInputs, options: Partial<GrpoLossOptions>) {
  return tidy(() => {
    const floats = (values: ArrayLike<number>) => tensor1d(Float32Array.from(values));
    const logProbs = floats(inputs.logProbs);
    const rest = {
      oldLogProbs: floats(inputs.oldLogProbs),
      refLogProbs: inputs.refLogProbs ? floats(inputs.refLogProbs) : null,
      advantages: floats(inputs.advantages),
      mask: floats(inputs.mask),
      starts: tensor1d(Int32Array.from(inputs.starts), 'int32'),
    };
    let [loss, metrics]: [number, number[]] = [Number.NaN, []];
    const f = () => {
      const out = grpoLoss({ logProbs, ...rest }, { ...plainOptions, ...options });
      loss = out.loss.dataSync()[0];
      metrics = Array.from(out.metrics.dataSync());
      return out.loss;
    };
    const [gradient] = tapeGradients(f, [logProbs], scalar(1));
    return { loss, metrics, gradient: Array.from(gradient.dataSync()) };
  });
}

/** The same with one token per sequence and no masks: one advantage per token. */
export function runTokens(
  {
    logProbs,
    oldLogProbs,
    refLogProbs = null,
    advantages,
  }: Partial<PlainGrpoInputs> & Pick<PlainGrpoInputs, 'logProbs'>,
  options: Partial<GrpoLossOptions>,
) {
  const n = logProbs.length;
  const filled = (value: number) => Array.from({ length: n }, () => value);
  const starts = Array.from({ length: n + 1 }, (_, i) => i);
  return runGrpoLoss(
    {
      logProbs,
      oldLogProbs: oldLogProbs ?? logProbs,
      refLogProbs,
      advantages: advantages ?? filled(0),
      mask: filled(1),
      starts,
    },
    options,
  );
}
