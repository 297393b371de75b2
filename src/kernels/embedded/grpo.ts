import { type GrpoLossOptions, kernelNames } from '../interface';
import { checkStarts } from './attend';
import { registerEmbedded } from './register';

// The numbers of the enums in kernels/grpo.h.
const aggregations: readonly GrpoLossOptions['aggregation'][] = ['sequence', 'token'];
const importances: readonly GrpoLossOptions['importance'][] = ['token', 'sequence'];
const surrogates: readonly GrpoLossOptions['surrogate'][] = ['clip', 'cispo', 'sapo'];
const estimators: readonly GrpoLossOptions['kl'][] = ['k1', 'k2', 'k3', 'k3+'];

function numberOf<T extends string>(names: readonly T[], name: T): number {
  const number = names.indexOf(name);
  if (number < 0) throw new RangeError(`${name} is none of ${names.join(', ')}`);
  return number;
}

/** [loss, dLogProbs, metrics] */
registerEmbedded<GrpoLossOptions>(kernelNames.grpoLoss, (call, inputs, options, backend) => {
  const { logProbs, oldLogProbs, refLogProbs, advantages, mask, starts } = inputs;
  const { clipLow, clipHigh, beta, normalizer, sapoPositive, sapoNegative } = options;
  if (beta !== 0 && !refLogProbs) throw new Error('A KL term needs the log-probabilities of the reference');
  checkStarts(backend.values(starts), logProbs.shape[0]);
  const [loss, dLogProbs, metrics] = [backend.output([]), backend.output(logProbs.shape), backend.output([8])];
  const aggregation = numberOf(aggregations, options.aggregation);
  const importance = numberOf(importances, options.importance);
  const sizes = [advantages.shape[0], aggregation, importance, clipLow, clipHigh, beta];
  const given = [logProbs, oldLogProbs, refLogProbs, advantages, mask, starts];
  const policy = [numberOf(surrogates, options.surrogate), sapoPositive, sapoNegative];
  call.grpo_loss(...given, loss, dLogProbs, metrics, ...sizes, numberOf(estimators, options.kl), normalizer, ...policy);
  return [loss, dLogProbs, metrics];
});
