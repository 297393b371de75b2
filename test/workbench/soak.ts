/**
 * What `npm run soak:ui` runs inside the extension host: memory while a run trains with its dashboard open, and while
 * 100,000 lines are appended to the metrics of another whose dashboard is open. Appends one line to a file.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as vscode from 'vscode';
import { readAddress } from '../../src/protocol/host-folder';
import { metricsFile } from '../../src/runs/layout';
import { listRuns, readMetrics } from '../../src/runs/reading';
import { pause, until } from './until';

/**
 * Bytes in use after garbage collection, columns of metrics included, and of the whole process; also of the training
 * host, with its engine, while there is one.
 */
export interface Memory {
  updates: number;
  heap: number;
  resident: number;
  training?: number;
}

export interface Soaked {
  runs: number;
  trained: Memory[];
  appended: Memory[];
  /** Folders of the run with 100,000 lines, and of one with a few. */
  long: string;
  short: string;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function measure(updates: number, distillery?: string): Promise<Memory> {
  await pause(3000); // the pages are drawn
  collect();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const training = distillery && residentOf(readAddress(distillery)?.pid);
  return { updates, heap: heapUsed + arrayBuffers, resident: rss, ...(training && { training }) };
}

/** Resident memory of a process, on Linux. */
function residentOf(pid: number | undefined): number | undefined {
  const status = `/proc/${pid}/status`;
  return existsSync(status) ? 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))![1]) : undefined;
}

const open = (run: string) => vscode.commands.executeCommand('distillery.openDashboard', run);

async function trained(folder: string, runs: string, updates: number): Promise<Memory[]> {
  const known = new Set(listRuns(runs).map((one) => one.folder));
  void vscode.commands.executeCommand(
    'distillery.runCurriculum',
    vscode.Uri.file(join(folder, 'soak.distillery.json')),
  );
  const run = await until('the run', () => listRuns(runs).find((one) => !known.has(one.folder))?.folder, 300_000);
  await open(run);
  const memory: Memory[] = [];
  for (let tenth = 1; tenth <= 10; tenth++) {
    const wanted = Math.floor((updates * tenth) / 10);
    await until(`update ${wanted}`, () => readMetrics(run).length >= wanted, 3_600_000);
    memory.push(await measure(wanted, join(folder, '.distillery')));
  }
  return memory;
}

async function appended(run: string): Promise<Memory[]> {
  const file = metricsFile(run);
  const [line] = readFileSync(file, 'utf8').split('\n');
  const record = JSON.parse(line) as object;
  writeFileSync(file, '');
  await open(run);
  const memory: Memory[] = [];
  for (let tenth = 1; tenth <= 10; tenth++) {
    const first = (tenth - 1) * 10_000;
    const lines = Array.from({ length: 10_000 }, (_, i) => {
      const step = first + i + 1;
      return `${JSON.stringify({ ...record, seq: step, step })}\n`;
    });
    for (let i = 0; i < lines.length; i += 500) {
      appendFileSync(file, lines.slice(i, i + 500).join(''));
      await pause(20);
    }
    memory.push(await measure(first + 10_000));
  }
  return memory;
}

export async function run(): Promise<void> {
  await vscode.extensions.getExtension('distillery.distillery')!.activate();
  const folder = vscode.workspace.workspaceFolders![0].uri.fsPath;
  const runs = join(folder, '.distillery/runs');
  const [old, other] = listRuns(runs);
  const updates = Number(process.env.DISTILLERY_SOAK_UPDATES);
  const soaked: Soaked = {
    runs: listRuns(runs).length,
    trained: await trained(folder, runs, updates),
    appended: await appended(old.folder),
    long: old.folder,
    short: other.folder,
  };
  appendFileSync(process.env.DISTILLERY_SOAK_OUT!, `${JSON.stringify(soaked)}\n`);
}
