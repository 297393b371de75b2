/** The files of a new experiment as texts by name; the first is the experiment itself. */
import { readFileSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { applyEdits, modify } from 'jsonc-parser';
import { packageRoot } from '../../paths';
import { type Size, usualSize } from './new-size';
import type { DatasetPart, Survey } from './survey';

export interface ExperimentPlace {
  folder: string;
  name: string;
  /** As written in the experiment. */
  student: string;
  /** Only the PyTorch engine supports the student's family. */
  onTorch?: boolean;
}

/** A path relative to `folder`, with forward slashes. The name of a Hub model is kept. */
export function link(folder: string, path: string): string {
  if (!isAbsolute(path)) return path;
  const near = relative(folder, path);
  return (isAbsolute(near) ? near : near || '.').split(sep).join('/');
}

const rewardName = 'brevity.reward.json';
const example = (name: string) => join(packageRoot(), 'examples', 'arithmetic', name);

/** Makes a name valid in file names. */
const fileName = (name: string) => name.replace(/[^\p{L}\p{N}._-]+/gu, '-');

/** The built-in experiment under another name. */
export function arithmeticFiles({ name, student, onTorch }: ExperimentPlace): Record<string, string> {
  let text = withoutSchema(readFileSync(example('arithmetic.distillery.json'), 'utf8'));
  text = set(set(text, ['name'], name), ['student', 'path'], student);
  if (onTorch) text = set(text, ['backend'], 'torch');
  const experiment = `${fileName(name)}.distillery.json`;
  return {
    [experiment]: text,
    [rewardName]: rewardFile(),
    'README.md': readme(
      name,
      experiment,
      'It is the built-in arithmetic experiment: word problems from a seeded generator, with a verbose teacher.',
    ),
  };
}

/**
 * An experiment for a dataset: budgets from its size, lengths from its chains, and defaults for the rest. Those suit
 * language models of usual size; a student as small as the built-in one (`tiny`) needs higher learning rates.
 */
export function datasetFiles(
  { folder, name, student, onTorch }: ExperimentPlace,
  survey: Survey,
  { tiny = false, size = usualSize }: { tiny?: boolean; size?: Size } = {},
): Record<string, string> {
  const { train, test, rows, testRows, validation, chains, budgets, thinking } = survey;
  const taught = rows - validation;
  const updates = (epochs: number, batch: number, most: number) =>
    Math.min(most, Math.max(10, Math.round((epochs * taught) / batch)));
  const source = (part: DatasetPart) => inline({ ...part, path: link(folder, part.path) });
  const rates = tiny
    ? {
        supervised: ', "learningRate": 3e-4',
        complete: ' "learningRate": 3e-4,',
        rewrite: ' "learningRate": 3e-4, "internalise": { "learningRate": 1e-4 },',
      }
    : { supervised: '', complete: '', rewrite: '' }; // an adapter needs larger steps
  const { prompts, testing } = size;
  const usual = prompts === usualSize.prompts;
  const atOnce = usual ? '' : ` "batch": ${testing},`;
  const sized = usual ? '' : ' Fewer prompts at a time than usual, to fit the memory of this machine.';
  const grpo = `"reward": "${rewardName}", "maxNewTokens": ${budgets.completion}`;
  const thought = thinking
    ? ',\n    // The thinking in teacher chains before the solution: "keep" it as part of ' +
      `the target, or "cut" it off.\n    "thinking": "${thinking}"`
    : '';
  const sampled = (epochs: number, most: number, rate: string) =>
    `{ "updates": ${updates(epochs, prompts, most)}, "prompts": ${prompts}, "group": 8,${rate} ${grpo} }`;
  const backend = onTorch
    ? '\n  // Only PyTorch supports the family of this student; "distillery engine install" sets it up.' +
      '\n  "backend": "torch",'
    : '';
  const experiment = `${fileName(name)}.distillery.json`;
  const rate = tiny ? ', "learningRate": 1e-3' : '';
  const sft = chains ? `{ "updates": ${updates(5, 32, 1000)}, "batch": 32${rate} }, "sftConcise": {}` : 'false';
  const { quick } = size;
  const tests = Math.min(testRows, quick.tests);
  const few = Math.min(prompts, quick.prompts);
  const lessons = `"updates": ${quick.supervised}, "batch": ${quick.batch}`;
  const reconstruct = chains ? `"reconstruct": { ${lessons} },\n      ` : '';
  const text = `{
  "name": ${JSON.stringify(name)},
  "seed": 1,
  // A Hugging Face folder: config.json, model.safetensors, tokenizer.json.
  "student": { "path": ${JSON.stringify(student)} },${backend}
  "data": {
    // ${taught} rows to train on, and the ${validation} after them to choose checkpoints by.
    "train": ${source(train)},
    "validation": ${validation},
    // ${testRows} rows for the test only: not for training, not for choosing checkpoints.
    "test": ${source(test)}${thought}
  },
  // Settings that are not written here have defaults; completion and hovers in VS Code name them all.
  "stages": {
    ${
      chains
        ? `// Stage 1: restore shuffled, masked teacher chains. About 5 epochs.
    "reconstruct": { "updates": ${updates(5, 32, 1000)}, "batch": 32${rates.supervised} },`
        : '// No row has a teacher chain, so Stage 1 and 3 have no targets.\n    "reconstruct": false,'
    }
    // Stage 2: GRPO on completing chains; the masks grow until only the question is left.${sized}
    "complete": ${sampled(1, 400, rates.complete)},
    ${
      chains
        ? `// Stage 3: GRPO on rewriting chains that the student keeps failing, then training on the rewrites.
    "rewrite": ${sampled(0.25, 100, rates.rewrite)}`
        : '"rewrite": false'
    }
  },
  // For comparison: plain fine-tuning on the same chains, unchanged and cut to the sentences that compute.
  "baselines": { "sft": ${sft} },
  // Room for the student's answers, at first longer than the teacher's; each test reports how many were cut off.
  "evaluation": {${atOnce} "maxNewTokens": ${budgets.answer}, "every": 50 },
  // What a quick run changes; it checks that all works. "distillery preview --time" estimates how long both take.
  "quick": {
    "data": { "validation": ${Math.min(validation, quick.validation)}, "test": { "count": ${tests} } },
    "stages": {
      ${reconstruct}"complete": { "updates": ${quick.complete}, "prompts": ${few} }${
        chains
          ? `,
      "rewrite": {
        "updates": ${quick.rewrite}, "prompts": ${few}, "failures": { "limit": ${quick.failures} },
        "internalise": { ${lessons} }
      }`
          : ''
      }
    }${chains ? `,\n    "baselines": { "sft": { ${lessons} } }` : ''}
  }
}
`;
  const others = test.path === train.path ? 'others' : `of \`${link(folder, test.path)}\``;
  const learned = `${rows} rows of \`${link(folder, train.path)}\``;
  const about = `It is trained on ${learned} and tested on ${testRows} ${others}.`;
  return { [experiment]: text, [rewardName]: rewardFile(), 'README.md': readme(name, experiment, about) };
}

const inline = (value: object) => JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');

const rewardFile = () => withoutSchema(readFileSync(example(rewardName), 'utf8'));

/**
 * The editor recognizes these files by name. They are copied, because a path into this installation would break when
 * the folder is moved or cloned, or the extension is updated.
 */
const withoutSchema = (text: string) => text.replace(/^ *"\$schema":.*\n/m, '');

/** Changes one value and keeps everything else, including comments. */
const set = (text: string, path: string[], value: string) => applyEdits(text, modify(text, path, value, {}));

function readme(name: string, experiment: string, about: string): string {
  const commands = [
    [`distillery preview ${experiment}`, "the student's input in each stage"],
    [`distillery run ${experiment} --quick`, 'a short run, to see that everything works'],
    [`distillery run ${experiment}`, 'the whole curriculum'],
    ['distillery show latest', 'its results, curves and failures'],
    [`distillery score ${rewardName} latest`, 'the scores of an edited reward for the last completions'],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  return `# ${name}

A reasoning distillation experiment for Distillery. ${about}

${commands.map(([command, purpose]) => `    ${command.padEnd(width)}   # ${purpose}`).join('\n')}

| file | what |
|---|---|
| \`${experiment}\` | student, data, stages, evaluation |
| \`${rewardName}\` | what is rewarded in sampled stages |
| \`.distillery/runs/\` | runs: metrics, every completion, failures, checkpoints as Hugging Face folders |
`;
}
