/**
 * llama.cpp, by way of node-llama-cpp: its results on a GGUF file. One thread and a float32 cache, so that figures are
 * reproducible.
 */
import { pathToFileURL } from 'node:url';

/** The part of node-llama-cpp's interface that is used. */
interface LlamaModule {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<LoadedModel>; dispose(): Promise<void> }>;
}
interface LoadedModel {
  tokenize(text: string, special: boolean): number[];
  createContext(options: object): Promise<{ getSequence(): Sequence; dispose(): Promise<void> }>;
  dispose(): Promise<void>;
}
interface Wish {
  token?: boolean;
  logits?: boolean;
  options?: { temperature: number };
}
interface Sequence {
  clearHistory(): Promise<void>;
  controlledEvaluate(
    input: (number | [number, { generateNext: Wish }])[],
  ): Promise<({ next: { token?: number; logits?: Map<number, number> } } | undefined)[]>;
}

export interface LlamaCpp {
  tokenize(text: string): number[];
  /** The greedy token after each prefix of `ids` that has at least `from` tokens. */
  greedy(ids: readonly number[], from: number): Promise<number[]>;
  /** All logits after the prefixes that end at these positions. */
  logits(ids: readonly number[], places: readonly number[]): Promise<Map<number, number>[]>;
  close(): Promise<void>;
}

export async function openLlamaCpp(entry: string, file: string, contextSize = 256): Promise<LlamaCpp> {
  const { getLlama } = (await import(pathToFileURL(entry).href)) as LlamaModule;
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 });
  const model = await llama.loadModel({ modelPath: file });
  const cache = { experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' };
  const context = await model.createContext({
    contextSize,
    batchSize: contextSize,
    threads: 1,
    flashAttention: false,
    ...cache,
  });
  const sequence = context.getSequence();
  async function evaluate(ids: readonly number[], wanted: (place: number) => boolean, wish: Wish) {
    await sequence.clearHistory();
    const results = await sequence.controlledEvaluate(
      ids.map((id, place) => (wanted(place) ? [id, { generateNext: wish }] : id)),
    );
    return results.filter((_, place) => wanted(place)).map((result) => result!.next);
  }
  return {
    tokenize: (text) => model.tokenize(text, true),
    async greedy(ids, from) {
      const wish = { token: true, options: { temperature: 0 } };
      return (await evaluate(ids, (place) => place + 1 >= from, wish)).map(({ token }) => token!);
    },
    async logits(ids, places) {
      const wanted = new Set(places);
      return (await evaluate(ids, (place) => wanted.has(place), { logits: true })).map(({ logits }) => logits!);
    },
    async close() {
      await context.dispose();
      await model.dispose();
      await llama.dispose();
    },
  };
}
