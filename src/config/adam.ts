/**
 * Settings of AdamW (Loshchilov & Hutter, arXiv 1711.05101), with the defaults of PyTorch, Hugging Face's Trainer and
 * TRL.
 */
import type * as z from 'zod';
import { group, number } from '../fields';

export const defaultAdam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export const adam = () =>
  group('AdamW, the optimizer of all stages and baselines.', {
    beta1: number('Decay rate of the running mean of gradients.', { min: 0, below: 1 }).default(defaultAdam.beta1),
    beta2: number('Decay rate of the running mean of squared gradients.', { min: 0, below: 1 }).default(
      defaultAdam.beta2,
    ),
    epsilon: number('Added to the denominator for numerical stability.', { above: 0 }).default(defaultAdam.epsilon),
  }).prefault({});

export type AdamSettings = z.output<ReturnType<typeof adam>>;
