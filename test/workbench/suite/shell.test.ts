/**
 * Runs from the palette to the end: started, paused, stopped, resumed, lost with their host; by the commands a user
 * has.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import type { Services } from '../../../src/extension/services';
import { readAddress } from '../../../src/protocol/host-folder';
import { type ShownState, stateOf } from '../../../src/runs/reading';

const execute = vscode.commands.executeCommand;

suite('Shell', () => {
  let services: Services;
  let folder: string;
  suiteSetup(async () => {
    services = await vscode.extensions.getExtension<Services>('distillery.distillery')!.activate();
    folder = vscode.workspace.workspaceFolders![0].uri.fsPath;
    await services.runs.ready;
    await vscode.workspace.getConfiguration('distillery').update('openOnStart', 'nothing', true);
  });
  suiteTeardown(async () => {
    await vscode.workspace.getConfiguration('distillery').update('openOnStart', undefined, true);
    for (const host of services.hosts.all()) await host.shutdown({ evenBusy: true });
  });

  const stateOfRun = (run: string): ShownState | undefined => {
    const listing = services.runs.list().find((one) => one.folder === run);
    return listing && 'run' in listing ? stateOf(listing.run) : undefined;
  };
  const until = async (what: string, holds: () => boolean, ms = 60_000) => {
    for (const end = Date.now() + ms; !holds(); ) {
      if (Date.now() > end) assert.fail(`not within ${ms / 1000} s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const experiment = (name: string) => vscode.Uri.file(join(folder, `${name}.distillery.json`));
  const start = async (command: string, argument: unknown): Promise<string> => {
    const run = await execute<string | undefined>(command, argument);
    assert.ok(run, `${command} started nothing`);
    return run;
  };

  test('every command of the manifest is there', async () => {
    const there = new Set(await vscode.commands.getCommands(true));
    const { contributes } = vscode.extensions.getExtension('distillery.distillery')!.packageJSON as {
      contributes: { commands: { command: string }[] };
    };
    assert.deepEqual(
      contributes.commands.map(({ command }) => command).filter((command) => !there.has(command)),
      [],
    );
  });

  test('the runs of the folder are listed, and what appears or vanishes is noticed', async () => {
    const [first] = services.runs.list();
    assert.ok('run' in first);
    assert.equal(first.run.record.name, 'tiny');
    assert.deepEqual(
      services.runs
        .experiments()
        .map(({ name }) => name)
        .includes('long'),
      true,
    );
    const broken = join(folder, '.distillery/runs/20200101-000000-tiny');
    mkdirSync(broken);
    writeFileSync(join(broken, 'run.json'), '{"format": 99}');
    await until('the broken run is listed', () =>
      services.runs
        .list()
        .some((one) => one.folder === broken && 'problem' in one && /newer version/.test(one.problem.message)),
    );
    rmSync(broken, { recursive: true });
    await until('it is gone', () => !services.runs.list().some((one) => one.folder === broken));
    const nested = join(folder, 'deeper/other.distillery.json');
    mkdirSync(join(folder, 'deeper'));
    writeFileSync(nested, '{"name": "other"}');
    await until('the experiment is found', () => services.runs.experiments().some(({ name }) => name === 'other'));
    assert.ok(services.runs.folders().includes(join(folder, 'deeper/.distillery/runs')));
    rmSync(join(folder, 'deeper'), { recursive: true });
  });

  test('Run Stage 2 runs from a checkpoint to its end', async function () {
    this.timeout(300_000);
    const listing = services.runs.list().find((one) => 'run' in one && one.run.record.name === 'tiny')!;
    assert.ok('run' in listing);
    const from =
      listing.run.record.checkpoints.find(({ stage }) => stage === 'reconstruct') ?? listing.run.record.checkpoints[0];
    const checkpoint = join(listing.folder, 'checkpoints', from.name);
    const run = await start('distillery.runStage2', {
      experiment: experiment('tiny').fsPath,
      checkpoint,
      quick: false,
    });
    await until('it is finished', () => stateOfRun(run) === 'finished');
    const rows = services.runs.cache.summary(run).value!;
    assert.deepEqual(
      rows.map(({ stage }) => stage),
      ['base', 'complete'],
    );
    const config = services.runs.cache.config(run).value as { experiment: { student: { path: string } } };
    assert.equal(config.experiment.student.path, checkpoint);
  });

  test('Evaluate Checkpoint records the answers in its run', async function () {
    this.timeout(120_000);
    const listing = services.runs.list().find((one) => 'run' in one && one.run.record.checkpoints.length > 0)!;
    assert.ok('run' in listing);
    const checkpoint = join(listing.folder, 'checkpoints', listing.run.record.checkpoints.at(-1)!.name);
    const result = await execute<{ n: number; accuracy: number; recorded: string }>('distillery.evaluateCheckpoint', {
      checkpoint,
    });
    assert.ok(result.n > 0 && result.accuracy >= 0 && result.accuracy <= 1);
    assert.equal(services.runs.cache.score(listing.folder, result.recorded).value?.n, result.n);
  });

  test('Pause, Resume and Stop', async function () {
    this.timeout(300_000);
    const run = await start('distillery.runCurriculum', { experiment: experiment('long').fsPath, quick: false });
    await until('it makes updates', () => (services.hosts.progress(run)?.update ?? 0) > 0);
    await execute('distillery.archiveRun', { run });
    assert.ok(existsSync(run), 'a run that is on is not archived');
    await execute('distillery.pause', { run });
    await until('it is paused', () => services.hosts.running(run)?.state === 'paused' && stateOfRun(run) === 'paused');
    const at = services.hosts.progress(run)!.update;
    await execute('distillery.resume', { run });
    await until('it continues', () => (services.hosts.progress(run)?.update ?? 0) > at);
    await execute('distillery.stop', { run });
    await until('it is stopped', () => stateOfRun(run) === 'stopped');
    await until('the host is idle', () => services.hosts.running(run) === undefined);
  });

  test('a killed host leaves an interrupted run, which Resume continues', async function () {
    this.timeout(300_000);
    const run = await start('distillery.runCurriculum', { experiment: experiment('long').fsPath, quick: false });
    await until('it makes updates', () => (services.hosts.progress(run)?.update ?? 0) > 0);
    const host = services.hosts.of(run);
    let crash: { run?: string } | undefined;
    host.on('crash', (told) => {
      crash = told;
    });
    process.kill(readAddress(join(folder, '.distillery'))!.pid, 'SIGKILL');
    await until('the report of the crash', () => crash !== undefined);
    assert.equal(crash?.run, run);
    await until('the run is interrupted', () => stateOfRun(run) === 'interrupted');
    await execute('distillery.resume', { run });
    await until('it continues', () => stateOfRun(run) === 'running' && (services.hosts.progress(run)?.update ?? 0) > 0);
    await execute('distillery.stop', { run });
    await until('it is stopped', () => stateOfRun(run) === 'stopped');
  });

  test('Archive Run moves a run out of the way', async () => {
    const [newest] = services.runs.list();
    await execute('distillery.archiveRun', { run: newest.folder });
    assert.equal(existsSync(newest.folder), false);
    assert.ok(existsSync(join(folder, '.distillery/archive', basename(newest.folder), 'run.json')));
    await until('it is not listed', () => !services.runs.list().some((one) => one.folder === newest.folder));
  });

  test('New Experiment writes one for a dataset that is valid and is found', async function () {
    this.timeout(120_000);
    const made = join(folder, 'mine');
    const data = join(folder, 'data/sums.chains.jsonl');
    const file = await execute<string>('distillery.newExperiment', {
      folder: made,
      data,
      student: join(folder, 'student'),
    });
    assert.equal(file, join(made, 'mine.distillery.json'));
    assert.doesNotMatch(readFileSync(file, 'utf8'), /\$schema/);
    await until('it is listed', () => services.runs.experiments().some(({ name }) => name === 'mine'));
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, file);
    const errors = vscode.languages
      .getDiagnostics(vscode.Uri.file(file))
      .filter(({ severity }) => severity === vscode.DiagnosticSeverity.Error);
    assert.deepEqual(
      errors.map(({ message }) => message),
      [],
    );
  });
});
