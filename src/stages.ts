/**
 * The students that a run trains and tests, in order: the only list of baselines and stages. A new baseline is an entry
 * here and a file in src/curriculum/baselines; the compiler then requires its settings and its trainer.
 */
interface StudentDefinition {
  kind: 'base' | 'baseline' | 'stage' | 'other';
  title: string;
  /** Where space is short. */
  short: string;
  /** A codicon. */
  icon: string;
  /** Background colour of its curves, as #rrggbbaa. */
  band: string;
  /** For baselines that sample: the stage whose settings (sampling, reward) are used. */
  sampledAs?: 'complete' | 'rewrite';
}

const students = {
  base: { kind: 'base', title: 'Base student', short: 'Base', icon: 'circle-outline', band: '#88888844' },
  sft: { kind: 'baseline', title: 'Plain SFT', short: 'Plain SFT', icon: 'book', band: '#8a8f9833' },
  sftConcise: { kind: 'baseline', title: 'Concise SFT', short: 'Concise SFT', icon: 'book', band: '#8a8f9833' },
  rft: {
    kind: 'baseline',
    title: 'Rejection sampling',
    short: 'RFT',
    icon: 'filter',
    band: '#8a8f9833',
    sampledAs: 'complete',
  },
  grpo: {
    kind: 'baseline',
    title: 'Plain GRPO',
    short: 'Plain GRPO',
    icon: 'graph-line',
    band: '#8a8f9833',
    sampledAs: 'complete',
  },
  /** A stage of another trainer, whatever its method. */
  training: { kind: 'other', title: 'Training', short: 'Training', icon: 'graph-line', band: '#10b98133' },
  reconstruct: {
    kind: 'stage',
    title: 'Stage 1 (Reconstruct)',
    short: 'Stage 1',
    icon: 'extensions',
    band: '#3b82f633',
  },
  complete: {
    kind: 'stage',
    title: 'Stage 2 (Complete)',
    short: 'Stage 2',
    icon: 'edit-sparkle',
    band: '#10b98133',
    sampledAs: 'complete',
  },
  rewrite: {
    kind: 'stage',
    title: 'Stage 3 (Rewrite)',
    short: 'Stage 3',
    icon: 'wand',
    band: '#f59e0b33',
    sampledAs: 'rewrite',
  },
} as const satisfies Record<string, StudentDefinition>;

export type StageName = keyof typeof students;
type OfKind<K extends StudentDefinition['kind']> = {
  [S in StageName]: (typeof students)[S]['kind'] extends K ? S : never;
}[StageName];
export type BaselineName = OfKind<'baseline'>;
/** The three stages of the curriculum. */
export type TrainedStage = OfKind<'stage'>;

export const stageNames = Object.keys(students) as StageName[];
/** A checkpoint's folder, `<stage>-<step>`. */
export const checkpointPattern = `(?:${stageNames.join('|')})-\\d+`;

const stagesOfKind = <K extends StudentDefinition['kind']>(kind: K) =>
  stageNames.filter((name) => students[name].kind === kind) as OfKind<K>[];
export const baselineNames = stagesOfKind('baseline');
export const trainedStages = stagesOfKind('stage');

export const isBaseline = (name: string): name is BaselineName => (baselineNames as string[]).includes(name);

const facts = <K extends keyof StudentDefinition>(key: K) =>
  Object.fromEntries(stageNames.map((name) => [name, (students[name] as StudentDefinition)[key]])) as Record<
    StageName,
    StudentDefinition[K]
  >;
export const stageTitles = facts('title');
export const shortStageTitles = facts('short');
export const stageIcons = facts('icon');
export const stageBands = facts('band');
export const sampledAs = facts('sampledAs');

/** `Stage 2 (Complete)`; `Stage 3 (Rewrite), internalise` where the stage has several phases. */
export const phaseTitle = (stage: StageName, phase: string): string =>
  phase === stage ? stageTitles[stage] : `${stageTitles[stage]}, ${phase}`;

/** Where there is little room: `Stage 2`, `Stage 3 internalise`. */
export const shortPhaseTitle = (stage: StageName, phase: string): string =>
  phase === stage ? shortStageTitles[stage] : `${shortStageTitles[stage]} ${phase}`;

/** The baseline that is hardest to beat: the most accurate one, and of equals the one with the shorter answers. */
export function strongestBaseline<R extends { stage: StageName; accuracy: number; meanTokens: number }>(
  rows: readonly R[],
): R | undefined {
  return rows
    .filter(({ stage }) => isBaseline(stage))
    .sort((a, b) => b.accuracy - a.accuracy || a.meanTokens - b.meanTokens)[0];
}
