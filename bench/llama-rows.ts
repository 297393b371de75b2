/** Rows of one batch by llama.cpp, through node-llama-cpp: every step decodes one token of each row at once. */
import { pathToFileURL } from 'node:url';

/** The part of node-llama-cpp's interface that is used. */
interface LlamaModule {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<LoadedModel>; dispose(): Promise<void> }>;
}
interface LoadedModel {
  createContext(options: object): Promise<{ getSequence(): LlamaSequence; dispose(): Promise<void> }>;
  dispose(): Promise<void>;
}
interface LlamaSequence {
  clearHistory(): Promise<void>;
  evaluate(tokens: readonly number[], options: object): AsyncGenerator<number>;
}
interface Batch {
  items: readonly { tokens: readonly unknown[] }[];
}

export interface LlamaRows {
  generate(tokens: number, temperature: number): Promise<number[][]>;
  close(): Promise<void>;
}

export async function openLlamaRows(
  entry: string,
  modelPath: string,
  { prompts, newTokens, threads }: { prompts: readonly number[][]; newTokens: number; threads: number },
): Promise<LlamaRows> {
  const { getLlama } = (await import(pathToFileURL(entry).href)) as LlamaModule;
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: threads });
  const model = await llama.loadModel({ modelPath });
  const promptTokens = prompts.reduce((sum, { length }) => sum + length, 0);
  let batches = 0;
  const context = await model.createContext({
    sequences: prompts.length,
    contextSize: newTokens + Math.max(...prompts.map(({ length }) => length)),
    batchSize: promptTokens,
    threads: { ideal: threads, min: threads },
    batching: {
      itemPrioritizationStrategy: ({ items }: Batch) => {
        batches++;
        return items.map((item) => ({ item, processAmount: item.tokens.length }));
      },
    },
  });
  const sequences = prompts.map(() => context.getSequence());
  let seed = 0;
  return {
    async generate(tokens, temperature) {
      for (const sequence of sequences) await sequence.clearHistory();
      batches = 0;
      const running = sequences.map((sequence, i) =>
        sequence.evaluate(prompts[i], { temperature, topK: 0, topP: 1, minP: 0, seed: seed++, yieldEogToken: true }),
      );
      const made: number[][] = prompts.map(() => []);
      for (let step = 0; step < tokens; step++)
        for (const [i, { value }] of (await Promise.all(running.map((row) => row.next()))).entries())
          made[i].push(value as number);
      for (const row of running) await row.return(undefined);
      if (batches !== tokens) throw new Error(`llama.cpp took ${batches} batches for ${tokens} tokens of each row`);
      return made;
    },
    async close() {
      await context.dispose();
      await model.dispose();
      await llama.dispose();
    },
  };
}
