/** The command line as a separate process, with a workspace. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentInput } from '../../src/config/experiment';
import { tinyInput, tinyWorkspace } from '../../src/curriculum/testing/tiny';
import { builtPrograms } from '../bundle';

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Distillery {
  /** A folder with a random student in `student/`; processes start in it. */
  folder: string;
  /** Starts the command line and leaves it running. */
  start(...args: string[]): ChildProcess;
  /** Runs it to its end. */
  run(...args: string[]): Promise<Outcome>;
  /** As run, with `--json`; its output parsed. */
  json<T = Record<string, unknown>>(...args: string[]): Promise<T>;
  /** The same with other environment variables. */
  with(env: NodeJS.ProcessEnv): Distillery;
  /** Its JavaScript file. */
  program: string;
  write(name: string, content: string | object): string;
  close(): void;
}

export async function openDistillery(): Promise<Distillery> {
  const { folder: programs, remove } = await builtPrograms({ cli: 'src/cli/main.ts' });
  const folder = await tinyWorkspace();
  const env = { ...process.env, NO_COLOR: '1', DISTILLERY_THREADS: '1', npm_lifecycle_event: '' };
  return handle({ program: join(programs, 'cli.js'), remove, folder }, env);
}

interface Place {
  program: string;
  folder: string;
  /** Deletes the program if it is a temporary one. */
  remove(): void;
}

function handle(place: Place, env: NodeJS.ProcessEnv): Distillery {
  const { program, folder } = place;
  const start = (...args: string[]) =>
    spawn(process.execPath, [program, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env });
  const run = (...args: string[]) => outcome(start(...args));
  return {
    folder,
    program,
    with: (changes) => handle(place, { ...env, ...changes }),
    start,
    run,
    async json<T>(...args: string[]) {
      const { stdout, stderr } = await run(...args, '--json');
      try {
        return JSON.parse(stdout) as T;
      } catch {
        throw new Error(`not JSON: ${stdout}\n${stderr}`);
      }
    },
    write(name, content) {
      const file = join(folder, name);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
      return file;
    },
    close() {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
      place.remove();
    },
  };
}

export function outcome(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    child.stdout!.on('data', (data) => (stdout += data));
    child.stderr!.on('data', (data) => (stderr += data));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** An experiment in which everything happens in a few seconds. */
export function tinyFile(changes: Partial<ExperimentInput> = {}): ExperimentInput {
  const sizes = { updates: 2, batch: 2, maxNewTokens: 8, samples: 1, evaluationTokens: 8 };
  return { ...tinyInput({ ...sizes, problems: [8, 4, 2] }), ...changes };
}
