import { mkdtempSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadExperiment } from '../src/config/load';
import { startRun } from '../src/curriculum/session';
const g = (n: number) => (n / 1e9).toFixed(2);
const scratch = mkdtempSync('/tmp/mem-');
const student = '/root/.cache/distillery/peers/smollm2-135m-instruct-q4_1/SmolLM2-135M-Instruct.Q4_1.gguf';
const data = { format: 'bridge', path: '/work/shared/data/bridge/stage3_error_samples.json' };
writeFileSync(join(scratch, 'b.distillery.json'), JSON.stringify({
  name: 'b', student: { path: student, prompt: 'auto', lora: { rank: 16, alpha: 32 } },
  data: { train: { ...data, count: 112 }, validation: 16, test: { ...data, start: 112, count: 4 } },
  stages: { reconstruct: false, complete: false, rewrite: { updates: 0, prompts: 2, group: 4, maxNewTokens: 256, evaluateEvery: 1, failures: { samples: 1, limit: 8 }, internalise: { updates: 3, batch: 4, evaluateEvery: 3, replayTeacher: 0.25 } } },
  baselines: { sft: false }, evaluation: { maxNewTokens: 256 },
}));
const hwm = () => { const k = Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024; writeFileSync('/proc/self/clear_refs', '5'); return k; };
const say = (what: string) => console.log(what.padEnd(40), 'hwm', g(hwm()), 'rss', g(process.memoryUsage().rss));
startRun(loadExperiment(join(scratch, 'b.distillery.json')).experiment, join(scratch, 'runs'), { signal: new AbortController().signal, notify: (e) => { say(e.type === 'note' ? `note ${e.text.slice(0, 30)}` : e.type === 'update' ? `update ${e.phase}` : e.type); } });
