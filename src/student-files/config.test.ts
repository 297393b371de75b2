import { expect, it } from 'vitest';
import { UserError } from '../errors';
import { thrown } from '../testing/errors';
import { modelConfigJson, parseModelConfig } from './config';
import { parameterCount } from './parameters';
import { inverseFrequencies, ropeValues } from './rope';
import { tinyConfig } from './testing/tiny';

// What the models' published config.json say, without the fields that do not matter here.
const qwen25 = {
  model_type: 'qwen2',
  hidden_act: 'silu',
  hidden_size: 896,
  intermediate_size: 4864,
  max_position_embeddings: 32768,
  max_window_layers: 24,
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000,
  sliding_window: 32768,
  tie_word_embeddings: true,
  use_sliding_window: false,
  vocab_size: 151936,
  eos_token_id: 151643,
};
const llama32 = {
  model_type: 'llama',
  attention_bias: false,
  head_dim: 64,
  hidden_act: 'silu',
  hidden_size: 2048,
  intermediate_size: 8192,
  max_position_embeddings: 131072,
  mlp_bias: false,
  num_attention_heads: 32,
  num_hidden_layers: 16,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  rope_scaling: {
    factor: 32,
    high_freq_factor: 4,
    low_freq_factor: 1,
    original_max_position_embeddings: 8192,
    rope_type: 'llama3',
  },
  rope_theta: 500000,
  tie_word_embeddings: true,
  vocab_size: 128256,
  bos_token_id: 128000,
  eos_token_id: [128001, 128008, 128009],
};

it('reads Qwen2.5-0.5B and counts its parameters', () => {
  const config = parseModelConfig(qwen25);
  expect(config).toMatchObject({
    headDim: 64,
    layerSpecs: Array.from({ length: 24 }, () => ({ qkvBias: true, headNorm: false, window: null })),
    tied: true,
    ropes: [{ ropeTheta: 1e6, ropeScaling: null }],
    eosIds: [151643],
  });
  expect(parameterCount(config)).toBe(494_032_768); // the model card's 0.49 B
});

it('reads Llama-3.2-1B with its scaled RoPE', () => {
  const config = parseModelConfig(llama32);
  expect(config.eosIds).toEqual([128001, 128008, 128009]);
  expect(parameterCount(config)).toBe(1_235_814_400); // 1.23 B
  const scaled = inverseFrequencies(config.headDim, config.ropes[0]);
  const plain = inverseFrequencies(config.headDim, { ...config.ropes[0], ropeScaling: null });
  expect(scaled[0]).toBe(1); // short waves are kept
  expect(scaled[31]).toBeCloseTo(plain[31] / 32, 12); // long ones stretched
  for (let i = 0; i < 32; i++) {
    const wavelength = (2 * Math.PI) / plain[i];
    if (wavelength > 8192 / 4 && wavelength < 8192) {
      const smooth = (8192 / wavelength - 1) / 3;
      expect(scaled[i]).toBeCloseTo(((1 - smooth) * plain[i]) / 32 + smooth * plain[i], 9);
    }
  }
});

it('reads the rope_parameters of transformers 5 like the two older fields', () => {
  const { rope_theta, rope_scaling, ...rest } = llama32;
  const newer = parseModelConfig({ ...rest, rope_parameters: { ...rope_scaling, rope_theta } });
  expect({ ...newer, json: null }).toEqual({ ...parseModelConfig(llama32), json: null });
});

it('divides frequencies by the factor of linear scaling', () => {
  const scaled = parseModelConfig(tinyConfig('llama', { rope_scaling: { type: 'linear', factor: 4 } }));
  const { cos } = ropeValues(scaled.headDim, scaled.ropes[0], 5);
  expect(cos[4 * 3]).toBeCloseTo(Math.cos(1), 6); // position 4, first frequency 1/4
});

it('leaves frequencies alone that are stretched beyond max_position_embeddings only', () => {
  const dynamic = parseModelConfig(tinyConfig('llama', { rope_scaling: { type: 'dynamic', factor: 2 } }));
  expect(dynamic.ropes).toEqual(parseModelConfig(tinyConfig('llama')).ropes);
});

it('scales attention by what a YaRN config says, or by its factor', () => {
  const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 };
  const scaleOf = (more: object) => {
    const config = parseModelConfig(tinyConfig('llama', { rope_scaling: { ...yarn, ...more } }));
    return ropeValues(config.headDim, config.ropes[0], 1).cos[0]; // position 0: cos 0 = 1
  };
  expect(scaleOf({})).toBeCloseTo(0.1 * Math.log(4) + 1, 6);
  expect(scaleOf({ attention_factor: 1.5 })).toBe(1.5);
  expect(scaleOf({ mscale: 1, mscale_all_dim: 1 })).toBe(1);
});

