/** The PyTorch engine set up for this user (`distillery engine install`), and the choice of the engine for a run. */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../../errors';
import { dataFolder, packageRoot } from '../../paths';
import type { EngineCommand } from './child';
import { splitCommand } from './command-line';

const record = z.object({
  version: z.literal(1),
  /** The Python with the libraries. */
  python: z.string(),
  /** It is the user's own environment, which is never changed. */
  own: z.boolean(),
  accelerator: z.enum(['cuda', 'cpu']),
  vllm: z.boolean(),
  versions: z.record(z.string(), z.string()),
  /** What the engine reported in its test. */
  description: z.string(),
  /** New tokens per second of the built-in student in the test. */
  tokensPerSecond: z.number(),
  installedAt: z.string(),
});

/** The result of a successful setup, saved in `installed.json`. */
export type InstalledEngine = z.infer<typeof record>;

/** The user's data folder for the engine: DISTILLERY_ENGINE_HOME, or the system's usual place. */
export const engineFolder = (): string => process.env.DISTILLERY_ENGINE_HOME || dataFolder('engine');

export const engineRecord = (folder: string): string => join(folder, 'installed.json');

/** The setup; null if there is none. @throws UserError when the record is damaged */
export function readInstalledEngine(): InstalledEngine | null {
  const file = engineRecord(engineFolder());
  if (!existsSync(file)) return null;
  try {
    return record.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new UserError('the record of the PyTorch engine is damaged', {
      file,
      code: 'backend',
      remedy: 'Set it up again: `distillery engine install`.',
      cause,
    });
  }
}

/** The engine package that comes with Distillery, run by a Python with the libraries. */
export function pythonEngine(python: string, { origin, vllm }: { origin: string; vllm: boolean }): EngineCommand {
  return {
    line: [python, '-m', 'distillery_engine', ...(vllm ? ['--sampler', 'vllm'] : [])],
    env: {
      PYTHONPATH: [join(packageRoot(), 'python'), process.env.PYTHONPATH].filter(Boolean).join(delimiter),
      // The package's folder may be read-only.
      PYTHONPYCACHEPREFIX: join(engineFolder(), 'pycache'),
    },
    origin,
  };
}

/** An engine command, described by its source: a setting, an option, DISTILLERY_ENGINE. */
export interface AskedCommand {
  text: string;
  origin: string;
}

let asked: AskedCommand | undefined;

/** Sets the user's own command for all engines that this process starts from now on; undefined: the installed one. */
export function askForEngine(command: AskedCommand | undefined): void {
  asked = command?.text.trim() ? command : undefined;
}

/** The user's own command, if there is one. */
export function askedCommand(): AskedCommand | undefined {
  const text = process.env.DISTILLERY_ENGINE;
  return asked ?? (text?.trim() ? { text, origin: 'DISTILLERY_ENGINE' } : undefined);
}

/**
 * The engine to start: the user's command, else the installed one. Never from a workspace or an experiment.
 * @throws UserError when there is none, or when the installed one is gone
 */
export function findEngine(): EngineCommand {
  const command = askedCommand();
  if (command) {
    const { text, origin } = command;
    return { line: splitCommand(text, origin), origin, remedy: `Check the engine's command (${origin}).` };
  }
  const installed = readInstalledEngine();
  if (!installed)
    throw new UserError('no PyTorch engine is set up here', {
      code: 'backend',
      remedy:
        'Set one up with `distillery engine install` (in the editor: Distillery: ' +
        'Set Up PyTorch Engine), or choose "backend": "embedded".',
    });
  if (!existsSync(installed.python))
    throw new UserError('the Python of the PyTorch engine no longer exists', {
      file: installed.python,
      code: 'backend',
      remedy: installed.own
        ? 'Set up another one: `distillery engine install`, with --python for an environment of yours.'
        : 'Set it up again: `distillery engine repair`.',
    });
  const origin = 'the engine that `distillery engine install` set up';
  const remedy = 'Its environment may be incomplete: `distillery engine repair`.';
  return { ...pythonEngine(installed.python, { origin, vllm: installed.vllm }), remedy };
}

/** Whether the user has set one up or named a command, even if it does not work. */
export const isSetUp = (): boolean => askedCommand() !== undefined || existsSync(engineRecord(engineFolder()));

/** Whether the engine of `distillery engine install` computes on a GPU; of the user's own command it is unknown. */
export const hasGpuEngine = (): boolean => !askedCommand() && readInstalledEngine()?.accelerator === 'cuda';

/** Whether an engine is available, without testing it. */
export function hasEngine(): boolean {
  try {
    findEngine();
    return true;
  } catch {
    return false;
  }
}
