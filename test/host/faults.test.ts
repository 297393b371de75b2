import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Crash } from '../../src/client/api';
import { HostLink } from '../../src/client/link';
import { packageRoot } from '../../src/paths';
import { isProcess } from '../../src/processes';
import { type Address, errorCodes, protocolVersion } from '../../src/protocol/control';
import { addressFile, logFile, readAddress, writeAddress } from '../../src/protocol/host-folder';
import { isStopped, longStage, openWorkplace, until, type Workplace } from './workplace';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let work: Workplace;
beforeAll(async () => {
  work = await openWorkplace();
});
afterEach(() => work.endHost());
afterAll(async () => {
  await work?.close();
  rmSync(failing, { recursive: true, force: true });
});

/** For a host with a faulty server; it finds the package from there. */
const failing = join(packageRoot(), 'node_modules', '.cache', `failing-${process.pid}`);

const me = { name: 'test', version: '0.0.0' };
const address = () => readAddress(work.distillery)!;

/** Sends bytes to the host; resolves, when it closes the connection, to what it said. */
function send(...messages: (string | object)[]): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(address().endpoint, () => {
      for (const message of messages)
        if (typeof message === 'string') socket.write(message);
        else {
          const body = JSON.stringify({ jsonrpc: '2.0', ...message });
          socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
        }
    });
    socket.on('data', (data) => (said += data));
    socket.on('error', () => {}); // closed in the middle of what we said
    socket.on('close', () => resolve(said));
  });
}
/** How often the server's thread was restarted, by the log. */
const logged = () => readFileSync(logFile(work.distillery), 'utf8').split('is restarted').length;
const hello = (changes: object = {}) => ({
  id: 1,
  method: 'hello',
  params: { protocol: protocolVersion, token: address().token, client: { ...me, pid: 1 }, ...changes },
});

describe('a host with unknown clients', () => {
  it('keeps its place private', async () => {
    await work.client().client.connect();
    expect(statSync(addressFile(work.distillery)).mode & 0o077).toBe(0);
    expect(statSync(dirname(address().endpoint)).mode & 0o077).toBe(0);
    expect(readFileSync(logFile(work.distillery), 'utf8')).not.toContain(address().token);
  });

  it('disconnects clients that send garbage, a wrong token or no hello, and serves the others', async () => {
    const { client } = work.client();
    await client.connect();
    expect(await send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).toBe('');
    expect(await send('no headers here\r\n\r\n')).toBe('');
    expect(await send('Content-Length: 5\r\n\r\n{"a"]')).toBe('');
    expect(await send(`Content-Length: 99999999\r\n\r\n${'x'.repeat(1 << 17)}`)).toBe('');
    expect(await send({ id: 1, method: 'status' })).toContain(String(errorCodes.refused));
    expect(await send(hello({ token: 'x'.repeat(64) }))).toContain('wrong token');
    expect(await send(hello({ token: '' }))).toContain('wrong token');
    const link = await HostLink.open(address(), me, 30_000);
    await expect(link.request('status', {})).resolves.toMatchObject({ state: 'idle', clients: 2 });
    await expect(link.request('steal' as 'status', {})).rejects.toThrow();
    await expect(link.request('start', {} as never)).rejects.toThrow(/experiment/);
    link.close();
    expect(client.state).toBe('idle');
  });

  it('of another protocol is named clearly while it works, and replaced while it is idle', async () => {
    const { client } = work.client();
    await client.connect();
    const old = address();
    expect(await send(hello({ protocol: 99 }), { id: 2, method: 'status', params: {} })).toMatch(
      new RegExp(`${errorCodes.version}.*"idle":true.*${errorCodes.refused}`, 's'),
    );
    expect(await send(hello({ protocol: 99 }), { id: 2, method: 'shutdown', params: {} })).toContain('"ending":true');
    await until('its end', () => !isProcess(old.pid));
    await until('the news', () => client.state === 'absent');
    // The same by the version of Distillery, which the client looks after.
    await client.connect();
    const again = address();
    const newer = work.client({ client: { name: 'test', version: '0.0.1' } }).client;
    await newer.connect();
    expect(address()).toMatchObject({ version: '0.0.1' });
    expect(address().pid).not.toBe(again.pid);
    await until('its end', () => !isProcess(again.pid));
  });
});

