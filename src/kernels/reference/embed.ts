import { gather, reshape, scatterND } from '@tensorflow/tfjs-core';
import type { Reference, References } from './kernel';

const embed: Reference = ({ table, ids }) => gather(table, ids);

/** {dy [n, d], ids} -> dTable [vocab, d]: rows with equal ids are summed. */
const embedGrad: Reference<{ vocab: number }> = ({ dy, ids }, { vocab }) =>
  scatterND(reshape(ids, [-1, 1]), dy, [vocab, dy.shape[1]!]);

export const embedReferences: References = { Embed: embed, EmbedGrad: embedGrad };
