/**
 * Compares whole GRPO updates of both engines with TRL's, from the same weights and prompts:
 *   npm run bench -- --trl [--rounds n] [--pretrained] [--json file] [--out]
 * First with one thread each, then with two, unless DISTILLERY_THREADS sets their number. Measurements alternate, so
 * that other processes slow all of them down equally. Processor time is affected least by them, but only the clock
 * shows the gain of a second thread. DISTILLERY_PYTHON names a Python with trl and peft, which also runs the PyTorch
 * engine (Linux). `--pretrained` adds SmolLM2-135M: one round for every five of the small student, ten minutes each.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultLora } from '../src/config/lora';
import { ProcessEngine } from '../src/engine/process/engine';
import { pythonEngine } from '../src/engine/process/installed';
import { useBackend } from '../src/kernels/backends';
import { saveStudent } from '../src/model/hf-folder';
import { packageRoot } from '../src/paths';
import { startPython } from './peer';
import { median, table } from './report';
import { embeddedStudent, openUpdates, pretrainedWork, smallWork, spentSeconds, type UpdateWork } from './update';

/** Processor time of generation and of the rest, and wall-clock time of both. */
interface Seconds {
  generate: number;
  train: number;
  wall: number;
}

interface Side {
  name: string;
  rounds: Seconds[];
}

interface Compared {
  title: string;
  version: string;
  sides: Side[];
}

type Updates = ReturnType<typeof openUpdates>;

/** Ticks per second in /proc: USER_HZ, 100 on every Linux that Node supports. */
const ticksASecond = 100;

interface Updater {
  update(): Promise<Seconds>;
  close(): void;
}

/** `elsewhere`: the time of the engine's process, if it has its own. */
function openOurs(updates: Updates, elsewhere: () => number = () => 0): Updater {
  const spent = () => spentSeconds() + elsewhere();
  return {
    async update() {
      const [began, started] = [spent(), performance.now()];
      const episodes = await updates.generate();
      const generated = spent();
      await updates.train(episodes);
      const wall = (performance.now() - started) / 1000;
      return { generate: generated - began, train: spent() - generated, wall };
    },
    close: () => {},
  };
}

/** The PyTorch engine on the same student, through its pipe. */
async function openTorch(work: UpdateWork, folder: string, dtype: string): Promise<Updater> {
  const python = process.env.DISTILLERY_PYTHON || 'python3';
  const { line, env, origin } = pythonEngine(python, { origin: 'DISTILLERY_PYTHON', vllm: false });
  const threads = { OMP_NUM_THREADS: process.env.DISTILLERY_THREADS! };
  const command = {
    line: [...line, '--device', 'cpu', '--dtype', dtype],
    env: Object.assign({}, env, threads),
    origin,
  };
  const engine = await ProcessEngine.start(command, { client: 'bench' });
  const student = await engine.open(folder, { lora: work.model.adapter ? defaultLora : null, seed: 1 });
  const { update } = openOurs(openUpdates(student, work), () => spentBy(engine.pid!));
  return { update, close: () => void engine.close() };
}

/** Processor time of a process, in seconds (Linux). */
function spentBy(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksASecond;
}

async function openTrl(work: UpdateWork, folder: string, dtype: string): Promise<Updater & { version: string }> {
  const { prompts, group, newTokens, model } = work;
  const threads = Number(process.env.DISTILLERY_THREADS);
  const adapter = model.adapter?.settings.rank ?? 0;
  const job = { threads, prompts, group, new: newTokens, adapter, dtype };
  const peer = startPython([join(packageRoot(), 'bench', 'peer_trl.py'), folder, JSON.stringify(job)]);
  const answer = async () => {
    const said = await peer.answer();
    if (typeof said === 'string') throw new Error(`TRL's side of the benchmark failed: ${said}`);
    return said;
  };
  const { version } = (await answer()) as { version: string };
  return {
    version,
    async update() {
      peer.input.write('\n');
      return (await answer()) as Seconds;
    },
    close: () => peer.input.end(),
  };
}

