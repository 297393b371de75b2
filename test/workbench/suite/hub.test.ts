import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Services } from '../../../src/extension/services';
import { commit, startHub, type TestHub } from '../../../src/hub/testing/hub';
import { ending } from '../ending';
import { pause, until } from '../until';

const root = () => vscode.workspace.workspaceFolders![0].uri.fsPath;
const token = 'hf_workbench5ecret';

/** Runs a command that downloads, and accepts the download; nothing may be fetched before. Returns its result. */
async function accepted(server: TestHub, command: string, name: string): Promise<string | undefined> {
  const result = vscode.commands.executeCommand<string | undefined>(command, name);
  await until('the size', () => server.requests.some(({ path }) => path.includes('/tree/')));
  await pause(1000);
  assert.equal(server.requests.filter(({ path }) => path.includes('/resolve/')).length, 0);
  return ending(result);
}

suite('Students and datasets of the Hub', () => {
  const names = [
    'DISTILLERY_DATASETS_CACHE',
    'HF_ENDPOINT',
    'HF_TOKEN',
    'HF_HOME',
    'HF_HUB_CACHE',
    'HF_HUB_OFFLINE',
    'DISTILLERY_STUDENTS_CACHE',
  ];
  const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  let hub: TestHub;
  let cache: string;
  let services: Services;

  suiteSetup(async () => {
    services = (await vscode.extensions.getExtension<Services>('distillery.distillery')!.activate()) as Services;
    const student = join(root(), 'student');
    const files = Object.fromEntries(readdirSync(student).map((name) => [name, readFileSync(join(student, name))]));
    hub = await startHub({ repository: 'tiny/random', files, token });
    cache = mkdtempSync(join(tmpdir(), 'distillery-students-'));
    for (const name of names) delete process.env[name];
    Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HOME: join(cache, 'hf'), DISTILLERY_STUDENTS_CACHE: cache });
    await services.context.secrets.store(`distillery.hub.token ${hub.url}`, token);
  });
  suiteTeardown(async () => {
    for (const name of names) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    await services.context.secrets.delete(`distillery.hub.token ${hub.url}`);
    await hub[Symbol.asyncDispose]();
    rmSync(cache, { recursive: true, force: true });
  });

  test('Download Student fetches nothing before its size was seen, then all, with the stored token', async () => {
    const folder = await accepted(hub, 'distillery.downloadStudent', 'tiny/random');
    assert.equal(folder, join(cache, 'models--tiny--random', 'snapshots', commit));
    assert.ok(existsSync(join(folder!, 'model.safetensors')));
    assert.ok(hub.requests.every(({ headers }) => headers.authorization === `Bearer ${token}`));
    // It is here.
    assert.equal(await vscode.commands.executeCommand('distillery.downloadStudent', 'tiny/random'), folder);
  });

  test('Download Dataset fetches nothing before its size was seen; New Experiment names it', async () => {
    const line = (n: number) => JSON.stringify({ problem: `What is ${n} + 1?`, answer: `${n + 1}` });
    const rows = Array.from({ length: 12 }, (_, i) => line(i)).join('\n');
    await using sums = await startHub({
      kind: 'dataset',
      repository: 'school/sums',
      files: { 'data/train.jsonl': rows },
    });
    process.env.HF_ENDPOINT = sums.url;
    process.env.DISTILLERY_DATASETS_CACHE = join(cache, 'datasets');
    const name = await accepted(sums, 'distillery.downloadDataset', 'school/sums');
    assert.equal(name, 'school/sums');
    const folder = join(root(), 'of-the-hub');
    const made = await vscode.commands.executeCommand<string>('distillery.newExperiment', { folder, data: name });
    try {
      assert.match(readFileSync(made, 'utf8'), /"train": \{[^}]*"path": "school\/sums"/);
    } finally {
      rmSync(folder, { recursive: true });
      process.env.HF_ENDPOINT = hub.url;
    }
  });

  test('an experiment names it', async () => {
    const { loadExperiment } = await import('../../../src/config/load');
    const file = join(root(), readdirSync(root()).find((name) => name.endsWith('.distillery.json'))!);
    const text = readFileSync(file, 'utf8').replace(
      /"student": \{\s*"path": "[^"]*"/,
      '"student": { "path": "tiny/random"',
    );
    const named = join(root(), 'by-name.distillery.json');
    await vscode.workspace.fs.writeFile(vscode.Uri.file(named), Buffer.from(text));
    try {
      assert.match(loadExperiment(named).experiment.student.path, new RegExp(commit));
    } finally {
      rmSync(named);
    }
  });
});
