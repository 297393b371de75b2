/** Tests an engine through the protocol: sampling and a gradient step with a small student. */
import { join } from 'node:path';
import { defaultAdam } from '../../config/adam';
import { defaultLora } from '../../config/lora';
import { UserError } from '../../errors';
import { packageRoot, packageVersion } from '../../paths';
import { makeFolder, remove } from '../../writing';
import type { EngineCommand } from './child';
import { ProcessEngine } from './engine';
import { engineFolder } from './installed';
import type { Hello } from './wire';

export interface Verified {
  hello: Hello;
  description: string;
  /** New tokens per second for a batch of 16 completions of 32 tokens. */
  tokensPerSecond: number;
  /** Floating-point operations per second of a large product; null if the engine does not report it. */
  flops: number | null;
}

/** The built-in student, which is part of the package. */
const student = () => join(packageRoot(), 'examples', 'arithmetic', 'student');

/**
 * Starts the engine, trains and samples a student, and ends it. @throws UserError that gives the reason if it does not
 * work
 */
export async function verifyEngine(command: EngineCommand, signal?: AbortSignal): Promise<Verified> {
  const engine = await ProcessEngine.start(command, { client: packageVersion() });
  const root = engineFolder();
  const folder = join(root, `trial-${process.pid}`);
  try {
    makeFolder(root, folder);
    // With an adapter, which needs every library.
    const opened = await engine.open(student(), { lora: defaultLora, seed: 1 });
    const prompt = [5, 6, 7, 8];
    const options = { maxNewTokens: 32, eosIds: [], seed: 1, groupSize: 16, signal };
    const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
    await opened.sample([prompt], { ...options, sampling }); // warm-up
    const { completions, summary } = await opened.sample([prompt], { ...options, sampling });
    const example = { prompt, completion: completions[0].tokens };
    const step = { learningRate: 1e-3, seed: 1, weightDecay: 0, maxGradNorm: 1, adam: defaultAdam, dropout: 0 };
    const settings = { microBatchTokens: 1024, signal };
    const { loss } = await opened.supervisedStep([example], { ...step, ...settings });
    const after = await opened.loss([example], settings);
    if (!(after < loss))
      throw new UserError(`a gradient step did not lower the loss (${loss} before, ${after} after)`, {
        code: 'backend',
        remedy: 'The libraries or the device compute wrong results: set the engine up again.',
      });
    await opened.save(folder, { moments: true, eosIds: [1] });
    await opened.dispose();
    const flops = await engine.multiplicationSpeed();
    const { tokensPerSecond } = summary;
    return { hello: engine.hello, description: engine.info.description, tokensPerSecond, flops };
  } finally {
    await engine.close();
    remove(root, folder);
  }
}