async function compareUpdates(work: UpdateWork, dtypes: readonly string[], rounds: number): Promise<Compared> {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-trl-'));
  const opened: (Updater & { name: string })[] = [];
  try {
    saveStudent(folder, { ...work.model, adapter: null });
    let version = '';
    for (const precision of ['float32', 'bfloat16'] as const)
      opened.push({
        name: `Distillery, ${precision}`,
        ...openOurs(openUpdates(embeddedStudent(work), work, precision)),
      });
    for (const dtype of dtypes) {
      if (process.platform === 'linux')
        opened.push(Object.assign(await openTorch(work, folder, dtype), { name: `Distillery on PyTorch, ${dtype}` }));
      const trl = await openTrl(work, folder, dtype);
      version = trl.version;
      opened.push(Object.assign(trl, { name: `TRL, ${dtype}` }));
    }
    const sides = opened.map(({ name }): Side => ({ name, rounds: [] }));
    // The first update is a warm-up; with a large student its overhead is small.
    for (let round = work.model.adapter ? 0 : -1; round < rounds; round++)
      for (const [i, side] of opened.entries()) {
        const seconds = await side.update();
        if (round >= 0) sides[i].rounds.push(seconds);
      }
    return { title: work.title, version, sides };
  } finally {
    for (const side of opened) side.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const total = ({ generate, train }: Seconds) => generate + train;

function comparedTable({ title, version, sides }: Compared): string {
  const [ours] = sides;
  const best = ({ rounds }: Side, part: (seconds: Seconds) => number) => Math.min(...rounds.map(part));
  const ratio = (side: Side, part: (seconds: Seconds) => number) =>
    median(side.rounds.map((seconds, i) => part(seconds) / part(ours.rounds[i])));
  const parts: [string, (seconds: Seconds) => number][] = [
    ['update', total],
    ['generation', ({ generate }) => generate],
    ['training', ({ train }) => train],
    ['update by the clock', ({ wall }) => wall],
  ];
  const rows = sides.map((side) => [
    side.name,
    ...parts.flatMap(([, part]) => [
      best(side, part).toFixed(2),
      side === ours ? '' : `${ratio(side, part).toFixed(2)}x`,
    ]),
  ]);
  const head = ['', ...parts.flatMap(([name]) => [`${name}, best s`, "/ ours in float32, rounds' median"])];
  return `${title} (${version}; ${ours.rounds.length} rounds):\n\n${table(head, ...rows)}`;
}

export interface TrlOptions {
  /** Of the small student, default 5; the pretrained one has a fifth of them. */
  rounds?: number;
  pretrained: boolean;
  student?: string;
}

/** With the number of threads of this process. */
export async function compareWithTrl(options: TrlOptions) {
  const { description } = await useBackend('embedded');
  const { rounds = 5 } = options;
  const found = [await compareUpdates(smallWork(), ['float32'], rounds)];
  const pretrained = options.pretrained ? await pretrainedWork(options.student) : null;
  const fewer = Math.max(1, Math.floor(rounds / 5));
  if (pretrained) found.push(await compareUpdates(pretrained, ['float32', 'bfloat16'], fewer));
  const head = `${description}, and the others with as many. Seconds of processor time but in the last columns.`;
  return { text: [head, ...found.map(comparedTable)].join('\n\n'), data: { description, compared: found } };
}

/** With one thread, then with two, each in its own process because the number of threads is fixed at start. */
export function besideTrlByThreads(): { text: string; data: object } {
  const folder = mkdtempSync(join(tmpdir(), 'distillery-trl-'));
  try {
    const results = ['1', '2'].map((threads) => {
      const file = join(folder, `${threads}.json`);
      const args = [...process.execArgv, ...process.argv.slice(1).filter((arg) => arg !== '--out'), '--json', file];
      const env = { ...process.env, DISTILLERY_THREADS: threads, OMP_NUM_THREADS: threads };
      const { status } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
      if (status !== 0) throw new Error(`the benchmark with ${threads} threads failed`);
      return JSON.parse(readFileSync(file, 'utf8')) as Awaited<ReturnType<typeof compareWithTrl>>;
    });
    return { text: results.map(({ text }) => text).join('\n\n'), data: results.map(({ data }) => data) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
