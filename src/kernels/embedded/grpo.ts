import type { GrpoLossOptions } from '../../losses/token-gradient';
import { kernelNames } from '../interface';
import { numberOf } from '../native/table';
import { checkStarts } from './attend';
import { registerEmbedded } from './register';

/** [loss, dLogProbs, metrics] */
registerEmbedded<GrpoLossOptions>(kernelNames.grpoLoss, (call, inputs, options, backend) => {
  const { logProbs, oldLogProbs, refLogProbs, advantages, mask, starts } = inputs;
  const { clipLow, clipHigh, beta, normalizer, sapoPositive, sapoNegative } = options;
  if (beta !== 0 && !refLogProbs) throw new Error('A KL term needs the log-probabilities of the reference');
  checkStarts(backend.values(starts), logProbs.shape[0]);
  const [loss, dLogProbs, metrics] = [backend.output([]), backend.output(logProbs.shape), backend.output([8])];
  const aggregation = numberOf('aggregation', options.aggregation);
  const importance = numberOf('importance', options.importance);
  const sizes = [advantages.shape[0], aggregation, importance, clipLow, clipHigh, beta] as const;
  const given = [logProbs, oldLogProbs, refLogProbs, advantages, mask, starts] as const;
  const policy = [numberOf('surrogate', options.surrogate), sapoPositive, sapoNegative] as const;
  call.grpo_loss(...given, loss, dLogProbs, metrics, ...sizes, numberOf('kl', options.kl), normalizer, ...policy);
  return [loss, dLogProbs, metrics];
});
