/**
 * Measures the overhead per update of the pipe to an engine process: npm run bench -- --pipe [--rounds n] [--out]
 *
 * An update of 512 completions of 1,000 tokens by an engine that computes nothing (peer_pipe.py, run by
 * DISTILLERY_PYTHON): what remains is packing, JSON, the pipe and unpacking in both processes.
 */
import { join } from 'node:path';
import { ProcessEngine } from '../src/engine/process/engine';
import { pythonEngine } from '../src/engine/process/installed';
import { packageRoot } from '../src/paths';
import { median, table } from './report';
import { openUpdates, type UpdateWork } from './update';

const [completions, tokens] = [512, 1000];

export async function pipeCost(rounds = 5): Promise<{ text: string; data: object }> {
  const python = process.env.DISTILLERY_PYTHON || 'python3';
  const { env, origin } = pythonEngine(python, { origin: 'DISTILLERY_PYTHON', vllm: false });
  const line = [python, join(packageRoot(), 'bench', 'peer_pipe.py'), `${completions}`, `${tokens}`];
  const engine = await ProcessEngine.start({ line, env, origin }, { client: 'bench' });
  try {
    const student = await engine.open('/', { lora: null, seed: 1 });
    const prompts = Array.from({ length: completions / 8 }, () => Array.from({ length: 200 }, (_, i) => i));
    const work = { prompts, group: 8, newTokens: tokens, microBatchTokens: 8192 } as UpdateWork;
    const updates = openUpdates(student, work);
    const seconds: { sample: number; step: number }[] = [];
    for (let round = -1; round < rounds; round++) {
      const began = performance.now();
      const episodes = await updates.generate();
      const sampled = performance.now();
      await updates.train(episodes);
      const ended = performance.now();
      if (round >= 0) seconds.push({ sample: (sampled - began) / 1000, step: (ended - sampled) / 1000 });
    }
    const row = (name: string, values: number[]) => [
      name,
      Math.min(...values).toFixed(2),
      median(values).toFixed(2),
      ((1e6 * Math.min(...values)) / (completions * tokens)).toFixed(2),
    ];
    const text = table(
      ['', 'best s', 'median s', 'µs a token'],
      row(
        'sample',
        seconds.map(({ sample }) => sample),
      ),
      row(
        'grpoStep',
        seconds.map(({ step }) => step),
      ),
      row(
        'both: an update',
        seconds.map(({ sample, step }) => sample + step),
      ),
    );
    return { text: `${completions} completions of ${tokens} tokens, ${rounds} rounds:\n\n${text}`, data: { seconds } };
  } finally {
    await engine.close();
  }
}
