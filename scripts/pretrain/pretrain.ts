/**
 * Pretrains the built-in experiment's base student from random weights with the embedded engine:
 *   npx tsx scripts/pretrain/tokenizer.ts && npx tsx scripts/pretrain/pretrain.ts [--updates n] [--out folder]
 * The result is a function of the seed. examples/arithmetic/README.md describes the corpus and its design.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultAdam } from '../../src/config/adam';
import { evaluate } from '../../src/curriculum/evaluation/evaluate';
import { prepareLessons } from '../../src/curriculum/lessons/lessons';
import { learningRateAt } from '../../src/curriculum/training/schedule';
import { arithmeticDefaults, arithmeticItems } from '../../src/data/arithmetic';
import { EmbeddedStudent } from '../../src/engine/embedded/student';
import type { Example } from '../../src/engine-data/examples';
import type { Evaluation } from '../../src/evaluation/figures';
import { useBackend } from '../../src/kernels/backends';
import { createOptimizer } from '../../src/learning/optimizer';
import { supervisedStep } from '../../src/learning/supervised';
import { saveStudent } from '../../src/model/hf-folder';
import { createModel } from '../../src/model/transformer';
import { bits } from '../../src/random';
import { parseModelConfig } from '../../src/student-files/config';
import { loadTokenizer } from '../../src/student-files/tokenizer';
import { type Corpus, pretrainingRow } from './corpus';

const { values } = parseArgs({
  options: {
    tokenizer: { type: 'string', default: 'examples/arithmetic/student' },
    out: { type: 'string', default: 'examples/arithmetic/student' },
    updates: { type: 'string', default: '4500' },
    batch: { type: 'string', default: '16' },
    rate: { type: 'string', default: '4e-3' },
    seed: { type: 'string', default: '1' },
    concise: { type: 'string', default: '0.15' },
    every: { type: 'string', default: '500' },
    backend: { type: 'string', default: 'auto' },
  },
});
const [updates, batch, seed, every] = [values.updates, values.batch, values.seed, values.every].map(Number);
const corpus: Corpus = { concise: Number(values.concise), seed };
const schedule = {
  learningRate: Number(values.rate),
  schedule: 'linear',
  warmup: 0.03,
  minLearningRate: 0.05,
} as const;
const settings = {
  dropout: 0,
  microBatchTokens: 16384,
  weightDecay: 0.05,
  maxGradNorm: 1,
  adam: { ...defaultAdam, beta2: 0.95 },
};

const evaluationText = ({ accuracy, meanTokens }: Evaluation) =>
  `${(100 * accuracy).toFixed(1)} % in ${meanTokens.toFixed(1)} tokens`;

async function main(): Promise<void> {
  console.log((await useBackend(values.backend as 'auto')).description);
  const tokenizer = loadTokenizer(values.tokenizer);
  const model = createModel(
    parseModelConfig({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      vocab_size: tokenizer.vocabSize,
      hidden_size: 128,
      intermediate_size: 256,
      num_hidden_layers: 3,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 32,
      max_position_embeddings: 1024,
      rms_norm_eps: 1e-6,
      rope_theta: 10000,
      tie_word_embeddings: true,
      hidden_act: 'silu',
      bos_token_id: null,
      eos_token_id: tokenizer.eosId,
    }),
    seed,
  );
  const optimizer = createOptimizer(model);

  const example = (row: { prompt: string; completion: string }): Example => ({
    prompt: tokenizer.encode(row.prompt),
    completion: [...tokenizer.encode(row.completion), tokenizer.eosId],
  });
  const lessons = prepareLessons(
    arithmeticItems({ ...arithmeticDefaults, operations: [4, 6] }, 'validation', 300),
    tokenizer,
  );

  const student = new EmbeddedStudent(model, values.out, () => {});
  const started = performance.now();
  let loss = 0;
  let losses = 0;
  let tokens = 0;
  for (let update = 0; update < updates; update++) {
    const rows = Array.from({ length: batch }, (_, i) => example(pretrainingRow(update * batch + i, corpus)));
    const rate = learningRateAt(schedule, update, updates);
    const step = await supervisedStep(model, optimizer, rows, rate, settings, bits(seed, update) >>> 1);
    loss += step.loss;
    losses++;
    tokens += step.tokens;
    if ((update + 1) % every !== 0 && update + 1 !== updates) continue;
    const seconds = (performance.now() - started) / 1000;
    const answers = { maxNewTokens: 260, batch: 128, seed };
    const greedy = await evaluate(student, tokenizer, lessons, { ...answers, temperature: 0 });
    const sampled = await evaluate(student, tokenizer, lessons, { ...answers, temperature: 1 });
    console.log(
      `update ${update + 1}: loss ${(loss / losses).toFixed(4)}, ${Math.round(tokens / seconds)} tokens/s, ` +
        `validation ${evaluationText(greedy)}, at temperature 1 ${evaluationText(sampled)}`,
    );
    loss = 0;
    losses = 0;
    saveStudent(values.out, model, { dtype: 'F16', tokenizerFrom: values.tokenizer });
    writeFileSync(join(values.out, 'pretraining.json'), `${JSON.stringify({ ...corpus, updates: update + 1 })}\n`);
  }
}

void main();
