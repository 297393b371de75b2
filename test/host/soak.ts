/**
 * npm run soak [-- <updates>]: a long run of a tiny student on a host, by default 10,000 updates. Prints the memory of
 * the host and the size of its log at every tenth, and fails if either keeps growing.
 */
import { readFileSync, statSync } from 'node:fs';
import { logFile, readAddress } from '../../src/protocol/host-folder';
import { metricsFile } from '../../src/runs/layout';
import { longStage, openWorkplace, until } from './workplace';

/** Growth between the second tenth, when everything has been loaded, and the last, in megabytes. */
const most = { memory: 40, log: 1 };
const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;

/** Resident memory of a process, on Linux. */
const memoryOf = (pid: number) => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

async function soak(updates: number): Promise<void> {
  const work = await openWorkplace();
  try {
    const { client } = work.client();
    let done = 0;
    client.on('event', (event) => {
      if (event.type === 'curriculum' && event.event.type === 'update') done++;
    });
    const { run } = await client.request('start', { experiment: work.experiment('soak', longStage(updates)) });
    const { pid } = readAddress(work.distillery)!;
    const samples: { memory: number; log: number }[] = [];
    for (let tenth = 1; tenth <= 10; tenth++) {
      await until(`update ${(updates * tenth) / 10}`, () => done >= Math.floor((updates * tenth) / 10), 3_600_000);
      const sizes = { memory: memoryOf(pid), log: statSync(logFile(work.distillery)).size };
      samples.push({ memory: megabytes(sizes.memory), log: megabytes(sizes.log) });
      const records = megabytes(statSync(metricsFile(run)).size);
      const { memory, log } = samples[tenth - 1];
      console.log(`${done} updates: host ${memory} MB, host.log ${log} MB, metrics.jsonl ${records} MB`);
    }
    const [early, late] = [samples[1], samples[9]];
    const grown = { memory: late.memory - early.memory, log: late.log - early.log };
    console.log(`from ${updates / 5} updates on: ${grown.memory.toFixed(1)} MB of memory more`);
    if (grown.memory > most.memory || grown.log > most.log) process.exitCode = 1;
  } finally {
    await work.close();
  }
}

void soak(Number(process.argv[2] ?? 10_000));
