/**
 * Learns the built-in student's tokenizer from its pretraining mix: `npx tsx scripts/pretrain/tokenizer.ts [folder]`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { learnMerges, tokenizerJson } from './bpe';
import { pretrainingRow } from './corpus';

const folder = process.argv[2] ?? 'examples/arithmetic/student';
const size = Number(process.argv[3] ?? 640);
const special = ['<|endoftext|>', '[MASK]'];
const texts = Array.from({ length: 6000 }, (_, i) => {
  const { prompt, completion } = pretrainingRow(i, { concise: 0.15, seed: 1 });
  return `${prompt}${completion}`.replaceAll('[MASK]', '\n');
});

mkdirSync(folder, { recursive: true });
const write = (name: string, content: unknown) =>
  writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
write('tokenizer.json', tokenizerJson(learnMerges(texts, size, special.length), special));
write('tokenizer_config.json', {
  tokenizer_class: 'PreTrainedTokenizerFast',
  model_max_length: 512,
  eos_token: special[0],
  pad_token: special[0],
  mask_token: special[1],
  clean_up_tokenization_spaces: false,
});
