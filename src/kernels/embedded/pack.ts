import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WeightPrecision } from '../../engine-data/sampling';
import { kernelNames } from '../interface';
import { numberOf } from '../native/table';
import type { Call, EmbeddedBackend } from './backend';
import { registerEmbedded } from './register';

/** The weight [rows, k] in the format of kernels/pack.h. */
export function pack(call: Call, weight: TensorInfo, precision: WeightPrecision, backend: EmbeddedBackend): TensorInfo {
  const [rows, k] = weight.shape;
  const sizes = [rows, k, numberOf('precision', precision)] as const;
  const size = backend.output([1], 'int32');
  call.packed_size(size, ...sizes);
  const packed = backend.output([backend.values(size)[0]]);
  backend.disposeIntermediateTensorInfo(size);
  call.pack_weight(weight, packed, ...sizes);
  return packed;
}

registerEmbedded<{ precision: WeightPrecision }>(kernelNames.packWeight, (call, { weight }, { precision }, backend) =>
  pack(call, weight, precision, backend),
);
