/** Students on a server of the Tinker API: hosted Tinker, SkyRL, TuFT (docs/cluster.md). */
import { join, resolve } from 'node:path';
import type { Experiment } from '../../config/experiment';
import { UserError } from '../../errors';
import type { Spent } from '../../spent';
import { readJsonObject } from '../../student-files/files';
import { baseFolder } from '../../student-files/folder';
import type { EngineKind, EngineReport } from '../kind';
import type { Engine, OpenOptions, Student, StudentFacts } from '../port';
import { checkServer, type TinkerAddress, TinkerClient } from './client';
import { Meter } from './meter';
import { RemoteModel } from './model';
import { type Probed, probe } from './probe';
import { isRemote, readRemote } from './remote';
import { type AskedServer, advice, tinkerServer, variables } from './server';
import { checkExperiment } from './settings';
import { TinkerStudent } from './student';

const probeRank = 8;

export const tinker: EngineKind = {
  backends: ['tinker'],
  start: async () => startTinker(tinkerServer()),
  reports: async () => [await report()],
};

async function report(): Promise<EngineReport> {
  const name = 'tinker';
  try {
    const { model, ...address } = tinkerServer();
    const models = await new TinkerClient(address).models({ tries: 1, timeoutMs: 10_000 });
    const named = models.length > 0 ? models : [chooseModel(models, model)];
    return { name, usable: true, detail: `${new URL(address.url).host}: ${named.join(', ')}`, advice };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, usable: false, detail: error.message, advice: error.remedy ?? advice };
  }
}

/** Opens a session and probes the server. @throws UserError when its gradients cannot be trusted */
export async function startTinker({ model, prices, ...address }: AskedServer & TinkerAddress): Promise<Engine> {
  const client = new TinkerClient(address, new Meter(prices));
  await client.open();
  try {
    const base = chooseModel(await client.models(), model);
    const probed = await probe(client, { base, rank: probeRank, texts: [idsOf(12), idsOf(25)] });
    checkTrust(probed);
    return new TinkerEngine(client, address.url, base, probed);
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Ids that every vocabulary has. */
const idsOf = (count: number) => Array.from({ length: count }, (_, i) => 5 + ((7 * i) % 90));

function chooseModel(models: readonly string[], wanted: string | undefined): string {
  if (wanted) return wanted;
  if (models.length === 1) return models[0];
  if (models.length === 0)
    throw new UserError('the Tinker server names no model that it trains', {
      code: 'backend',
      remedy: checkServer,
    });
  throw new UserError(`the Tinker server trains ${models.length} models: ${models.join(', ')}`, {
    code: 'config',
    remedy: `Choose one in ${variables.model}, or in the setting distillery.tinker.model.`,
  });
}

function checkTrust({ repeatable, carrier, learningRate, resumes }: Probed): void {
  const faults = [
    !repeatable && 'the log-probs of a text change between two requests',
    !carrier && 'none of its losses carries a gradient exactly',
    carrier && !learningRate && 'the learning rate has no effect',
    !resumes && 'training does not continue correctly from saved weights and moments',
  ].filter((fault) => typeof fault === 'string');
  if (faults.length > 0)
    throw new UserError(`this Tinker server cannot be used for training: ${faults.join('; ')}`, {
      code: 'backend',
      remedy: 'docs/cluster.md lists tested servers and versions.',
    });
}

class TinkerEngine implements Engine {
  readonly info: Engine['info'];
  private readonly students = new Set<TinkerStudent>();

  constructor(
    private readonly client: TinkerClient,
    private readonly url: string,
    private readonly base: string,
    private readonly probed: Probed,
  ) {
    this.info = { name: 'tinker', description: `${base} on the Tinker server ${new URL(url).host}`, probed };
  }

  get spent() {
    return this.client.meter.spent;
  }

  continueSpending(before: Spent): void {
    this.client.meter.continueFrom(before);
  }

  check(experiment: Experiment): void {
    checkExperiment(experiment, this.probed);
  }

  /** Memory of the server, which is not needed here. */
  memory = async () => null;
  speed = async () => null;

  async open(path: string, { lora, seed, warn = () => {} }: OpenOptions): Promise<Student> {
    const folder = resolve(path);
    if (!lora)
      throw new UserError('a Tinker server trains adapters, and student.lora is off', {
        code: 'config',
        remedy: 'Set "lora": {} in student.',
      });
    warn("alpha and targets of the adapter are the server's");
    const made = await RemoteModel.create(this.client, this.base, { rank: lora.rank, seed });
    const student = new TinkerStudent(made, {
      client: this.client,
      url: this.url,
      folder: isRemote(folder) ? baseFolder(folder) : folder,
      facts: factsOf(baseFolder(folder)),
      probed: this.probed,
      warn,
      disposed: (one) => this.students.delete(one),
    });
    this.students.add(student);
    if (isRemote(folder)) await student.load(folder, { moments: true, step: readRemote(folder).step });
    return student;
  }

  async close(): Promise<void> {
    for (const student of [...this.students]) await student.dispose();
    await this.client.close();
  }
}

/** From config.json, for any family. Only the server knows the number of parameters. */
function factsOf(folder: string): StudentFacts {
  const file = join(folder, 'config.json');
  const json = readJsonObject(file);
  const number = (name: string): number => {
    const value = json[name];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    throw new UserError(`${name} is not a whole number above 0`, { file, code: 'checkpoint' });
  };
  return {
    vocabSize: number('vocab_size'),
    maxPositions: number('max_position_embeddings'),
    parameters: 0,
    trainable: 0,
  };
}
