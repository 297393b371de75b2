/** What `npm run bench:ui` runs inside the extension host: appends one line of measurements to a file. */
import { appendFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { RunsTree } from '../../src/extension/runs/view';
import type { Services } from '../../src/extension/services';

/** Milliseconds. `own` is the thread's CPU time, which other processes of a busy machine do not add to. */
export interface Took {
  wall: number;
  own: number;
}

export interface HostTimes {
  /** To load and activate the extension; undefined if it was active already. */
  activation?: Took;
  runs: number;
  /** Resident memory of the extension host, all that runs in it, before and after the cases were listed, in bytes. */
  memory: { before: number; after: number; cases: number };
  /** To find every problem's records in a run's rollouts, and how far the memory grew meanwhile, in bytes. */
  index?: Took & { grown: number };
  /** To list the workspace's runs and to make all items of the Runs tree, with cold caches of ours. */
  tree: Took;
}

/** The extension host's Node has it since 23.9, but the project's types do not. */
const { threadCpuUsage } = process as typeof process & { threadCpuUsage(before?: object): NodeJS.CpuUsage };

function stopwatch(): () => Took {
  const [begun, before] = [performance.now(), threadCpuUsage()];
  return () => {
    const { user, system } = threadCpuUsage(before);
    return { wall: performance.now() - begun, own: (user + system) / 1000 };
  };
}

/** Until the other extensions of the window have come up: their work on this thread is not ours. */
async function quiet(): Promise<void> {
  for (let took = stopwatch(), i = 0; i < 60; took = stopwatch(), i++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (took().own < 20) return;
  }
}

/** As the chain diff finds a problem's records; the most memory on the way. */
async function indexed(run: string): Promise<Took & { grown: number }> {
  const { ProblemIndex } = await import('../../src/extension/chain-diff/problem-index');
  const index = new ProblemIndex(run);
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  const took = stopwatch();
  await index.refresh();
  clearInterval(watch);
  const problems = index.allProblems();
  if (problems.length === 0) throw new Error(`No problem was found in ${run}`);
  return { ...took(), grown: most - before };
}

export async function run(): Promise<void> {
  const extension = vscode.extensions.getExtension<Services>('distillery.distillery')!;
  await quiet();
  const wasActive = extension.isActive;
  const activated = stopwatch();
  const services = await extension.activate();
  const activation = wasActive ? undefined : activated();
  await services.runs.ready;
  // Data read while the window opened is not read again: this is another index, like that of a new window.
  const { RunIndex } = await import('../../src/extension/workspace/run-index');
  const runs = new RunIndex();
  await runs.ready;
  const drawn = stopwatch();
  const tree = new RunsTree({ ...services, runs });
  const items = (node?: Parameters<RunsTree['getTreeItem']>[0]): number =>
    tree.getChildren(node).reduce((sum, child) => {
      tree.getTreeItem(child);
      return sum + 1 + (child.kind === 'experiment' ? items(child) : 0);
    }, 0);
  items();
  const tookTree = drawn();
  const before = process.memoryUsage.rss();
  await vscode.commands.executeCommand('distillery.failures.focus');
  await quiet();
  const cases = services.cases.groups.reduce((sum, group) => sum + group.cases.length, 0);
  const memory = { before, after: process.memoryUsage.rss(), cases };
  const rollouts = process.env.DISTILLERY_BENCH_ROLLOUTS;
  const index = cases > 100 && rollouts ? await indexed(rollouts) : undefined;
  const times: HostTimes = {
    activation,
    runs: runs.list().length,
    tree: tookTree,
    memory,
    ...(index && { index }),
  };
  tree.dispose();
  runs.dispose();
  appendFileSync(process.env.DISTILLERY_BENCH_OUT!, `${JSON.stringify(times)}\n`);
}
