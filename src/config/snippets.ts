/** Snippets that editors offer (`defaultSnippets` of VS Code's JSON schemas). */

/** A placeholder in a snippet: text to fill in, or with `raw` a number without quotes. */
const slot = (index: number, text: string) => `\${${index}:${text}}`;
const raw = (index: number, value: number) => `^${slot(index, String(value))}`;

export const experimentSnippets = [
  {
    label: 'Experiment',
    description: 'Student, teacher chains and test; everything else has defaults.',
    body: {
      name: slot(1, 'my-experiment'),
      student: { path: slot(2, 'student') },
      data: {
        train: { format: 'chains', path: slot(3, 'train.chains.jsonl') },
        test: { format: 'chains', path: slot(4, 'test.chains.jsonl') },
      },
    },
  },
];

export const dataSnippets = [
  {
    label: 'arithmetic',
    description: 'Problems of the built-in generator.',
    body: { format: 'arithmetic', seed: raw(1, 1), count: raw(2, 1000) },
  },
  {
    label: 'chains',
    description: 'A file of teacher chains.',
    body: { format: 'chains', path: slot(1, 'train.chains.jsonl') },
  },
  { label: 'gsm8k', description: "GSM8K's own file.", body: { format: 'gsm8k', path: slot(1, 'train.jsonl') } },
  {
    label: 'bridge',
    description: "BRIDGE's own file.",
    body: { format: 'bridge', path: slot(1, 'stage3_error_samples.json') },
  },
  {
    label: 'parquet',
    description: 'A Parquet file, as on the Hugging Face Hub.',
    body: { format: 'parquet', path: slot(1, 'train.parquet') },
  },
];

export const rewardSnippets = [
  {
    label: 'Reward',
    description: 'Right by steps that lead to the answer, then well-formed, then short.',
    body: {
      components: [
        { use: 'correctness', options: { right: 1, wrong: -1 } },
        { use: 'grounded' },
        { use: 'format', gate: ['correctness', 'grounded'] },
        { use: 'brevity', weight: raw(1, 1), gate: ['correctness', 'grounded', 'format'] },
      ],
    },
  },
];

/** `required`: options without a default, and whether each is a list of texts or a number. */
export function componentSnippet(
  use: string,
  description: string | undefined,
  required: { name: string; texts: boolean }[],
) {
  const place = (texts: boolean, i: number) => (texts ? [slot(i + 2, 'text')] : raw(i + 2, 384));
  const options = Object.fromEntries(required.map(({ name, texts }, i) => [name, place(texts, i)]));
  return { label: use, description, body: { use, weight: raw(1, 1), ...(required.length > 0 ? { options } : {}) } };
}

export const codeSnippet = {
  label: 'code',
  description: 'A reward in code: the path of a JavaScript module.',
  body: { use: slot(1, './my.reward.mjs'), weight: raw(2, 1) },
};

/** The text of a new reward file. */
export const rewardStarter = (name: string) => `{
  "name": ${JSON.stringify(name)},
  "components": [
    { "use": "correctness", "options": { "right": 1, "wrong": -1 } },
    // A right answer whose steps do not lead to it is worth as little as a wrong one.
    { "use": "grounded" },
    { "use": "format", "gate": ["correctness", "grounded"] },
    // Only for answers that are right, reasoned and well-formed.
    { "use": "brevity", "weight": 1, "gate": ["correctness", "grounded", "format"] }
  ]
}
`;