it('fills absent fields as transformers does', () => {
  const { num_key_value_heads, head_dim, ...rest } = tinyConfig('llama');
  expect(parseModelConfig(rest)).toMatchObject({ kvHeads: 4, headDim: 6 });
  expect(num_key_value_heads).toBe(2);
  expect(head_dim).toBe(6);
});

it('writes back every field it read, known or not, and the stored type', () => {
  const json = tinyConfig('qwen3', { a_new_field: { nested: [1, null] }, dtype: 'bfloat16' });
  expect(modelConfigJson(parseModelConfig(json), 'float16')).toEqual({
    ...json,
    dtype: 'float16',
    torch_dtype: 'float16',
  });
});

it.each([
  [{ model_type: 'mixtral' }, /model_type is "mixtral"/],
  [{ model_type: undefined }, /model_type is missing/],
  [{ hidden_size: undefined }, /hidden_size is missing/],
  [{ hidden_size: 'large' }, /hidden_size is "large"/],
  [{ hidden_size: -24 }, /hidden_size is -24/],
  [{ num_hidden_layers: 1.5 }, /num_hidden_layers is 1.5/],
  [{ num_key_value_heads: 3 }, /num_key_value_heads is 3/],
  [{ head_dim: 5 }, /head_dim is 5/],
  [{ head_dim: undefined, num_attention_heads: 5, num_key_value_heads: 5 }, /hidden_size is 24/],
  [{ hidden_act: 'gelu' }, /hidden_act is "gelu"/],
  [{ mlp_bias: true }, /mlp_bias is true/],
  [{ attention_bias: true }, /attention_bias is true/],
  [{ partial_rotary_factor: 0.5 }, /partial_rotary_factor is 0.5/],
  [{ num_experts: 8 }, /num_experts is 8/],
  [{ quantization_config: { bits: 4, quant_method: 'awq' } }, /quantized \(quantization_config, awq\)/],
  [{ rope_scaling: { rope_type: 'longrope', short_factor: [1] } }, /rope_scaling.rope_type is "longrope"/],
  [{ rope_scaling: { type: 'yarn' } }, /rope_scaling.factor is missing/],
  [{ rope_scaling: { rope_type: 'linear' } }, /rope_scaling.factor is missing/],
  [{ rope_parameters: { rope_type: 'mrope', rope_theta: 1 } }, /rope_parameters.rope_type is "mrope"/],
  [{ rope_theta: 0 }, /rope_theta is 0/],
  [{ layer_types: ['full_attention', 'linear_attention'] }, /layer_types is/],
  [{ layer_types: ['sliding_attention'], sliding_window: 'wide' }, /sliding_window is "wide"/],
  [{ eos_token_id: 'end' }, /eos_token_id is "end"/],
])('refuses %j and names the field', (changes, message) => {
  const error = thrown(UserError, () => parseModelConfig(tinyConfig('llama', changes), 'config.json'));
  expect(error.file).toBe('config.json');
  expect(error.message).toMatch(message);
});

it.each([
  [{ model_type: 'mistral', sliding_window: null }, null, null],
  [{ model_type: 'mistral', sliding_window: 16384 }, null, null], // no sequence is longer than 8192
  [{ model_type: 'mistral', sliding_window: 128 }, 128, 128],
  [{ model_type: 'mistral', sliding_window: undefined }, 4096, 4096],
  [{ model_type: 'qwen2', sliding_window: 128, use_sliding_window: false }, null, null],
  [{ model_type: 'qwen2', sliding_window: 128, use_sliding_window: true, max_window_layers: 1 }, null, 128],
  [{ model_type: 'qwen2', sliding_window: 128, use_sliding_window: true, max_window_layers: 2 }, null, null],
  [{ layer_types: ['full_attention', 'full_attention'], sliding_window: 128 }, null, null],
  [{ layer_types: ['full_attention', 'sliding_attention'], sliding_window: 128 }, null, 128],
] as const)('attends within the windows of its layers: %j', (changes, ...windows) => {
  const config = parseModelConfig(tinyConfig('llama', { max_position_embeddings: 8192, ...changes }));
  expect(config.layerSpecs.map(({ window }) => window)).toEqual(windows);
});

it("leaves a field that Qwen2's class does not read", () => {
  expect(parseModelConfig(tinyConfig('llama', { model_type: 'qwen2', attention_bias: true })).layers).toBe(2);
});
