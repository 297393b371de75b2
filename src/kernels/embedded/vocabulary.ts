import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Sampling } from '../../engine-data/sampling';
import { gradientKernelNames, kernelNames } from '../interface';
import type { EmbeddedBackend } from './backend';
import { registerEmbedded } from './register';
import { checkIds } from './rows';

/**
 * Logits of [n, vocab] per chunk (4 MB), so that the work space grows with neither. Each chunk packs its rows and its
 * part of the vocabulary again, so small chunks are slow; larger ones brought no gain.
 */
const mostRows = 1024;
const mostColumns = 1024;

/** Calls `compute` with temporary space for this many floats. */
function withSpace<T>(backend: EmbeddedBackend, floats: number, compute: (space: TensorInfo) => T): T {
  const space = backend.output([floats]);
  try {
    return compute(space);
  } finally {
    backend.disposeIntermediateTensorInfo(space);
  }
}

/** [logProbs, entropy, lse] */
registerEmbedded<{ temperature: number }>(kernelNames.tokenLogProbs, (call, inputs, { temperature }, backend) => {
  const { hidden, weight, ids } = inputs;
  const [n, d] = hidden.shape;
  const vocab = weight.shape[0];
  checkIds(backend.values(ids), vocab);
  const [logProbs, entropy, lse] = [backend.output([n]), backend.output([n]), backend.output([n])];
  const [rows, columns] = [Math.min(n, mostRows), Math.min(vocab, mostColumns)];
  withSpace(backend, rows * (columns + 1), (space) =>
    call.token_log_probs(hidden, weight, ids, logProbs, entropy, lse, space, n, d, vocab, temperature, rows, columns),
  );
  return [logProbs, entropy, lse];
});

/** [dHidden, dWeight]; a frozen weight has no gradient */
registerEmbedded<{ temperature: number; frozen?: boolean }>(
  gradientKernelNames.tokenLogProbs,
  (call, inputs, attrs, backend) => {
    const { dy, hidden, weight, ids, lse } = inputs;
    const [n, d] = hidden.shape;
    const vocab = weight.shape[0];
    checkIds(backend.values(ids), vocab);
    const [dHidden, dWeight] = [backend.output(hidden.shape), attrs.frozen ? null : backend.output(weight.shape)];
    const [rows, columns] = [Math.min(n, mostRows), Math.min(vocab, mostColumns)];
    const sizes = [n, d, vocab, attrs.temperature, rows, columns] as const;
    withSpace(backend, rows * columns, (space) =>
      call.token_log_probs_grad(dy, hidden, weight, ids, lse, dHidden, dWeight, space, ...sizes),
    );
    return dWeight ? [dHidden, dWeight] : [dHidden];
  },
);

/** [ids, logProbs] */
registerEmbedded<Sampling>(kernelNames.sampleToken, (call, { logits, uniforms }, sampling, backend) => {
  const [rows, vocab] = logits.shape;
  const { temperature, topK, topP, minP } = sampling;
  const [ids, logProbs] = [backend.output([rows], 'int32'), backend.output([rows])];
  withSpace(backend, rows * vocab, (space) =>
    call.sample_token(logits, uniforms, ids, logProbs, space, rows, vocab, temperature, topK, topP, minP),
  );
  return [ids, logProbs];
});
