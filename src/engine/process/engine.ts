/** An engine in its own process, on this machine or wherever its command leads. */
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { defaultLora, type LoraSettings } from '../../config/lora';
import type { MemoryModel } from '../../engine-data/memory';
import { UserError } from '../../errors';
import { isFolder } from '../../paths';
import { adapterBase, holdsAdapter, openAdapter } from '../../student-files/adapter-base';
import { readJsonObject } from '../../student-files/files';
import { ggufAt } from '../../student-files/gguf/student';
import { holdsWeights, openWeights } from '../../student-files/weights';
import { gigabytes } from '../../words';
import type { Engine, EngineInfo, OpenOptions, Student } from '../port';
import type { EngineCommand } from './child';
import { EngineConnection } from './connection';
import { EngineLost } from './faults';
import { memoryModel } from './memory';
import { ProcessStudent } from './student';
import type { Hello } from './wire';

export interface ProcessOptions {
  /** Distillery's version. */
  client: string;
}

export class ProcessEngine implements Engine {
  private constructor(
    private readonly command: EngineCommand,
    private readonly options: ProcessOptions,
    private connection: EngineConnection,
    readonly hello: Hello,
  ) {}

  /** Starts the process. @throws EngineLost; UserError when it speaks another version of the protocol */
  static async start(command: EngineCommand, options: ProcessOptions): Promise<ProcessEngine> {
    const { connection, hello } = await EngineConnection.open(command, options.client);
    return new ProcessEngine(command, options, connection, hello);
  }

  get info(): EngineInfo {
    const { engine, version, versions, device, dtypes, samplers, processes } = this.hello;
    return {
      name: 'torch',
      description: `${describe(this.hello)}${through(this.command)}`,
      engine: `${engine} ${version}`,
      versions,
      device,
      dtypes,
      samplers,
      processes,
    };
  }

  /** The process id while it is running. */
  get pid(): number | undefined {
    return this.connection.pid;
  }

  /** One product does not predict the duration of a run: a GPU waits for memory, or for its next kernel. */
  async speed(): Promise<null> {
    return null;
  }

  /** Measured floating-point operations per second of a large product; null if the engine does not report it. */
  async multiplicationSpeed(): Promise<number | null> {
    return (await unlessRefused(this.connection.request('speed', {})))?.flops ?? null;
  }

  /** From the engine's own measurement; older engines have none. */
  async memory(folder: string, lora: LoraSettings | null): Promise<MemoryModel | null> {
    const ask = (adapter: LoraSettings | null) =>
      unlessRefused(this.connection.request('memory', { student, adapter }));
    const student = resolve(folder);
    const asked = await ask(lora);
    const adapted = lora ? asked : await ask(defaultLora); // which may be the remedy
    return asked && adapted && memoryModel(this.hello.device, (one) => (one ? adapted : asked));
  }

  /** Loads a student; a lost engine is restarted first. */
  async open(folder: string, { lora, seed, warn }: OpenOptions): Promise<Student> {
    const student = resolve(folder);
    if (existsSync(student) && !statSync(student).isDirectory())
      throw new UserError('this engine reads Hugging Face folders, and this is a file', {
        file: student,
        code: 'checkpoint',
        remedy:
          'Convert a GGUF file with `distillery import student`, or ' +
          'choose the embedded engine: "backend": "embedded".',
      });
    checkFiles(student);
    if (!this.connection.alive) await this.startAgain();
    const { connection } = this;
    const { id, facts, warnings } = await connection.request('open', { student, adapter: lora, seed });
    for (const text of warnings ?? []) warn?.(text);
    return new ProcessStudent(connection, student, id, facts);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  private async startAgain(): Promise<void> {
    ({ connection: this.connection } = await EngineConnection.open(this.command, this.options.client));
  }
}

/**
 * Refuses damaged files as the embedded engine does, before the libraries of another engine wait for a pipe or complete
 * the weights. What is not on this machine, the engine checks alone.
 */
function checkFiles(folder: string): void {
  if (!isFolder(folder) || ggufAt(folder) !== null) return;
  const adapter = holdsAdapter(folder);
  if (adapter) openAdapter(folder).close();
  const base = adapter && !holdsWeights(folder) ? adapterBase(folder).path : folder;
  if (!isFolder(base)) return;
  readJsonObject(join(base, 'config.json'));
  openWeights(base).close();
}

/** Details beyond a run's record: devices with their memory, dtypes, samplers. */
export function summaryOf(description: string, { device, devices, dtypes, samplers }: Hello): string {
  const named = devices.map((one) => (typeof one === 'string' ? one : `${one.name}${memoryText(one)}`));
  return [
    description,
    `devices ${named.join(', ') || device}`,
    `dtypes ${dtypes.join(', ')}`,
    `samplers ${samplers.join(', ')}`,
  ].join('; ');
}

/** The engine's answer; null if it cannot answer, as older engines lack this request. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UserError && !(error instanceof EngineLost)) return null;
    throw error;
  }
}

/** The program that starts it, if that is not Python: `ssh`, `docker`, `srun`. */
function through({ line: [program] }: EngineCommand): string {
  const name = basename(program).replace(/\.exe$/i, '');
  return /^(python|node)[\d.]*$/i.test(name) ? '' : `, through ${name}`;
}

function memoryText({ totalBytes, freeBytes }: { totalBytes?: number; freeBytes?: number }): string {
  if (totalBytes === undefined) return '';
  return ` (${gigabytes(totalBytes)}${freeBytes === undefined ? '' : `, ${gigabytes(freeBytes)} free`})`;
}

/** One line for people: `PyTorch 2.13.0 on cuda (NVIDIA H200)`. */
function describe({ engine, version, versions, device, devices, processes }: Hello): string {
  const library = versions.torch ? `PyTorch ${versions.torch}` : `${engine} ${version}`;
  const names = devices.map((one) => (typeof one === 'string' ? one : one.name)).filter((name) => name !== device);
  const named = device !== 'cpu' && names.length > 0 ? `${device} (${names[0]})` : device;
  const spread = processes > 1 ? `, ${processes} processes` : '';
  return `${library} on ${named === 'cpu' ? 'the CPU' : named}${spread}`;
}
