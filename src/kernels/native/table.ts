/**
 * The table of all kernels: names, arguments in call order, and the enums. `npx tsx scripts/generate-kernels.ts` writes
 * kernels/list.h and choices.h from it. Both targets refuse calls that do not match.
 *
 * An argument is `name: kind [shape]`: `f32` and `i32` are data, `any` packed data (kernels/pack.h), `number` a number;
 * `?` after a data kind allows null. Arguments after `...` form a group that may be repeated. All matrices are
 * row-major;
 * `starts` are the offsets of packed sequences ([sequences + 1], starts[0] = 0, the last = n).
 */
import { surrogateNames } from '../../losses';
import { estimators, type KlEstimator } from '../../losses/kl';
import { activations } from '../../student-files/layer-spec';

/** The values are the indices; C has them as an enum. */
export const choices = {
  operation: ['add', 'subtract', 'multiply', 'divide'],
  activation: activations,
  aggregation: ['sequence', 'token'],
  importance: ['token', 'sequence'],
  kl: Object.keys(estimators) as KlEstimator[],
  surrogate: surrogateNames,
  precision: ['float32', 'bfloat16', 'int8'],
} as const;

type Choices = typeof choices;

/** @throws RangeError for an unknown name */
export function numberOf<Choice extends keyof Choices>(choice: Choice, name: Choices[Choice][number]): number {
  const names: readonly string[] = choices[choice];
  const number = names.indexOf(name);
  if (number < 0) throw new RangeError(`${name} is not one of ${names.join(', ')}`);
  return number;
}

const gluSizes = 'n: number, activation: number';
const attention = 'sequences: number, heads: number, kvHeads: number, headDim: number, scale: number, window: number';
const sequences = 'starts: i32, parents: i32? [sequences]';
const heads = 'n: number, heads: number, headDim: number';
const logits = 'n: number, d: number, vocab: number, temperature: number, rows: number, columns: number';