describe('a host in trouble', () => {
  it('is the only one of its folder, however many start it', async () => {
    const clients = [work.client().client, work.client().client, work.client().client];
    await Promise.all(clients.flatMap((client) => [client.connect(), client.connect()]));
    await Promise.all(clients.map((client) => client.request('doctor', {})));
    expect(clients.map(({ status }) => status?.clients)).toEqual([
      expect.any(Number),
      expect.any(Number),
      expect.any(Number),
    ]);
    expect((await HostLink.open(address(), me, 30_000).then((link) => link.request('status', {}))).clients).toBe(4);
  });

  it('that hangs is lost, found again when it continues, and can be ended', async () => {
    const { client, states } = work.client({ times: { beat: 100, maxSilence: 3000 } });
    await client.connect();
    const { pid } = address();
    process.kill(pid, 'SIGSTOP');
    await until('the loss', () => client.state === 'lost');
    process.kill(pid, 'SIGCONT');
    await until('its return', () => client.state === 'idle');
    process.kill(pid, 'SIGSTOP');
    await until('the loss', () => client.state === 'lost');
    await client.kill();
    await until('its end', () => client.state === 'absent' && !isProcess(pid));
    expect(states).toEqual(['starting', 'idle', 'lost', 'idle', 'lost', 'absent']);
  });

  it('that hangs does not carry out timed-out requests later', async () => {
    const { client } = work.client();
    const { run } = await client.request('start', { experiment: work.experiment('goes-on', longStage(100_000)) });
    const { pid } = address();
    const updates = () => client.status?.progress.update?.update ?? 0;
    await until('updates', () => updates() > 1);
    process.kill(pid, 'SIGSTOP');
    try {
      await until('its stop', () => isStopped(pid));
      const { socket } = (client as unknown as { link: { socket: Socket } }).link;
      const sent = (than: number) => until('a message', () => socket.bytesWritten > than && !socket.writableLength);
      const before = socket.bytesWritten;
      (client as unknown as { times: { answer: number } }).times.answer = 1000; // a busy host takes longer to start
      const asked = client.control('stop');
      asked.catch(() => {});
      await sent(before);
      const request = socket.bytesWritten;
      await expect(asked).rejects.toThrow(/does not answer \(stop/);
      await sent(request); // it was taken back
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const before = updates();
    await until('further updates', () => updates() > before + 5);
    expect(client.status).toMatchObject({ state: 'running', run: { folder: run } });
  });

  it('whose engine does not stop cancelled work ends with it', async () => {
    const { client } = work.client({ args: ['--grace-ms', '1'] });
    await client.connect();
    const { pid } = address();
    const report = client.request('doctor', {});
    report.catch(() => {});
    await until('work', () => client.status?.jobs.some(({ working }) => working));
    await client.control('cancel');
    await expect(report).rejects.toThrow();
    await until('its end', () => client.state === 'absent' && !isProcess(pid));
  });

  it('whose server fails continues its run, and is found again', async () => {
    const flag = join(work.folder, 'fail');
    mkdirSync(failing, { recursive: true });
    copyFileSync(work.program, join(failing, 'host.js'));
    writeFileSync(
      join(failing, 'host-server.js'),
      `const fs = require('node:fs'); require(${JSON.stringify(join(dirname(work.program), 'host-server.js'))});
      setInterval(() => { if (fs.existsSync(${JSON.stringify(flag)})) { fs.rmSync(${JSON.stringify(flag)}); throw new Error('alas'); } }, 10);`,
    );
    const { client } = work.client({
      program: join(failing, 'host.js'),
      watch: true,
      times: { watch: 50, death: 100 },
    });
    const { run } = await client.request('start', { experiment: work.experiment('unharmed', longStage(100_000)) });
    const { pid, session } = address();
    const updates = () => client.status?.progress.update?.update ?? 0;
    const linkNow = () => (client as unknown as { link?: HostLink }).link;
    await until('updates', () => updates() > 3);
    for (const state of ['running', 'paused'] as const) {
      if (state === 'paused') await client.control('pause');
      await until(state, () => client.state === state);
      const before = logged();
      const link = linkNow()!;
      writeFileSync(flag, '');
      await link.closed;
      await until('the failure', () => logged() > before);
      // Its state is the old one until then.
      await until('another connection', () => linkNow() !== undefined && linkNow() !== link);
      await until('its return', () => client.state === state && client.status?.run?.folder === run);
      expect(address()).toMatchObject({ pid, session });
    }
    await client.request('resume', { run });
    const before = updates();
    await until('further updates', () => updates() > before + 3);
    await client.control('stop');
    await until('the end', () => client.state === 'idle' && client.status?.last?.outcome === 'stopped');
    expect(address().pid).toBe(pid);
    client.dispose(); // it watches for the hosts of others
  });

  it('that dies in a loop is restarted four times, and a broken one not at all', async () => {
    const crash = join(work.folder, 'crash.cjs');
    writeFileSync(crash, "console.error('alas'); process.exit(7);");
    const { client } = work.client({ program: crash, restart: true, times: { restart: 1 } });
    const crashes: Crash[] = [];
    client.on('crash', (one) => crashes.push(one));
    await expect(client.connect()).rejects.toMatchObject({ code: 'host', remedy: expect.stringContaining('alas') });
    await until('the last crash', () => crashes.at(-1) && crashes.at(-1)!.restartInMs === undefined);
    expect(crashes.map(({ restartInMs }) => restartInMs)).toEqual([1, 4, 16, 64, undefined]);
    expect(crashes[0].log.at(-1)).toBe('alas');

    for (const [words, code, cause] of [
      ['this machine has no Node', 2, 'config'],
      ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 134, 'memory'],
    ]) {
      writeFileSync(crash, `console.error(${JSON.stringify(words)}); process.exit(${code});`);
      const other = work.client({ program: crash, restart: true });
      const heard: Crash[] = [];
      other.client.on('crash', (one) => heard.push(one));
      await expect(other.client.connect()).rejects.toThrow();
      expect(heard).toMatchObject([{ cause }]);
      expect(heard[0].restartInMs).toBeUndefined();
    }
  });

  it('ends by itself when it is not needed, and when the system asks; neither counts as a crash', async () => {
    const { client } = work.client({ args: ['--idle-ms', '2000'] }); // longer than a busy machine takes to connect
    await client.connect();
    const { pid } = address();
    client.dispose();
    await until('its end', () => !isProcess(pid));
    expect(readAddress(work.distillery)).toBeUndefined();

    const other = work.client({ restart: true });
    await other.client.connect();
    process.kill(address().pid, 'SIGTERM');
    await until('its end', () => other.client.state === 'absent');
    expect(other.states).toEqual(['starting', 'idle', 'absent']);
    expect(await other.client.control('pause')).toBeUndefined();
    expect(await other.client.attach()).toBe(false);
  });

  it('whose address was left behind is not mistaken for another process with its pid', async () => {
    const stale: Address = {
      protocol: protocolVersion,
      version: '0.0.0',
      pid: process.pid,
      startTime: 'long ago',
      machine: (await import('node:os')).hostname(),
      session: 'gone',
      endpoint: '/nowhere.sock',
      token: 't',
    };
    writeAddress(work.distillery, stale);
    const { client } = work.client();
    expect(await client.attach()).toBe(false);
    await client.kill(); // not us
    await client.connect();
    expect(client.state).toBe('idle');
    await client.kill();
  });

  it('of another machine is not touched while it is alive; one under this machine’s earlier name is used', async () => {
    const { client } = work.client();
    await client.connect();
    const real = address();
    writeAddress(work.distillery, { ...real, machine: 'elsewhere' });
    const renamed = work.client().client;
    expect(await renamed.attach()).toBe(true);
    await expect(renamed.kill()).rejects.toMatchObject({ code: 'elsewhere' });
    writeAddress(work.distillery, { ...real, machine: 'elsewhere', endpoint: '/nowhere.sock' });
    await expect(work.client().client.attach()).rejects.toMatchObject({ code: 'elsewhere' });
    await expect(work.client().client.connect()).rejects.toMatchObject({ code: 'elsewhere' });
    const long = Date.now() / 1000 - 11 * 60;
    utimesSync(addressFile(work.distillery), long, long);
    expect(await work.client().client.attach()).toBe(false);
    writeAddress(work.distillery, real);
    await client.kill();
  });

  it('that dies unnoticed, after its connection broke, is detected and restarted', async () => {
    const { client, states } = work.client({ watch: true, times: { watch: 50, answer: 500, death: 100 } });
    const crashes: Crash[] = [];
    client.on('crash', (one) => crashes.push(one));
    const lose = async () => {
      const { pid } = address();
      process.kill(pid, 'SIGSTOP');
      (client as unknown as { link: HostLink }).link.close();
      await until('the loss', () => client.state === 'lost');
      return pid;
    };
    await client.connect();
    process.kill(await lose(), 'SIGKILL');
    await until('the crash', () => client.state === 'crashed');
    expect(crashes).toHaveLength(1);
    await client.connect();
    await lose();
    await client.kill();
    // A busy host may be reported as lost, and found again, in between.
    expect(states.filter((state) => state !== 'idle' && state !== 'lost')).toEqual([
      ...['starting', 'crashed', 'starting', 'absent'],
    ]);
    for (const end of ['crashed', 'absent']) expect(states[states.indexOf(end) - 1]).toBe('lost');
  });
});
