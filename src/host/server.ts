/**
 * The host's server thread: listens, answers, maintains host.json and host.log, and ends the host when it is not
 * needed.
 */
import fs from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { killTree, thisProcess, touchRegularly } from '../processes';
import { type Address, protocolVersion } from '../protocol/control';
import { addressFile, logFile, makeEndpoint, readAddress, writeAddress } from '../protocol/host-folder';
import { cutFile, remove, replaceText } from '../writing';
import { serveClient } from './connection';
import { Control } from './control';
import { log } from './faults';
import type { ToEngine, ToServer } from './messages';
import type { ServerData } from './server-thread';
import { Service } from './service';

const { distillery, version, idleMs, graceMs, port: tcp, session, token, status, starts } = workerData as ServerData;

/** Maximum number of clients; further ones are disconnected. */
const mostConnections = 256;

/** Maximum size of host.log, and the size kept when it exceeds that. */
const logBytes = { most: 1 << 20, kept: 128 << 10 };
const logCheckMs = 10_000;

const port = parentPort!;
const toEngine = (message: ToEngine) => port.postMessage(message);
const endpoint = makeEndpoint(distillery);
const address: Address = {
  protocol: protocolVersion,
  version,
  ...thisProcess(),
  session,
  endpoint,
  token,
};

const control = new Control({ toEngine, graceMs, kill, changed, status, starts });
const service = new Service(control, address.session, changed);
port.on('message', (message: ToServer) => {
  if (message.type === 'terminate') service.shutdown({ evenBusy: true });
  else control.receive(message);
});

// This process holds the folder's lock, so an existing socket belongs to a dead host.
if (process.platform !== 'win32') remove(dirname(endpoint), endpoint);
const serve = () => {
  const server = createServer((socket) => serveClient(socket, service, address));
  server.maxConnections = mostConnections;
  return server;
};
serve().listen(endpoint, async () => {
  if (process.platform !== 'win32') fs.chmodSync(endpoint, 0o600);
  const before = readAddress(distillery);
  const restarted = before?.session === session;
  // A restarted thread uses the same port, because tunnels lead there.
  if (tcp !== undefined) address.port = await openPort((restarted ? before.port : undefined) ?? tcp);
  if (!restarted || before.port !== address.port) writeAddress(distillery, address);
  touchRegularly(addressFile(distillery));
  log('info', `listening at ${endpoint}`);
  toEngine({ type: 'listening' });
  changed();
});
setInterval(boundLog, logCheckMs).unref();

/** A listener on 127.0.0.1 beside the socket; none if the port is taken. */
function openPort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = serve();
    server.once('error', (error) => {
      log('warning', `not listening at port ${wanted}: ${error.message}`);
      resolve(undefined);
    });
    server.listen(wanted, '127.0.0.1', () => {
      const { port: found } = server.address() as AddressInfo;
      log('info', `listening at 127.0.0.1:${found}`);
      resolve(found);
    });
  });
}

let idleTimer: NodeJS.Timeout | undefined;

/** Ends the host when that was requested and it is idle, or when it was idle without clients for long. */
function changed(): void {
  clearTimeout(idleTimer);
  if (service.ending && !service.atWork)
    setTimeout(() => end('on request'), 50); // the answer is sent first
  else if (service.deserted) idleTimer = setTimeout(() => end('idle without clients'), idleMs);
}

function end(why: string): void {
  log('info', `the host ends: ${why}`);
  withdraw();
  toEngine({ type: 'end' });
}

/** For an engine that does not respond. */
function kill(): void {
  log('warning', 'the host is ended together with work that did not stop');
  withdraw();
  killTree(process.pid);
}

/** A host.json left behind marks a crash. */
function withdraw(): void {
  if (readAddress(distillery)?.session === address.session) remove(distillery, addressFile(distillery));
  if (process.platform !== 'win32') remove(dirname(endpoint), endpoint);
}

/** Truncates a long host.log; its newest part moves to host.log.old. Only if this process writes to that file. */
function boundLog(): void {
  try {
    const [written, file] = [fs.fstatSync(2), fs.statSync(logFile(distillery))];
    if (written.ino !== file.ino || file.size < logBytes.most) return;
    const text = fs.readFileSync(logFile(distillery));
    replaceText(distillery, `${logFile(distillery)}.old`, text.subarray(-logBytes.kept));
    cutFile(distillery, logFile(distillery), 0);
  } catch {
    // Not our log.
  }
}