/** [lists of arguments, description], by header. */
export const kernelTable = {
  // gemm.h
  gemm: [
    [
      'a: f32, b: f32, c: f32, transposeA: number, transposeB: number, batch: number, m: number, n: number, k: number',
      'strideA: number, strideB: number, accumulate: number',
    ],
    'C[b] (+)= op(A[b]) op(B[b]); strides in elements, 0 = shared',
  ],
  round_products: [
    ['flag: number'],
    'whether matrix products round their factors to bfloat16 from now on (sums stay in float32)',
  ],
  // elementwise.h
  binary: [['operation: number, a: f32 [n], b: f32 [n], out: f32 [n], n: number'], ''],
  add_n: [['out: f32 [n], n: number, count: number, ...input: f32 [n]'], ''],
  scale: [['x: f32 [n], out: f32 [n], n: number, factor: number'], ''],
  glu: [[`gate: f32 [n], up: f32 [n], y: f32 [n], ${gluSizes}`], 'activation(gate) * up'],
  glu_grad: [[`dy: f32 [n], gate: f32 [n], up: f32 [n], dGate: f32 [n], dUp: f32 [n], ${gluSizes}`], ''],
  dropout: [
    ['x: f32 [n], y: f32 [n], n: number, rate: number, seed: number'],
    'y[i] = bits(seed, i) >= rate ? x[i] / (1 - rate) : 0 (hash of random.ts)',
  ],
  sum_squares: [['out: f32 [1], count: number, ...x: f32 [n], n: number'], ''],
  adam_w: [
    [
      'p: f32 [n], g: f32 [n], m: f32 [n], v: f32 [n], n: number, lr: number, beta1: number, beta2: number',
      'eps: number, weightDecay: number, correction1: number, correction2: number, gradScale: number',
    ],
    'p, m, v in place; corrections are 1 - beta^t',
  ],
  // rows.h
  embed: [['table: f32 [vocab,d], ids: i32 [n], out: f32 [n,d], n: number, d: number'], ''],
  embed_grad: [
    ['dy: f32 [n,d], ids: i32 [n], dTable: f32 [vocab,d], n: number, d: number, vocab: number'],
    'dTable is overwritten',
  ],
  add_rows: [['x: f32 [n,d], row: f32 [d], y: f32 [n,d], n: number, d: number'], 'the row added to each of x'],
  sum_rows: [['x: f32 [n,d], out: f32 [d], n: number, d: number'], ''],
  rms_norm: [
    ['x: f32 [n,d], weight: f32 [d], y: f32 [n,d], rstd: f32 [n], n: number, d: number, eps: number, offset: number'],
    'the factor is the weight plus `offset` (Gemma: 1)',
  ],
  rms_norm_grad: [
    [
      'dy: f32 [n,d], x: f32 [n,d], weight: f32 [d], rstd: f32 [n], dx: f32 [n,d], dWeight: f32 [d], n: number',
      'd: number, offset: number',
    ],
    '',
  ],
  rotate: [
    [
      'x: f32 [n,heads*headDim], bias: f32? [heads*headDim], positions: i32 [n], cos: f32 [positions,headDim/2]',
      `sin: f32, y: f32, ${heads}`,
    ],
    '',
  ],
  rotate_grad: [[`dy: f32, positions: i32 [n], cos: f32, sin: f32, dx: f32, dBias: f32?, ${heads}`], ''],
  // attend.h
  attend: [
    [
      `q: f32 [n,heads*headDim], k: f32 [n,kvHeads*headDim], v: f32, ${sequences}, out: f32 [n,heads*headDim]`,
      `lse: f32 [n,heads], ${attention}`,
    ],
    'causal within each sequence and its parent (an earlier one without a parent; -1: none); limited to ' +
      'the last `window` tokens (0: all)',
  ],
  attend_grad: [
    [`dOut: f32, q: f32, k: f32, v: f32, out: f32, lse: f32, ${sequences}, dq: f32, dk: f32, dv: f32, ${attention}`],
    '',
  ],
  // vocabulary.h
  token_log_probs: [
    [
      'hidden: f32 [n,d], weight: f32 [vocab,d], ids: i32 [n], logProbs: f32 [n], entropy: f32 [n], lse: f32 [n]',
      `temp: f32 [rows*(columns+1)], ${logits}`,
    ],
    'in chunks of rows * columns logits',
  ],
  token_log_probs_grad: [
    [
      'dLogProbs: f32 [n], hidden: f32, weight: f32, ids: i32, lse: f32, dHidden: f32 [n,d], dWeight: f32? [vocab,d]',
      `temp: f32 [rows*columns], ${logits}`,
    ],
    '',
  ],
  sample_token: [
    [
      'logits: f32 [rows,vocab], uniforms: f32 [rows], ids: i32 [rows], logProbs: f32 [rows], temp: f32 [rows*vocab]',
      'rows: number, vocab: number, temperature: number, topK: number, topP: number, minP: number',
    ],
    '',
  ],
  // grpo.h
  grpo_loss: [
    [
      'logProbs: f32 [n], old: f32 [n], ref: f32? [n], advantages: f32 [sequences], mask: f32 [n], starts: i32',
      'loss: f32 [1], dLogProbs: f32 [n], metrics: f32 [8], sequences: number, aggregation: number',
      'importance: number, clipLow: number, clipHigh: number, beta: number, kl: number, normalizer: number',
      'surrogate: number, sapoPositive: number, sapoNegative: number',
    ],
    '',
  ],
  // pack.h
  pack_weight: [['weight: f32 [rows,k], packed: any, rows: number, k: number, precision: number'], ''],
  packed_size: [['out: i32 [1], rows: number, k: number, precision: number'], 'the packed weight in 32-bit words'],
  // decode.h
  decode_step: [
    [
      'tokens: i32 [n], starts: i32 [rows+1], slots: i32 [rows], past: i32 [rows]',
      'keys: f32 [layers,slotCount,kvHeads,maxLength,headDim], values: f32, embed: f32 [vocab,d], norm: f32 [d]',
      'head: any, logits: f32 [rows,vocab], temp: f32, rows: number, d: number, heads: number, kvHeads: number',
      'headDim: number, inner: number, vocab: number, layers: number, slotCount: number, maxLength: number',
      'scale: number, eps: number, normOffset: number, embedScale: number, activation: number, chunk: number',
      'precision: number, times: f32? [4]',
      '...window: number, cos: f32?, sin: f32?, inputNorm: f32, q: any, k: any, v: any, o: any, qBias: f32?',
      'kBias: f32?, vBias: f32?, qNorm: f32?, kNorm: f32?, attentionOutputNorm: f32?, mlpNorm: f32, gate: any, up: any',
      'down: any, mlpOutputNorm: f32?',
    ],
    'see decode.h',
  ],
} as const satisfies Record<string, readonly [readonly string[], string]>;

