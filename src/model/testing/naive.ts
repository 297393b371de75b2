/** The decoder in plain double-precision loops over one sequence: the reference for tests. */
import { plainActivations } from '../../kernels/testing/plain';
import type { ModelConfig } from '../../student-files/config';
import type { RopeSettings } from '../../student-files/config-rope';
import { initialValues, type LayerWeight, layerName } from '../../student-files/parameters';
import { inverseFrequencies } from '../../student-files/rope';
import { type Model, modelFrom } from '../transformer';

/** A random model with weights large enough that every part affects the result. */
export function livelyModel(config: ModelConfig, seed: number): Model {
  return modelFrom(config, (name, shape) =>
    initialValues(config, name, shape, seed).map((value, i) => {
      if (name.endsWith('norm.weight')) return 1 - config.normOffset + 0.3 * Math.sin(i + name.length);
      return name.endsWith('.bias') ? Math.sin(i) : 8 * value;
    }),
  );
}

type Rows = number[][];

/** Logits [tokens][vocab], as defined by Hugging Face's modeling_llama, modeling_qwen3, modeling_gemma3 and others. */
export function naiveLogits(model: Model, tokens: readonly number[]): Rows {
  const { config, parameters } = model;
  const values = new Map([...parameters].map(([name, tensor]) => [name, tensor.arraySync() as Rows | number[]]));
  const matrix = (name: string) => values.get(name) as Rows;
  const vector = (name: string) => values.get(name) as number[] | undefined;
  const linear = (x: Rows, weight: string): Rows =>
    x.map((row) => matrix(`${weight}.weight`).map((out, j) => dot(row, out) + (vector(`${weight}.bias`)?.[j] ?? 0)));
  const norm = (x: Rows, name: string): Rows =>
    x.map((row) => {
      const scale = 1 / Math.sqrt(dot(row, row) / row.length + config.normEps);
      return row.map((value, i) => value * scale * (vector(name)![i] + config.normOffset));
    });
  const plus = (a: Rows, b: Rows): Rows => a.map((row, i) => row.map((value, j) => value + b[i][j]));

  let x: Rows = tokens.map((token) => matrix('model.embed_tokens.weight')[token].map((v) => v * config.embedScale));
  config.layerSpecs.forEach((spec, i) => {
    const layer = `model.layers.${i}`;
    const named = (weight: LayerWeight) => layerName(config, i, weight);
    const added = (given: Rows, weight: LayerWeight) => (spec.outputNorms ? norm(given, named(weight)) : given);
    const h = norm(x, named('inputNorm'));
    const prepared = (kind: 'q' | 'k') =>
      linear(h, `${layer}.self_attn.${kind}_proj`).map((row, position) =>
        split(row, config.headDim).map((head) => {
          const name = `${layer}.self_attn.${kind}_norm.weight`;
          const normed = spec.headNorm ? norm([head], name)[0] : head;
          return spec.rope === null ? normed : rotated(normed, position, config.ropes[spec.rope]);
        }),
      );
    const q = prepared('q');
    const k = prepared('k');
    const v = linear(h, `${layer}.self_attn.v_proj`).map((row) => split(row, config.headDim));
    const mixed = tokens.map((_, t) =>
      q[t].flatMap((query, head) => {
        const from = Math.floor((head * config.kvHeads) / config.heads);
        const first = Math.max(0, t + 1 - (spec.window ?? t + 1));
        const scores = k.slice(first, t + 1).map((keys) => Math.exp(dot(query, keys[from]) * config.attentionScale));
        const total = scores.reduce((sum, score) => sum + score, 0);
        return query.map((_, d) => scores.reduce((sum, score, s) => sum + (score / total) * v[first + s][from][d], 0));
      }),
    );
    x = plus(x, added(linear(mixed, `${layer}.self_attn.o_proj`), 'attentionOutputNorm'));
    const h2 = norm(x, named('mlpNorm'));
    const gate = linear(h2, `${layer}.mlp.gate_proj`);
    const up = linear(h2, `${layer}.mlp.up_proj`);
    const activation = plainActivations[spec.activation];
    const gated = gate.map((row, t) => row.map((value, j) => activation(value) * up[t][j]));
    x = plus(x, added(linear(gated, `${layer}.mlp.down_proj`), 'mlpOutputNorm'));
  });
  return linear(norm(x, 'model.norm.weight'), config.tied ? 'model.embed_tokens' : 'lm_head');
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function split(row: number[], size: number): Rows {
  return Array.from({ length: row.length / size }, (_, i) => row.slice(i * size, (i + 1) * size));
}

function rotated(head: number[], position: number, rope: RopeSettings): number[] {
  const half = head.length / 2;
  const frequencies = inverseFrequencies(head.length, rope);
  return head.map((value, i) => {
    const angle = position * frequencies[i % half];
    return i < half
      ? value * Math.cos(angle) - head[i + half] * Math.sin(angle)
      : value * Math.cos(angle) + head[i - half] * Math.sin(angle);
  });
}

/** log softmax(logits / temperature)[token] */
export function naiveLogProb(logits: readonly number[], token: number, temperature = 1): number {
  const scaled = logits.map((logit) => logit / temperature);
  const top = Math.max(...scaled);
  return scaled[token] - top - Math.log(scaled.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
}
