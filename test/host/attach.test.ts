import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { readAddress, writeAddress } from '../../src/protocol/host-folder';
import { createRun } from '../../src/runs/writer';
import { type Distillery, openDistillery, outcome } from '../cli/distillery';
import { longStage, openWorkplace, until, type Workplace } from './workplace';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let work: Workplace;
let terminal: Distillery;
beforeAll(async () => {
  [work, terminal] = await Promise.all([openWorkplace(), openDistillery()]);
});
afterEach(() => work.endHost());
afterAll(async () => {
  terminal?.close();
  await work?.close();
});

const lines = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

it('attach shows the run of a host, pauses it, and stops it', async () => {
  const { client } = work.client();
  const { run } = await client.request('start', { experiment: work.experiment('watched', longStage(100_000)) });
  await until('updates', () => client.status?.progress.update);

  // A client may disconnect: the run continues.
  const looking = terminal.start('attach', work.folder);
  const left = outcome(looking);
  let seen = '';
  looking.stdout!.on('data', (data) => (seen += data));
  await until('its progress', () => seen.includes('Stage 1 (Reconstruct)'));
  looking.kill('SIGINT');
  expect(await left).toMatchObject({ code: 0, stdout: expect.stringMatching(/^watched on .*The run continues/s) });
  expect(client.state).toBe('running');

  const json = (...args: string[]) => terminal.run('attach', work.folder, '--json', ...args);
  expect(lines((await json('--pause')).stdout)).toEqual([{ state: 'paused', run }]);
  expect(lines((await json('--resume')).stdout)).toEqual([{ state: 'running', run }]);
  expect(await terminal.run('attach', run, '--stop', '--cancel')).toMatchObject({ code: 2 });

  const stopped = await json('--stop');
  expect(stopped.code).toBe(130);
  const told = lines(stopped.stdout);
  expect(told[0]).toMatchObject({ run: { folder: run, name: 'watched' } });
  expect(told.at(-1)).toMatchObject({ ended: { folder: run, outcome: 'stopped' } });
  await until('idle', () => client.state === 'idle');
  expect(await json()).toMatchObject({ code: 2, stdout: expect.stringContaining('no run is in progress here') });
});

it('attach follows a run to its end, and names a run that a terminal works on', async () => {
  const { client } = work.client();
  const { run } = await client.request('start', { experiment: work.experiment('ending', longStage(300)) });
  const { code, stdout, stderr } = await terminal.run('attach', run);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/ending on .*✓ Stage 1 \(Reconstruct\).*mean tokens.*The run is in /s);

  const elsewhere = createRun(join(work.distillery, 'runs'), 'terminal', {});
  const refused = await terminal.run('attach', work.folder);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`was started in a terminal (process ${process.pid})`),
  });
  elsewhere.close();
});

it('reaches a host on another machine through the user’s tunnel, and says how where there is none', async () => {
  const { client } = work.client({ args: ['--port', '0'] });
  await client.request('start', { experiment: work.experiment('far', longStage(100_000)) });
  const address = readAddress(work.distillery)!;
  expect(address.port).toBeGreaterThan(0);
  // As the folder looks from another machine of the same disk: another name, and a socket that is not here.
  const there = { ...address, machine: 'node-3', endpoint: join(address.endpoint, '..', 'elsewhere.sock') };
  writeAddress(work.distillery, there);
  try {
    const refused = await terminal.run('attach', work.folder);
    expect(refused.stderr).toContain(`ssh -N -L ${address.port}:127.0.0.1:${address.port} node-3`);
    const wrong = { ...there, token: 'another' };
    const tunnelled = terminal.with({ DISTILLERY_HOST_TUNNEL: String(address.port) });
    writeAddress(work.distillery, wrong);
    expect((await tunnelled.run('attach', work.folder, '--pause')).code).not.toBe(0);
    writeAddress(work.distillery, there);
    const paused = await tunnelled.run('attach', work.folder, '--pause', '--json');
    expect(lines(paused.stdout)).toMatchObject([{ state: 'paused' }]);
  } finally {
    writeAddress(work.distillery, address);
  }
  await client.control('stop');
});