export type KernelName = keyof typeof kernelTable;
export const kernelList = Object.keys(kernelTable) as KernelName[];

/** The text of all arguments of a kernel. */
export const argumentsText = (name: KernelName): string => kernelTable[name][0].join(', ');

type Joined<Lists extends readonly string[]> = Lists extends readonly [
  infer First extends string,
  ...infer More extends readonly string[],
]
  ? More extends readonly []
    ? First
    : `${First}, ${Joined<More>}`
  : never;

type ArgumentOf<Text, Data> = Text extends `${string}: number`
  ? number
  : Text extends `${string}: ${'f32' | 'i32' | 'any'}?${string}`
    ? Data | null | undefined
    : Data;

type ArgumentList<Text, Data, Before extends unknown[] = []> = Text extends `${infer First}, ${infer More}`
  ? ArgumentList<More, Data, [...Before, ArgumentOf<First, Data>]>
  : [...Before, ArgumentOf<Text, Data>];

type TextOf<Name extends KernelName> = Joined<(typeof kernelTable)[Name][0]>;

/** One group of the arguments that may be repeated. */
export type GroupOf<Name extends KernelName, Data> =
  TextOf<Name> extends `${string}, ...${infer Group}` ? ArgumentList<Group, Data> : never;

/** The arguments of a kernel, with data as `Data`. Groups come last, in one list: [[a, b], [a, b], ...]. */
export type ArgumentsOf<Name extends KernelName, Data> =
  TextOf<Name> extends `${infer Fixed}, ...${string}`
    ? [...ArgumentList<Fixed, Data>, groups: readonly GroupOf<Name, Data>[]]
    : ArgumentList<TextOf<Name>, Data>;

/**
 * A kernel's arguments, one character each: d(ata), o(ptional data), n(umber). `group` may follow `fixed` any number of
 * times.
 */
export interface Signature {
  fixed: string;
  group: string;
}

/** Splits at commas, except inside the brackets of a shape. */
const letters = (text: string): string =>
  text
    .split(/,(?![^[]*\])/)
    .filter((argument) => argument.trim() !== '')
    .map((argument) => {
      if (/: number\b/.test(argument)) return 'n';
      return argument.includes('?') ? 'o' : 'd';
    })
    .join('');

export function signatureOf(name: KernelName): Signature {
  const [fixed, group = ''] = argumentsText(name).split('...');
  return { fixed: letters(fixed), group: letters(group) };
}

const kinds = { d: 'data', o: 'data or null', n: 'a number' } as const;

/** Describes a wrong argument list; null if it is right. */
export function misfit({ fixed, group }: Signature, args: readonly unknown[]): string | null {
  const more = args.length - fixed.length;
  if (more !== 0 && (more < 0 || group === '' || more % group.length !== 0))
    return `${args.length} arguments, where it takes ${fixed.length}${group && ` and groups of ${group.length}`}`;
  for (let i = 0; i < args.length; i++) {
    const kind = i < fixed.length ? fixed[i] : group[(i - fixed.length) % group.length];
    const wanted = kind === 'n' ? typeof args[i] === 'number' : ArrayBuffer.isView(args[i]);
    if (!wanted && !(kind === 'o' && args[i] === null))
      return `argument ${i} is not ${kinds[kind as keyof typeof kinds]}`;
  }
  return null;
}
