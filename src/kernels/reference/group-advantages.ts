import { tensor2d } from '@tensorflow/tfjs-core';
import { groupAdvantagesValues } from '../group-advantages';
import type { AdvantageScale } from '../interface';
import type { Reference, References } from './kernel';

/** Rewards come from JavaScript and are few: nothing is won by composing this of operations. */
const groupAdvantages: Reference<{ scale: AdvantageScale }> = ({ rewards }, { scale }) => {
  const [prompts, group] = rewards.shape as [number, number];
  const values = Float32Array.from(rewards.dataSync());
  return tensor2d(groupAdvantagesValues(values, prompts, group, scale), [prompts, group]);
};

export const groupAdvantagesReferences: References = { GroupAdvantages: groupAdvantages };
