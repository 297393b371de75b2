/**
 * Runs the decoder layer on counts instead of tensors, to find what the tape saves for the backward pass (inputsToSave
 * and outputsToSave in kernels/gradients.ts, and in tfjs's own operations).
 */
import type { Learner } from '../../engine-data/memory';
import { decoderLayer, type LayerOps } from '../../kernels/layer';
import type { ModelConfig } from '../../student-files/config';
import type { LayerSpec } from '../../student-files/layer-spec';
import { layerShapes } from '../../student-files/parameters';

/**
 * The number of elements of a tensor. Each operation returns an object of its own, so that a tensor saved twice counts
 * once.
 */
interface TensorSize {
  numbers: number;
}

/** Elements of each tensor that a layer saves for `tokens` tokens. */
export function savedByLayer(
  { config, lora }: { config: ModelConfig; lora: Learner['lora'] },
  spec: LayerSpec,
  tokens: number,
): number[] {
  const shapes = layerShapes(config, spec);
  const saved = new Set<TensorSize>();
  const save = (...tensors: TensorSize[]) => {
    for (const one of tensors) saved.add(one);
  };
  const rows = (width: number): TensorSize => ({ numbers: tokens * width });
  const like = ({ numbers }: TensorSize): TensorSize => ({ numbers });
  /** An elementwise operation that saves its input. */
  const saving = (...inputs: TensorSize[]): TensorSize => {
    save(...inputs);
    return like(inputs[0]);
  };
  const ops: LayerOps<TensorSize> = {
    norm: (x) => {
      save(rows(1)); // 1/rms
      return saving(x);
    },
    headNorm: (x) => {
      save({ numbers: x.numbers / config.headDim });
      return saving(x);
    },
    linear: (x, weight) => {
      save(x);
      if (lora?.targets.includes(weight)) save(rows(lora.rank));
      return rows(shapes[weight]![0]);
    },
    addBias: (x) => saving(x),
    rotate: (x) => like(x), // the gradient needs the positions alone
    attend: (q, k, v) => {
      const out = like(q);
      save(q, k, v, out, rows(config.heads)); // and the log-sum-exp
      return out;
    },
    glu: (gate, up) => saving(gate, up),
    residual: (stream, given) => saving(stream, given),
  };
  decoderLayer(rows(config.hiddenSize), spec, ops);
  return [...saved].map(({ numbers }) => numbers);
}
