/**
 * Settings of low-rank adapters (LoRA, Hu et al., arXiv 2106.09685), with the names and meanings of the PEFT library.
 */
import * as z from 'zod';
import { choice, group, list, number, whole } from '../fields';
import { once } from '../once';

/** The linear layers of a decoder layer, by their short names in settings. */
const targetDescriptions = {
  q: "The attention's queries.",
  k: "The attention's keys.",
  v: "The attention's values.",
  o: "The attention's output.",
  gate: "The MLP's gate.",
  up: "The MLP's first projection.",
  down: "The MLP's output.",
} as const;

export type LoraTarget = keyof typeof targetDescriptions;
export const loraTargets = Object.keys(targetDescriptions) as LoraTarget[];

/** With `lora` set to "auto", students of at least this many parameters are trained through an adapter. */
export const autoLoraParameters = 50_000_000;

/** The settings used by "auto". */
export const defaultLora = { rank: 16, alpha: 32, dropout: 0, targets: loraTargets };

const settings = once(() =>
  group('An adapter with these settings.', {
    rank: whole('Rank of the adapter: the width of its bottleneck.', { min: 1, max: 4096 }).default(defaultLora.rank),
    alpha: number('The output of the adapter is multiplied by alpha / rank.', { above: 0 }).default(defaultLora.alpha),
    dropout: number(
      "Dropout rate on the adapter's input in supervised training. GRPO " +
        'uses none, as its log-probs must equal those at sampling.',
      { min: 0, below: 1 },
    ).default(defaultLora.dropout),
    targets: list(
      'The linear layers that get an adapter (default: all of every ' +
        'layer; never the embedding or the output layer).',
      choice('A kind of linear layer.', targetDescriptions),
      `names among ${loraTargets.join(', ')}`,
    )
      .min(1, { error: 'a list with at least one name' })
      .default(defaultLora.targets),
  }),
);

export type LoraSettings = z.output<ReturnType<typeof settings>>;

const description =
  'Trains a low-rank adapter (LoRA, arXiv 2106.09685) instead of the weights, which ' +
  'are frozen and stored once. "auto": for students of 50 million parameters ' +
  'or more, as pretrained ones have; smaller ones, such as the built-in ' +
  'student, are fully trained. false: all weights are trained.';

export const lora = () =>
  z
    .union([
      z.enum(['auto'], { error: '"auto"' }).meta({
        description: 'An adapter for students of 50 million parameters or more.',
        enumDescriptions: ['An adapter for students of 50 million parameters or more.'],
      }),
      z.literal(false, { error: 'false' }),
      settings(),
    ])
    .default('auto')
    .meta({
      description,
      defaultSnippets: [
        { label: 'auto', description: 'Depends on the size of the student.', body: 'auto' },
        { label: '{ }', description: 'An adapter; absent settings have their defaults.', body: '^{$1}' },
        {
          label: 'false',
          description: 'All weights are trained: needs more memory and a lower learning rate.',
          body: false,
        },
      ],
    });
