import { type RewardConfig, type RewardFile, rewardSchema } from './reward';

const files = {
  /**
   * The hierarchy of BRIDGE's Stage 2 reward (right counts most, then form, then length) with a continuous length term
   * in student tokens: wrong -1, right but malformed 0, right and well-formed 2 plus brevity. A right answer whose
   * steps do not lead to it is worth no more than a wrong one; otherwise guessing would pay where honest steps often
   * fail.
   */
  default: {
    name: 'default',
    description:
      'Right by steps that lead to the answer, then well-formed, then shorter than the teacher in student tokens.',
    components: [
      { use: 'correctness', options: { right: 1, wrong: -1 } },
      { use: 'grounded' },
      { use: 'format', gate: ['correctness', 'grounded'] },
      { use: 'brevity', gate: ['correctness', 'grounded', 'format'] },
    ],
  },
  'correctness-only': {
    name: 'correctness-only',
    description: '1 for a right answer whose steps lead to it, 0 for any other.',
    components: [{ use: 'correctness' }, { use: 'grounded', options: { ungrounded: -1 } }],
  },
  'bridge-stage2': {
    name: 'bridge-stage2',
    description:
      "Stage 2 reward of BRIDGE's release (arXiv 2602.17686), constants " +
      'as published. Requires a step label, not steps.',
    components: [{ use: 'bridgeStage2' }],
  },
  'bridge-stage3': {
    name: 'bridge-stage3',
    description:
      "Stage 3 reward of BRIDGE's release (arXiv 2602.17686), constants as " +
      'published. Rewards a copied answer after a label.',
    components: [{ use: 'bridgeStage3' }],
  },
} satisfies Record<string, RewardFile>;

export type PresetName = keyof typeof files;
export const presetDescriptions = Object.fromEntries(
  Object.entries(files).map(([name, { description }]) => [name, description]),
) as Record<PresetName, string>;

export const presetNames = Object.keys(files) as PresetName[];

const read = new Map<PresetName, RewardConfig>();

/** A preset reward. Parsed on first use, to keep the import of this file cheap. */
export function preset(name: PresetName): RewardConfig {
  const known = read.get(name) ?? rewardSchema().parse(files[name]);
  read.set(name, known);
  return known;
}

export const isPreset = (name: string): name is PresetName => Object.hasOwn(files, name);
