/** PyTorch as an engine: whether there is one, and what it is. */
import { UserError } from '../../errors';
import { packageVersion } from '../../paths';
import type { EngineKind } from '../kind';
import { ProcessEngine } from './engine';
import { askedCommand, findEngine, readInstalledEngine } from './installed';

const advice =
  'Optional, for big students, GPUs and families that the embedded engine does not know: `distillery engine install` (docs/engine.md).';

const start = async () => ProcessEngine.start(findEngine(), { client: packageVersion() });

export const torch: EngineKind = {
  backends: ['torch'],
  start,
  memory: () => null,
  async reports() {
    const report = (usable: boolean, detail: string) => [{ name: 'torch', usable, detail, advice }];
    try {
      const engine = await start();
      await engine.close();
      const speed = askedCommand() ? undefined : readInstalledEngine()?.tokensPerSecond;
      const measured = speed ? `; ${Math.round(speed)} tokens/s of the built-in student when it was set up` : '';
      return report(true, `${engine.summary}${measured}`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return report(false, error.message);
    }
  },
};
