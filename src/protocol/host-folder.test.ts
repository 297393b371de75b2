import fs, { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Address, protocolVersion } from './control';
import { addressFile, checkEndpoint, hostFolder, makeEndpoint, readAddress, writeAddress } from './host-folder';

const given = process.env.TMPDIR;
let folder: string;
let distillery: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distillery-place-'));
  distillery = join(folder, '.distillery');
  mkdirSync(distillery);
});
afterEach(() => {
  if (given === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = given;
  rmSync(folder, { recursive: true });
});

describe.skipIf(process.platform === 'win32')('the place of a socket (Windows has pipes, which are no files)', () => {
  it("is a folder of this user's alone, the same for every name of a folder", () => {
    process.env.TMPDIR = folder;
    const endpoint = makeEndpoint(distillery);
    expect(statSync(join(endpoint, '..')).mode & 0o777).toBe(0o700);
    symlinkSync(distillery, join(folder, 'alias'));
    expect(makeEndpoint(join(folder, 'alias'))).toBe(endpoint);
    fs.chmodSync(join(endpoint, '..'), 0o755);
    makeEndpoint(distillery);
    expect(statSync(join(endpoint, '..')).mode & 0o777).toBe(0o700);
  });

  it('is short enough for a socket, wherever temporary files are', () => {
    process.env.TMPDIR = join(folder, 'x'.repeat(90));
    mkdirSync(process.env.TMPDIR);
    expect(Buffer.byteLength(makeEndpoint(distillery))).toBeLessThanOrEqual(103);
  });

  it('is none that host.json names elsewhere', () => {
    process.env.TMPDIR = folder;
    const endpoint = makeEndpoint(distillery);
    checkEndpoint(endpoint);
    const trap = join(folder, `trap/distillery-${userInfo().uid}`);
    mkdirSync(trap, { recursive: true, mode: 0o755 });
    for (const named of ['/run/docker.sock', join(trap, 'x.sock'), join(endpoint, '..', '..', 'x.sock')])
      expect(() => checkEndpoint(named)).toThrow(expect.objectContaining({ code: 'host', file: named }));
  });

  it('is refused where another user may have prepared it', () => {
    process.env.TMPDIR = folder;
    symlinkSync(distillery, join(folder, `distillery-${userInfo().uid}`));
    expect(() => makeEndpoint(distillery)).toThrow(expect.objectContaining({ code: 'host' }));
  });
});

it('an address is written for its user alone, and one that is torn counts as none', () => {
  const address: Address = {
    protocol: protocolVersion,
    version: '1',
    pid: 1,
    startTime: '',
    machine: 'm',
    session: 's',
    endpoint: 'e',
    token: 't',
  };
  expect(readAddress(distillery)).toBeUndefined();
  mkdirSync(hostFolder(distillery));
  writeFileSync(`${addressFile(distillery)}.draft`, 'left by a crash', { mode: 0o644 });
  writeAddress(distillery, address);
  expect(readAddress(distillery)).toEqual(address);
  if (process.platform !== 'win32') expect(statSync(addressFile(distillery)).mode & 0o077).toBe(0);
  writeFileSync(addressFile(distillery), '{"protocol": 1');
  expect(readAddress(distillery)).toBeUndefined();
});
