import { distance } from 'fastest-levenshtein';

/** Names of these settings in other tools (TRL, verl, transformers, PEFT). */
const aliases: Record<string, string> = {
  lr: 'learningRate',
  epsilon: 'clipLow',
  epsilonlow: 'clipLow',
  epsilonhigh: 'clipHigh',
  sapotemperaturepos: 'sapoTemperature',
  sapotemperatureneg: 'sapoTemperature',
  adambeta1: 'beta1',
  adambeta2: 'beta2',
  adamepsilon: 'epsilon',
  eps: 'epsilon',
  optimizer: 'adam',
  klcoef: 'beta',
  losstype: 'loss',
  scalerewards: 'scale',
  numgenerations: 'group',
  groupsize: 'group',
  numiterations: 'iterations',
  maxcompletionlength: 'maxNewTokens',
  masktruncatedcompletions: 'maskTruncated',
  batchsize: 'batch',
  gradientaccumulationsteps: 'accumulation',
  warmupratio: 'warmup',
  lrschedulertype: 'schedule',
  steps: 'updates',
  epochs: 'updates',
  type: 'use',
  component: 'use',
  model: 'student',
  r: 'rank',
  lorar: 'rank',
  loraalpha: 'alpha',
  loradropout: 'dropout',
  targetmodules: 'targets',
  qproj: 'q',
  kproj: 'k',
  vproj: 'v',
  oproj: 'o',
  gateproj: 'gate',
  upproj: 'up',
  downproj: 'down',
  peft: 'lora',
};

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9+]/g, '');

/** The known name that was probably meant, or null. */
export function suggest(name: string, known: readonly string[]): string | null {
  const alias = aliases[plain(name)];
  if (alias && known.includes(alias)) return alias;
  let best: string | null = null;
  let least = Math.floor(plain(name).length * 0.4) + 1;
  for (const candidate of known) {
    const steps = distance(plain(name), plain(candidate));
    if (steps < least) [best, least] = [candidate, steps];
  }
  return best;
}
