/**
 * The decoder layer computed on counts instead of tensors: what the tape keeps of it for the backward pass
 * (inputsToSave and outputsToSave of kernels/gradients.ts, and of tfjs's own operations).
 */
import type { Learner } from '../../engine-data/memory';
import { decoderLayer, type LayerOps } from '../../kernels/layer';
import type { ModelConfig } from '../../student-files/config';
import type { LayerSpec } from '../../student-files/layer-spec';
import { layerShapes } from '../../student-files/parameters';

/** How many numbers a tensor has. Each operation gives an object of its own: what is saved twice counts once. */
interface Counted {
  numbers: number;
}

/** Numbers of each tensor that a layer keeps when `tokens` tokens go through it. */
export function savedByLayer(
  { config, lora }: { config: ModelConfig; lora: Learner['lora'] },
  spec: LayerSpec,
  tokens: number,
): number[] {
  const shapes = layerShapes(config, spec);
  const saved = new Set<Counted>();
  const save = (...tensors: Counted[]) => {
    for (const one of tensors) saved.add(one);
  };
  const rows = (width: number): Counted => ({ numbers: tokens * width });
  const like = ({ numbers }: Counted): Counted => ({ numbers });
  /** An operation on each element that saves what it is given. */
  const saving = (...inputs: Counted[]): Counted => {
    save(...inputs);
    return like(inputs[0]);
  };
  const ops: LayerOps<Counted> = {
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
