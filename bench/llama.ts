/**
 * Compares generation by SmolLM2-135M with llama.cpp, from node-llama-cpp (downloaded to ~/.cache/distillery/peers):
 *   npm run bench -- --llama [--rounds n] [--json file] [--out]
 * Both read the same GGUF file in BF16; llama.cpp also reads one in Q8_0. Eight prompts are the rows of one batch, and
 * each row gets the same number of new tokens, drawn at temperature 1. Packing the weights, which every update changes,
 * counts as our time. Measurements alternate. DISTILLERY_THREADS sets the number of threads of each (default 2).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { peer } from '../scripts/peers/peers';
import type { WeightPrecision } from '../src/engine-data/sampling';
import { useBackend } from '../src/kernels/backends';
import { threadCount } from '../src/kernels/native/addon';
import { exportStudent } from '../src/model/export';
import { type LoadedStudent, loadStudent } from '../src/model/hf-folder';
import { sample } from '../src/rollout/sample';
import { prompts } from '../test/peers/prompts';
import { openLlamaRows } from './llama-rows';
import { median, table } from './report';
import { spentSeconds } from './update';

const rows = 8;
const newTokens = 256;
/** Number of greedy tokens compared in each row, and the minimum share of rows in which all of them agree. */
const greedyTokens = 6;
const leastAgreeing = 0.75;

/** Milliseconds between turns: enough for spinning worker threads to go to sleep. */
const pauseMs = 100;

interface Round {
  seconds: number;
  /** Processor time, in seconds. */
  spent: number;
}

interface Side {
  name: string;
  /** New tokens of each row. */
  generate(tokens: number, temperature: number): Promise<number[][]>;
  close(): Promise<void>;
  rounds: Round[];
  /** Rows whose first greedy tokens are those of our float32. */
  agreeing: number;
}

function ourSide({ model }: LoadedStudent, prompts: number[][], precision: WeightPrecision): Side {
  let seed = 0;
  return {
    name: `Distillery, ${precision}`,
    async generate(tokens, temperature) {
      const sampling = { temperature, topK: 0, topP: 1, minP: 0 };
      const how = { sampling, maxNewTokens: tokens, eosIds: [], seed: seed++, precision };
      return (await sample(model, prompts, how)).completions.map((completion) => completion.tokens);
    },
    close: async () => {},
    rounds: [],
    agreeing: 0,
  };
}

/** @throws Error if the greedy tokens of too few rows agree with our float32: then the models differ */
async function compareGreedy(sides: Side[]): Promise<void> {
  const [ours, ...others] = sides;
  const wanted = await ours.generate(greedyTokens, 0);
  ours.agreeing = rows;
  for (const side of others) {
    const got = await side.generate(greedyTokens, 0);
    side.agreeing = wanted.filter((row, i) => row.every((token, at) => token === got[i][at])).length;
    if (side.agreeing < leastAgreeing * rows)
      throw new Error(`${side.name} agrees with ${ours.name} on the first greedy tokens of ${side.agreeing} rows only`);
  }
}

async function takeTurns(sides: Side[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (const side of sides) {
      await setTimeout(pauseMs);
      const [started, spent] = [performance.now(), spentSeconds()];
      const made = await side.generate(newTokens, 1);
      side.rounds.push({ seconds: (performance.now() - started) / 1000, spent: spentSeconds() - spent });
      if (made.some((row) => row.length !== newTokens)) throw new Error(`${side.name} stopped before the last token`);
    }
}

function speedTable(sides: Side[]): string {
  const peers = sides.filter(({ name }) => name.startsWith('llama.cpp'));
  const best = ({ rounds }: Side, part: keyof Round) => Math.min(...rounds.map((round) => round[part]));
  const perSecond = (seconds: number) => ((rows * newTokens) / seconds).toFixed(0);
  const beside = (side: Side, other: Side) => [
    side === other ? '' : `${(best(other, 'seconds') / best(side, 'seconds')).toFixed(2)}x`,
    side === other ? '' : `${median(side.rounds.map((one, i) => other.rounds[i].seconds / one.seconds)).toFixed(2)}x`,
  ];
  return table(
    [
      'generation',
      'best tokens/s',
      'median tokens/s',
      'processor time, best s',
      ...peers.flatMap(({ name }) => [`speed / ${name}, best`, 'median of rounds']),
      'same greedy start',
    ],
    ...sides.map((side) => [
      side.name,
      perSecond(best(side, 'seconds')),
      perSecond(median(side.rounds.map(({ seconds }) => seconds))),
      best(side, 'spent').toFixed(2),
      ...peers.flatMap((other) => beside(side, other)),
      `${side.agreeing} of ${rows}`,
    ]),
  );
}

export async function compareWithLlama(rounds = 10): Promise<{ text: string; data: object }> {
  process.env.DISTILLERY_THREADS ??= '2';
  const [entry, smollm2] = [await peer('node-llama-cpp'), await peer('smollm2')];
  if (!entry || !smollm2) throw new Error('node-llama-cpp or SmolLM2 is not available');
  const { description } = await useBackend('embedded');
  const folder = mkdtempSync(join(tmpdir(), 'distillery-llama-'));
  const sides: Side[] = [];
  try {
    const files = (['BF16', 'Q8_0'] as const).map((dtype) => {
      const path = join(folder, `${dtype}.gguf`);
      exportStudent(smollm2, path, { format: 'gguf', dtype });
      return { dtype, path };
    });
    const student = loadStudent(files[0].path);
    const asked = prompts.slice(0, rows).map((prompt) => student.tokenizer.encodePrompt(prompt));
    for (const precision of ['float32', 'bfloat16', 'int8'] as const) sides.push(ourSide(student, asked, precision));
    for (const { dtype, path } of files) {
      const llama = await openLlamaRows(entry, path, { prompts: asked, newTokens, threads: threadCount() });
      sides.push({
        name: `llama.cpp, ${dtype}`,
        generate: llama.generate,
        close: llama.close,
        rounds: [],
        agreeing: 0,
      });
    }
    await compareGreedy(sides);
    await takeTurns(sides, rounds);
    const lengths = asked.map(({ length }) => length);
    const text = [
      `${description}; node-llama-cpp ${llamaVersion(entry)} with as many threads.\n${rows} prompts of ` +
        `${Math.min(...lengths)} to ${Math.max(...lengths)} tokens, ${newTokens} new tokens in each row, ` +
        `${rounds} rounds.\nThe last column counts the rows whose first ${greedyTokens} greedy tokens are those ` +
        'of our float32.',
      speedTable(sides),
    ].join('\n\n');
    const data = sides.map(({ name, rounds, agreeing }) => ({ name, rounds, agreeing }));
    return { text, data: { description, rows, newTokens, sides: data } };
  } finally {
    for (const side of sides) await side.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const llamaVersion = (entry: string) => /node-llama-cpp-([\d.]+)/.exec(entry)?.[1] ?? '';
