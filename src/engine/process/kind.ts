/** The PyTorch engine: whether there is one, and its description. */
import { UserError } from '../../errors';
import { packageVersion } from '../../paths';
import type { EngineKind } from '../kind';
import { ProcessEngine, summaryOf } from './engine';
import { findEngine, isSetUp } from './installed';
import { verifyEngine } from './verify';

const advice =
  'Optional, for big students, GPUs and families that the embedded engine ' +
  'does not support: `distillery engine install` (docs/engine.md).';

const start = async () => ProcessEngine.start(findEngine(), { client: packageVersion() });

export const torch: EngineKind = {
  backends: ['torch'],
  start,
  async reports({ measure }) {
    const report = { name: 'torch', advice };
    try {
      if (measure) {
        const { description, hello, tokensPerSecond, flops } = await verifyEngine(findEngine());
        const gflops = flops === null ? undefined : flops / 1e9;
        return [{ ...report, usable: true, detail: summaryOf(description, hello), tokensPerSecond, gflops }];
      }
      const engine = await start();
      await engine.close();
      return [{ ...report, usable: true, detail: summaryOf(engine.info.description, engine.hello) }];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const remedy = isSetUp() ? error.remedy : undefined;
      return [{ ...report, usable: false, detail: error.message, advice: remedy ?? advice }];
    }
  },
};
